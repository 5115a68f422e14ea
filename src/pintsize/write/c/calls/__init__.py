"""Each op as a call of C kernels with literal arguments.

A `Variant` is a function (graph, node) → Call, or None where it does not apply. `x0`, `x1`, … and `y` stand for the
operands, `scratch` for the layer's own RAM; the emitter gives every layer a function of its own with these parameters.
The portable calls serve every core; an instruction set's own come first where they apply. The registry is
the two dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from pintsize.graph import Graph, Node
from pintsize.write.c.calls import arithmetic, pools, shapes, weighted
from pintsize.write.c.calls.call import Call, Constant, Invocation

__all__ = ["CALLS", "ISAS", "VARIANTS", "Call", "Constant", "Invocation", "Isa", "call_of", "isa_of"]

#: instruction sets with kernels of their own; "portable" is C99 for anything
Isa = Literal["portable", "thumb", "dsp", "helium", "simd128", "neon", "avx2"]
ISAS: tuple[Isa, ...] = get_args(Isa)

Variant = Callable[[Graph, Node], Call | None]

CALLS: Mapping[str, Callable[[Graph, Node], Call]] = {
    "add": arithmetic.add, "average_pool2d": pools.average_pool2d, "concat": shapes.concat,
    "conv2d": weighted.conv2d, "depthwise_conv2d": weighted.depthwise_conv2d, "hard_swish": arithmetic.elementwise,
    "leaky_relu": arithmetic.elementwise, "linear": weighted.linear, "max_pool2d": pools.max_pool2d,
    "mul": arithmetic.mul, "pad": shapes.pad, "relu": arithmetic.elementwise, "relu6": arithmetic.elementwise,
    "reshape": shapes.reshape, "sigmoid": arithmetic.elementwise, "softmax": arithmetic.softmax,
    "tanh": arithmetic.elementwise, "transpose": shapes.transpose,
}  # fmt: skip

VARIANTS: Mapping[Isa, Mapping[str, Variant]] = {}

_ISA_OF_CORE: Mapping[str, Isa] = {
    "cortex-m0": "thumb", "cortex-m0plus": "thumb", "cortex-m4": "dsp", "cortex-m7": "dsp", "cortex-m33": "dsp",
    "cortex-m55": "helium", "cortex-m85": "helium", "wasm32": "simd128", "arm64": "neon", "x86_64": "avx2",
}  # fmt: skip


def isa_of(core: str) -> Isa:
    """The instruction set whose kernels suit a core; portable C for a core that has none of its own."""
    return _ISA_OF_CORE.get(core, "portable")


def call_of(graph: Graph, node: Node, isa: Isa) -> Call:
    """How this layer is computed. Raises KeyError for an op without a kernel."""
    variant = VARIANTS.get(isa, {}).get(node.op.name)
    return (variant(graph, node) if variant else None) or CALLS[node.op.name](graph, node)
