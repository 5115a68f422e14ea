"""The one input of an ONNX model: its shape, and whether it is an image, a signal, or plain features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from pintsize.errors import ModelError
from pintsize.read.layout import Layout, channels_first
from pintsize.read.onnx_cast import UINT8, begins_behind_casts
from pintsize.read.onnx_file import ELEMENTS_MAX

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, ValueInfoProto

TAKES_CHANNELS_FIRST = frozenset(
    {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "GlobalAveragePool", "GlobalMaxPool", "MaxPool",
     "Resize"}
)  # fmt: skip
TAKES_CHANNELS_LAST = frozenset({"Gemm", "GRU", "LSTM", "LayerNormalization", "MatMul", "Transpose"})
MOVES_AXES = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})
REAL = (1, 11)
CODES = (2, 3)
EXTENT_MAX = 2**16


@dataclass(frozen=True)
class Input:
    """Name, shape without the batch, and whether it takes int8 or uint8 codes in place of real numbers.

    Numbers of any kind that the model casts to real ones before all else are real ones here: the caller casts.
    """

    name: str
    shape: tuple[int, ...]
    is_codes: bool
    unsigned: bool = False


def input_of(graph: GraphProto, model: str, shape: Sequence[int] | None) -> Input:
    """The model's input; `shape`, the batch left out, is taken where the file leaves sizes open.

    Raises ModelError where there is not one input of real numbers or codes, or its shape is not fixed.
    """
    held = {t.name for t in graph.initializer}
    inputs = [i for i in graph.input if i.name not in held]
    if len(inputs) != 1:
        names = ", ".join(i.name for i in inputs)[:100]
        raise ModelError(f"model '{model}' takes {len(inputs)} inputs ({names}): exactly one is supported")
    found = inputs[0]
    kind = found.type.tensor_type.elem_type
    if begins_behind_casts(graph, found.name):
        return Input(found.name, _shape(found, model, shape), False)
    if kind not in (*REAL, *CODES):
        raise ModelError(
            f"model '{model}' takes ONNX's data type {kind}: float32, int8 or uint8 is supported"
        )
    return Input(found.name, _shape(found, model, shape), kind in CODES, kind == UINT8)


def _shape(found: ValueInfoProto, model: str, shape: Sequence[int] | None) -> tuple[int, ...]:
    declared = found.type.tensor_type
    sizes = [d.dim_value if d.HasField("dim_value") else None for d in declared.shape.dim]
    if not declared.HasField("shape"):
        sizes = [None, *([None] * len(shape or ()))]
    if len(sizes) < 2:
        raise ModelError(
            f"model '{model}': its input must have the batch first and one more axis, not {sizes}"
        )
    if sizes[0] not in (None, 0, 1):
        raise ModelError(
            f"model '{model}' was exported for batches of {sizes[0]}: export it for one input, or any"
        )
    open_sizes = [n for n in sizes[1:] if not n]
    if open_sizes and shape is None:
        told = ",".join(str(n or "?") for n in sizes[1:])
        raise ModelError(
            f"model '{model}' leaves the shape of its input open ({told}): "
            "give it without the batch, as --shape 3,96,96"
        )
    wanted = tuple(int(n) for n in shape) if shape is not None else tuple(n or 0 for n in sizes[1:])
    if len(wanted) != len(sizes) - 1 or any(n and n != w for n, w in zip(sizes[1:], wanted, strict=True)):
        raise ModelError(f"model '{model}' takes {sizes[1:]} without the batch, not {wanted}")
    if len(wanted) > 5 or not all(0 < n <= EXTENT_MAX for n in wanted) or prod(wanted) > ELEMENTS_MAX:
        raise ModelError(f"model '{model}': an input of shape {wanted} is too large, or empty")
    return wanted


def layout_of(nodes: Sequence[NodeProto], given: Input) -> Layout:
    """The layout of the input: followed through ops that do not care to the first one that does.

    Where none does, three axes are an image.
    """
    rank = len(given.shape)
    reached = {given.name}
    for node in nodes:
        if reached.isdisjoint(node.input[:1]):
            continue
        if node.op_type in TAKES_CHANNELS_FIRST:
            return channels_first(rank)
        if node.op_type in TAKES_CHANNELS_LAST:
            return Layout.PLAIN
        if node.op_type in MOVES_AXES:
            break
        reached.update(node.output)
    return Layout.IMAGE if rank == 3 else Layout.PLAIN
