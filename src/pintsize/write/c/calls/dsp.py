"""Kernels for cores with the DSP extension: Cortex-M4, M7 and M33. They are for activations of 8 bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pintsize.graph import Graph, Node
from pintsize.write.c.calls import dsp_add, dsp_depthwise, dsp_products
from pintsize.write.c.calls.call import Call

_Variant = Callable[[Graph, Node], Call | None]


def _of_int8(variant: _Variant) -> _Variant:
    def call(graph: Graph, node: Node) -> Call | None:
        operands = (*graph.activations(node), node.output)
        return variant(graph, node) if all(graph.type(name).dtype == "int8" for name in operands) else None

    return call


DSP: Mapping[str, _Variant] = {
    "add": _of_int8(dsp_add.add),
    "conv2d": _of_int8(dsp_products.conv2d),
    "depthwise_conv2d": _of_int8(dsp_depthwise.depthwise_conv2d),
    "linear": _of_int8(dsp_products.linear),
}
