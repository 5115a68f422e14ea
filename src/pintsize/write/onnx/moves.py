"""Ops that choose, repeat, surround or reduce along axes, in ONNX's order of axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pintsize.graph import Node
from pintsize.ops import Argmax, Gather, Mean, Pad, ResizeBilinear, ResizeNearest, Slice, Sum, Tile
from pintsize.write.onnx.draft import Draft
from pintsize.write.onnx.layout import Form

#: where height, width and channels are in (N, C, H, W)
FIRST_AXES = (2, 3, 1)
#: ONNX's names of the modes that it has
PAD_MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect"}


def onnx_axis(axis: int, rank: int, form: Form) -> int:
    """ONNX's axis of a Graph's axis (maybe negative)."""
    axis %= rank
    return FIRST_AXES[axis] if form == "first" else axis + 1


def _input(draft: Draft, node: Node) -> tuple[str, Form, tuple[int, ...]]:
    """The input in real numbers, as it lies or, if flat, in the Graph's order; its form and shape."""
    x = node.inputs[0]
    form: Form = "last" if draft.form(x) == "flat" else draft.form(x)
    return draft.real(x, form, node.name), form, draft.graph.type(x).shape


def _axes(draft: Draft, name: str, numbers: list[int]) -> str:
    return draft.constant(name, np.array(numbers, np.int64))


def pad(draft: Draft, node: Node) -> None:
    """Pad."""
    op = node.op
    assert isinstance(op, Pad)
    x, form, shape = _input(draft, node)
    if op.mode not in PAD_MODES:
        for axis, pixels in enumerate(op.sources(shape)):
            indices = _axes(draft, f"{node.name}:indices_{axis}", np.asarray(pixels).tolist())
            x = draft.add(
                "Gather", [x, indices], f"{node.name}:{axis}", axis=onnx_axis(axis, len(shape), form)
            )
            x = draft.same_codes(node.output, x, f"{node.name}:{axis}")
        draft.put(node.output, x, form)
        return
    sides = [(0, 0)] * (len(shape) + 1)
    for axis, pair in enumerate(op.pairs(len(shape))):
        sides[onnx_axis(axis, len(shape), form)] = pair
    pads = _axes(draft, f"{node.name}:pads", [*(b for b, _ in sides), *(a for _, a in sides)])
    value = draft.constant(f"{node.name}:value", np.array(op.value, np.float32))
    draft.put(
        node.output, draft.add("Pad", [x, pads, value], f"{node.output}:real", mode=PAD_MODES[op.mode]), form
    )


def slice_(draft: Draft, node: Node) -> None:
    """Slice, with bounds counted from 0."""
    op = node.op
    assert isinstance(op, Slice)
    x, form, shape = _input(draft, node)
    taken = op.ranges(shape)
    axes = [a for a, (r, n) in enumerate(zip(taken, shape, strict=True)) if r != range(n)]
    ends = [taken[a].stop if taken[a].stop >= 0 else -shape[a] - 1 for a in axes]  # -1 would be the last
    lists = {
        "starts": [taken[a].start for a in axes], "ends": ends,
        "axes": [onnx_axis(a, len(shape), form) for a in axes], "steps": [taken[a].step for a in axes],
    }  # fmt: skip
    inputs = [_axes(draft, f"{node.name}:{word}", numbers) for word, numbers in lists.items()]
    draft.put(node.output, draft.add("Slice", [x, *inputs], f"{node.output}:real"), form)


def gather(draft: Draft, node: Node) -> None:
    """Gather."""
    assert isinstance(node.op, Gather)
    x, form, shape = _input(draft, node)
    indices = _axes(draft, f"{node.name}:indices", list(node.op.indices))
    axis = onnx_axis(node.op.axis, len(shape), form)
    draft.put(node.output, draft.add("Gather", [x, indices], f"{node.output}:real", axis=axis), form)


def tile(draft: Draft, node: Node) -> None:
    """Tile."""
    assert isinstance(node.op, Tile)
    x, form, shape = _input(draft, node)
    repeats = [1] * (len(shape) + 1)
    for axis, n in enumerate(node.op.repeats):
        repeats[onnx_axis(axis, len(shape), form)] = n
    y = draft.add("Tile", [x, _axes(draft, f"{node.name}:repeats", repeats)], f"{node.output}:real")
    draft.put(node.output, y, form)


def mean(draft: Draft, node: Node) -> None:
    """GlobalAveragePool for an image's mean over height and width, else ReduceMean."""
    op = node.op
    assert isinstance(op, Mean)
    x, form, shape = _input(draft, node)
    if form == "first" and op.summed(shape) == (0, 1):
        y = draft.add("GlobalAveragePool", [x], f"{node.output}:real" if op.keep else f"{node.name}:image")
        if op.keep:
            draft.put(node.output, y, "first")
        else:
            y = draft.same_codes(node.output, y, f"{node.name}:image")
            draft.put(
                node.output,
                draft.add("Reshape", [y, draft.integers(0, shape[2])], f"{node.output}:real"),
                "last",
            )
        return
    x, form = _reducible(draft, node, op.keep)
    axes = [onnx_axis(a, len(shape), form) for a in op.summed(shape)]
    y = draft.add("ReduceMean", [x], f"{node.output}:real", axes=axes, keepdims=int(op.keep))
    draft.put(node.output, y, form)


def sum_(draft: Draft, node: Node) -> None:
    """ReduceSum."""
    op = node.op
    assert isinstance(op, Sum)
    x, form = _reducible(draft, node, op.keep)
    shape = draft.graph.type(node.inputs[0]).shape
    axes = _axes(draft, f"{node.name}:axes", [onnx_axis(a, len(shape), form) for a in op.summed(shape)])
    y = draft.add("ReduceSum", [x, axes], f"{node.output}:real", keepdims=int(op.keep))
    draft.put(node.output, y, form)


def argmax(draft: Draft, node: Node) -> None:
    """ArgMax, its indices as real numbers."""
    op = node.op
    assert isinstance(op, Argmax)
    x, form = _reducible(draft, node, op.keep)
    axis = onnx_axis(op.axis, len(draft.graph.type(node.inputs[0]).shape), form)
    index = draft.add("ArgMax", [x], f"{node.name}:index", axis=axis, keepdims=int(op.keep))
    draft.put(node.output, draft.add("Cast", [index], f"{node.output}:real", to=1), form)


def _reducible(draft: Draft, node: Node, keep: bool) -> tuple[str, Form]:
    """The input, in the Graph's order where axes disappear."""
    if keep:
        x, form, _ = _input(draft, node)
        return x, form
    return draft.real(node.inputs[0], "last", node.name), "last"


def resize(draft: Draft, node: Node) -> None:
    """Resize to a fixed size."""
    op = node.op
    assert isinstance(op, ResizeNearest | ResizeBilinear)
    x = draft.real(node.inputs[0], "first", node.name)
    where = "align_corners" if op.align_corners else "half_pixel" if op.half_pixel_centers else "asymmetric"
    attributes: dict[str, Any] = {"mode": "linear"}
    if isinstance(op, ResizeNearest):
        attributes = {
            "mode": "nearest",
            "nearest_mode": "floor" if where == "asymmetric" else "round_prefer_ceil",
        }
    channels = draft.graph.type(node.inputs[0]).shape[2]
    batch = draft.add("Shape", [x], f"{node.name}:batch", start=0, end=1)
    size = draft.add("Concat", [batch, draft.integers(channels, *op.size)], f"{node.name}:size", axis=0)
    inputs = [x, "", "", size]
    y = draft.add("Resize", inputs, f"{node.output}:real", coordinate_transformation_mode=where, **attributes)
    draft.put(node.output, y, "first")
