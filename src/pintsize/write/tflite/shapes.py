"""What moves numbers and keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.graph import TensorType
from pintsize.ops import (
    Concat,
    Gather,
    Pad,
    Requantize,
    Reshape,
    ResizeBilinear,
    ResizeNearest,
    Slice,
    Tile,
    Transpose,
)  # fmt: skip
from pintsize.write.tflite.draft import Writing, with_batch
from pintsize.write.tflite.flat import Attribute, FlatTensor

MIRRORS = {"reflect": 0, "symmetric": 1}


def reshape(writing: Writing) -> None:
    assert isinstance(writing.node.op, Reshape)
    reshape_to(writing, writing.input(), writing.out)


def reshape_to(writing: Writing, x: int, kind: TensorType) -> None:
    shape = with_batch(kind)
    target = writing.whole_numbers("shape", shape)
    writing.emit("RESHAPE", (x, target), "ReshapeOptions", {"NewShape": shape})


def transpose(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, Transpose)
    order = writing.whole_numbers("order", (0, *(a + 1 for a in op.axes)))
    writing.emit("TRANSPOSE", (writing.input(), order), "TransposeOptions", version=2)


def concat(writing: Writing) -> None:
    """CONCATENATION copies codes: an input on another grid than the output's is requantized before it."""
    op = writing.node.op
    assert isinstance(op, Concat)
    rank = len(writing.out.shape)
    inputs = tuple(_on_grid(writing, i) for i in range(len(writing.node.inputs)))
    attributes = {"Axis": op.axis % rank + 1, "FusedActivationFunction": 0}
    writing.emit("CONCATENATION", inputs, "ConcatenationOptions", attributes, version=2)


def _on_grid(writing: Writing, position: int) -> int:
    x, kind, out = writing.input(position), writing.type(position), writing.out
    if (kind.scale, kind.zero_point) == (out.scale, out.zero_point):
        return x
    between = writing.between(f"input{position}", replace(out, shape=kind.shape))
    return writing.emit("QUANTIZE", (x,), "QuantizeOptions", output=between, version=2)


def requantize(writing: Writing) -> None:
    """Of real numbers: nothing."""
    if not writing.is_integer:
        reshape_to(writing, writing.input(), writing.out)
        return
    x, op = writing.input(), writing.node.op
    assert isinstance(op, Requantize)
    if op.once:
        real = writing.between("real", TensorType(writing.out.shape))
        x = writing.emit("DEQUANTIZE", (x,), "DequantizeOptions", output=real, version=2)
    writing.emit("QUANTIZE", (x,), "QuantizeOptions", version=1 if op.once else 2)


def pad(writing: Writing) -> None:
    op, kind = writing.node.op, writing.type(0)
    assert isinstance(op, Pad)
    pairs = [(0, 0), *op.pairs(len(kind.shape))]
    x, amounts = writing.input(), writing.whole_numbers("paddings", np.array(pairs))
    if op.mode in MIRRORS:
        writing.emit("MIRROR_PAD", (x, amounts), "MirrorPadOptions", {"Mode": MIRRORS[op.mode]}, version=2)
    elif op.mode != "constant":
        raise UnsupportedOp(f"padding in the mode {op.mode}; .tflite has constant, {' and '.join(MIRRORS)}")
    elif op.value == 0.0:
        writing.emit("PAD", (x, amounts), "PadOptions", version=2)
    else:
        writing.emit("PADV2", (x, amounts, _value(writing, op, kind)), "PadV2Options", version=2)


def _value(writing: Writing, op: Pad, kind: TensorType) -> int:
    name = f"{writing.node.output}.value"
    if not kind.is_quantized:
        return writing.draft.add(
            FlatTensor(name, (1,), "FLOAT32", data=np.array([op.value], "<f4").tobytes())
        )
    code = op.code(kind.scale[0], kind.zero_point, kind.code_bits)
    data = np.array([code], "i1").tobytes()
    return writing.draft.add(FlatTensor(name, (1,), "INT8", kind.scale, kind.zero_point, data=data))


def gather(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, Gather)
    indices = writing.whole_numbers("indices", op.indices)
    attributes = {"Axis": op.axis % len(writing.type(0).shape) + 1}
    writing.emit("GATHER", (writing.input(), indices), "GatherOptions", attributes, version=2)


def cut(writing: Writing) -> None:
    """STRIDED_SLICE; an end before the first index, going backwards, is left open."""
    op = writing.node.op
    assert isinstance(op, Slice)
    writing.emit(*strided_slice(writing, writing.input(), op.ranges(writing.type(0).shape)))


def strided_slice(
    writing: Writing, x: int, ranges: Sequence[range]
) -> tuple[str, tuple[int, ...], str, dict[str, Attribute]]:
    """The operator that takes these indices of every axis, the batch left out, of the file's tensor x."""
    taken = [range(1), *ranges]
    parts = ("begin", [r.start for r in taken]), ("end", [max(r.stop, 0) for r in taken]), (
        "strides", [r.step for r in taken],
    )  # fmt: skip
    mask = sum(1 << i for i, r in enumerate(taken) if r.stop < 0)
    inputs = tuple(writing.whole_numbers(name, values) for name, values in parts)
    return "STRIDED_SLICE", (x, *inputs), "StridedSliceOptions", {"EndMask": mask}


def tile(writing: Writing) -> None:
    """Axis by axis a tensor beside itself: TFLite Micro has no TILE."""
    op = writing.node.op
    assert isinstance(op, Tile)
    x, shape = writing.input(), list(writing.type(0).shape)
    repeated = [axis for axis, times in enumerate(op.repeats) if times > 1]
    if not repeated:
        reshape_to(writing, x, writing.out)
    for axis in repeated:
        shape[axis] *= op.repeats[axis]
        last = axis == repeated[-1]
        kind = replace(writing.out, shape=tuple(shape))
        attributes = {"Axis": axis + 1, "FusedActivationFunction": 0}
        made = None if last else writing.between(f"axis{axis}", kind)
        inputs = (x,) * op.repeats[axis]
        x = writing.emit("CONCATENATION", inputs, "ConcatenationOptions", attributes, made, version=2)


def resize_nearest(writing: Writing) -> None:
    _resize(writing, "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")


def resize_bilinear(writing: Writing) -> None:
    _resize(writing, "RESIZE_BILINEAR", "ResizeBilinearOptions")


def _resize(writing: Writing, code: str, kind: str) -> None:
    op = writing.node.op
    assert isinstance(op, ResizeNearest | ResizeBilinear)
    attributes = {"AlignCorners": op.align_corners, "HalfPixelCenters": op.half_pixel_centers}
    size = writing.whole_numbers("size", op.size)
    writing.emit(code, (writing.input(), size), kind, attributes, version=3)
