"""The ONNX model of a Graph: an integer one with QuantizeLinear and DequantizeLinear, a float one without."""

from __future__ import annotations

from pintsize.errors import UnsupportedOp, missing_extra
from pintsize.graph import Graph
from pintsize.ops import Lstm
from pintsize.version import VERSION
from pintsize.write.onnx.draft import Draft
from pintsize.write.onnx.layout import Form, interface_form, onnx_shape
from pintsize.write.onnx.ops import WRITERS

#: opset, and the version of the file format that goes with it
EARLIEST = (17, 8)
#: ops that ONNX has since a later opset only
LATER: dict[str, tuple[int, int]] = {"gelu": (20, 9)}


def write_onnx(graph: Graph) -> bytes:
    """The model's file. Input and output are float32 with a free batch: (n, C, H, W) for a Graph's (H, W, C), other
    shapes as they are; `channels_first` and `channels_last` convert.

    An integer Graph gives uint8 activations (on the same grid, zero point 128 higher), int8 weights and int32 biases
    in codes, so that ONNX Runtime fuses every layer that it has an integer kernel for. It requantizes in float: its
    results may differ from the Graph's by one step. The same Graph gives the same bytes.

    Raises UnsupportedOp that lists every op without a counterpart, MissingExtra without the package onnx.
    """
    try:
        from onnx import TensorProto, helper
    except ModuleNotFoundError as error:
        raise missing_extra(error) or error from error

    _refuse_unknown(graph)
    draft = Draft(graph)
    first, last = graph.inputs[0], graph.outputs[0]
    shapes = {name: graph.type(name).shape for name in (first, last)}
    forms: dict[str, Form] = {name: interface_form(shape) for name, shape in shapes.items()}
    draft.begin(first, forms[first])
    for node in graph.nodes:
        WRITERS[node.op.name](draft, node)
    draft.finish(last, forms[last])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *onnx_shape(shapes[name], forms[name])])
        for name in (first, last)
    ]
    body = helper.make_graph(draft.nodes, graph.name, [ends[0]], [ends[1]], draft.initializers)
    opset, ir_version = max(LATER.get(n.op.name, EARLIEST) for n in graph.nodes)
    model = helper.make_model(
        body, producer_name="pintsize", producer_version=VERSION, ir_version=ir_version,
        opset_imports=[helper.make_opsetid("", opset)],
    )  # fmt: skip
    if graph.labels:
        helper.set_model_props(model, {"labels": "\n".join(graph.labels)})
    return model.SerializeToString(deterministic=True)


def _refuse_unknown(graph: Graph) -> None:
    missing = [f"{n.op.name} at {n.source or n.name}" for n in graph.nodes if n.op.name not in WRITERS]
    missing += [f"lstm at {n.source or n.name}: ONNX has no clip of the cell alone" for n in graph.nodes
                if isinstance(n.op, Lstm) and n.op.cell_clip]  # fmt: skip
    wide = [
        f"{t.name} is {t.type.dtype}"
        for t in graph.tensors.values()
        if _too_wide(t.type.dtype, t.is_constant)
    ]
    if missing or wide:
        raise UnsupportedOp("\n  ".join([f"'{graph.name}' cannot be written as ONNX:", *missing, *wide]))


def _too_wide(dtype: str, is_constant: bool) -> bool:
    return dtype == "int16" or (dtype == "int32" and not is_constant)
