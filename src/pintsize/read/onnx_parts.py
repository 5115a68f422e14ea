"""ONNX's ops that take parts of a tensor, repeat, surround or resize it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import Argmax, Gather, Pad, ResizeBilinear, ResizeNearest, Slice, Tile
from pintsize.read import torch_shapes
from pintsize.read.draft import Value
from pintsize.read.layout import Layout
from pintsize.read.onnx_call import OnnxCall, axis_of
from pintsize.read.onnx_input import EXTENT_MAX
from pintsize.read.onnx_weighted import image_of

#: outputs of one Split
PARTS_MAX = 256


def graph_rank(x: Value) -> int:
    return len(x.layout.graph_shape(x.shape))


def slice_along(call: OnnxCall, x: Value, taken: dict[int, slice]) -> Value:
    """Parts of ONNX's axes (batch counted)."""
    rank = graph_rank(x)
    bounds = [(0, n, 1) for n in x.layout.graph_shape(x.shape)]
    for axis, part in taken.items():
        bounds[x.layout.graph_axis(axis - 1)] = (part.start, part.stop, part.step)
    begin, end, stride = (tuple(b[i] for b in bounds) for i in range(3))
    if rank > 4:
        raise UnsupportedOp("parts of more than 4 axes, the batch left out, are not supported")
    return call.natural(call.call().emit(Slice(begin, end, stride), x.tensor), x.layout)


def slice_(call: OnnxCall) -> Value:
    """Slice."""
    x = call.value()
    starts, ends = call.integers(1) or [], call.integers(2) or []
    axes = (call.integers(3) if call.given(3) is not None else None) or list(range(len(starts)))
    steps = (call.integers(4) if call.given(4) is not None else None) or [1] * len(starts)
    taken: dict[int, slice] = {}
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if axis in (0, -x.rank - 1) and step == 1 and start in (0, -1) and end >= 1:
            continue  # the whole batch, which is 1
        index = axis_of(axis, x.rank)
        taken[index] = _bounds(start, end, step, x.shape[index - 1])
    return slice_along(call, x, taken) if taken else x


def _bounds(start: int, end: int, step: int, extent: int) -> slice:
    """As Python has it, with bounds that fit 32 bits."""
    if step == 0:
        raise UnsupportedOp("a step must not be 0")
    part = slice(max(-extent - 1, min(start, extent)), max(-extent - 1, min(end, extent)), step)
    return slice(part.start, part.stop, step)


def split(call: OnnxCall) -> tuple[Value, ...]:
    """Split."""
    x = call.value()
    axis = axis_of(call.integer("axis", 0), x.rank)
    extent, sizes = x.shape[axis - 1], call.integers(1, "split")
    if sizes is None:
        count = call.integer("num_outputs", call.outputs)
        if not 0 < count <= min(extent, PARTS_MAX):
            raise UnsupportedOp(f"{count} parts of {extent} numbers")
        size = -(-extent // count)
        sizes = [min(size, extent - i * size) for i in range(count)]
    if len(sizes) > PARTS_MAX or min(sizes) < 1 or sum(sizes) != extent:
        raise UnsupportedOp(f"parts of {sizes[:8]} do not make up the axis of {extent}")
    ends = np.cumsum(sizes).tolist()
    return tuple(
        slice_along(call.named(str(i)), x, {axis: slice(end - size, end, 1)})
        for i, (size, end) in enumerate(zip(sizes, ends, strict=True))
    )


def gather(call: OnnxCall) -> Value:
    """Gather of fixed indices along one axis; a single index takes the axis away."""
    x = call.value()
    axis = axis_of(call.integer("axis", 0), x.rank)
    chosen = call.known(1).data
    if chosen.ndim > 1:
        raise UnsupportedOp("indices of several axes are not supported")
    return gathered(call, x, axis, chosen)


def gathered(call: OnnxCall, x: Value, axis: int, chosen: np.ndarray) -> Value:
    """x at these indices of ONNX's axis (batch counted)."""
    extent = x.shape[axis - 1]
    if chosen.size > EXTENT_MAX:
        raise UnsupportedOp(f"{chosen.size} indices are too many")
    indices = [int(i) + extent if i < 0 else int(i) for i in chosen.reshape(-1)]
    tensor = call.call().emit(Gather(tuple(indices), x.layout.graph_axis(axis - 1)), x.tensor)
    y = call.natural(tensor, x.layout)
    if chosen.ndim == 1:
        return y
    rest = (*y.shape[: axis - 1], *y.shape[axis:])
    return torch_shapes.reshape(call.call(rest, self=y))


def tile(call: OnnxCall) -> Value:
    """Tile."""
    x, repeats = call.value(), call.integers(1) or []
    if len(repeats) != x.rank + 1 or repeats[0] != 1:
        raise UnsupportedOp(f"repeats={repeats[:8]}: one for each axis, and 1 for the batch, is allowed")
    return repeated(call, x, repeats[1:])


def expand(call: OnnxCall) -> Value:
    """Expand: axes of length one repeat."""
    x, target = call.value(), call.integers(1) or []
    shape = tuple(np.broadcast_shapes((1, *x.shape), tuple(target)))
    if len(shape) != x.rank + 1 or shape[0] != 1:
        raise UnsupportedOp(f"{(1, *x.shape)} to {shape}: no new axes, and no larger batch, are supported")
    return repeated(call, x, [m // n for n, m in zip(x.shape, shape[1:], strict=True)])


def repeated(call: OnnxCall, x: Value, repeats: Sequence[int]) -> Value:
    """x beside itself along ONNX's axes, batch left out."""
    if all(n == 1 for n in repeats):
        return x
    ordered = [1] * graph_rank(x)
    for axis, n in enumerate(repeats):
        ordered[x.layout.graph_axis(axis)] = n
    return call.natural(call.call().emit(Tile(tuple(ordered)), x.tensor), x.layout)


def pad(call: OnnxCall) -> Value:
    """Pad, given for all axes: first how much before, then how much behind."""
    x, pads = call.value(), call.integers(1) or []
    axes = call.integers(3) if call.given(3) is not None else list(range(x.rank + 1))
    if axes is None or len(pads) != 2 * len(axes):
        raise UnsupportedOp(f"pads={pads[:16]}: two numbers per axis are needed")
    sides = [(0, 0)] * graph_rank(x)
    for i, axis in enumerate(axes):
        if pads[i] or pads[i + len(axes)]:
            sides[x.layout.graph_axis(axis_of(axis, x.rank) - 1)] = pads[i], pads[i + len(axes)]
    mode = call.word("mode", "constant")
    if mode not in ("constant", "edge", "reflect") or any(n < 0 for pair in sides for n in pair):
        raise UnsupportedOp(
            f"mode {mode[:20]!r} with pads {pads[:16]}: constant, edge and reflect, no cropping"
        )
    if not any(n for pair in sides for n in pair):
        return x
    value = float(call.known(2).data.reshape(-1)[0]) if call.given(2) is not None else 0.0
    op = Pad(tuple(n for pair in sides for n in pair), mode, value)
    return call.natural(call.call().emit(op, x.tensor), x.layout)


def resize(call: OnnxCall) -> Value:
    """Resize of the spatial axes, nearest or linear."""
    x = image_of(call)
    size = _size(call, x)
    mode, where = call.word("mode", "nearest"), call.word("coordinate_transformation_mode", "half_pixel")
    if call.integer("antialias", 0) or mode not in ("nearest", "linear"):
        raise UnsupportedOp(f"mode {mode[:20]!r}: nearest and linear, without antialias, are supported")
    if where not in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"):
        raise UnsupportedOp(f"coordinate_transformation_mode={where[:30]!r} is not supported")
    height, width, _ = x.layout.graph_shape(x.shape)
    if mode == "linear":
        if where == "pytorch_half_pixel" and 1 in size and size != (height, width):
            raise UnsupportedOp("pytorch_half_pixel to a size of 1 is not supported: use half_pixel")
        op = ResizeBilinear(size, where == "align_corners", "half_pixel" in where)
        return call.natural(call.call().emit(op, x.tensor), x.layout)
    return _nearest(call, x, size, where)


def _size(call: OnnxCall, x: Value) -> tuple[int, int]:
    """(height, width) of the output."""
    if call.given(3) is not None and call.known(3).data.size:
        sizes, axes = call.integers(3) or [], call.attributes.get("axes")
        whole = _by_axis(sizes, axes, [1, *x.shape])
    else:
        scales = [float(s) for s in call.known(2).data.reshape(-1)]
        ratios = _by_axis(scales, call.attributes.get("axes"), [1.0] * (x.rank + 1))
        whole = [int(np.floor(n * s)) for n, s in zip([1, *x.shape], ratios, strict=True)]
        if any(abs(n * s - m) > 1e-3 for n, s, m in zip([1, *x.shape], ratios, whole, strict=True)):
            raise UnsupportedOp(f"scales {scales} of {(1, *x.shape)} give no whole sizes")
    if whole[0] != 1 or whole[1] != x.shape[0]:
        raise UnsupportedOp("only spatial axes can be resized")
    height, width, _ = x.layout.graph_shape((x.shape[0], *whole[2:]))
    if not (0 < height <= EXTENT_MAX and 0 < width <= EXTENT_MAX):
        raise UnsupportedOp(f"a size of {(height, width)}: 1 to {EXTENT_MAX} are allowed")
    return height, width


def _by_axis(given: list, axes: list[int] | None, default: list) -> list:  # type: ignore[type-arg]
    """Numbers for all axes, from those that are given for some."""
    if axes is None:
        axes = list(range(len(default)))
    if len(given) != len(axes):
        raise UnsupportedOp(f"{len(given)} sizes for {len(axes)} axes")
    whole = list(default)
    for axis, number in zip(axes, given, strict=True):
        whole[axis] = number
    return whole


def _nearest(call: OnnxCall, x: Value, size: tuple[int, int], where: str) -> Value:
    """As the op that takes the same pixels; where none does, rows and columns one by one."""
    extent = x.layout.graph_shape(x.shape)[:2]
    rounding = call.word("nearest_mode", "round_prefer_floor")
    wanted = [_pixels(n, m, where, rounding) for n, m in zip(extent, size, strict=True)]
    for corners, half in ((False, False), (False, True), (True, False)):
        op = ResizeNearest(size, corners, half)
        if [op.sources(n, m) for n, m in zip(extent, size, strict=True)] == wanted:
            return call.natural(call.call().emit(op, x.tensor), x.layout)
    tensor = x.tensor
    for axis, pixels in enumerate(wanted):
        tensor = call.call().emit(Gather(tuple(pixels), axis), tensor)
    return call.natural(tensor, x.layout)


#: how ONNX rounds a position to a pixel
ROUNDINGS = {
    "round_prefer_floor": lambda p: np.ceil(p - 0.5),
    "round_prefer_ceil": lambda p: np.floor(p + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _pixels(extent: int, size: int, where: str, rounding: str) -> list[int]:
    """Per output pixel along an axis the input pixel."""
    if rounding not in ROUNDINGS:
        raise UnsupportedOp(f"nearest_mode={rounding[:20]!r} is not known")
    steps = np.arange(size, dtype=np.float64)
    if where == "align_corners":
        position = steps * (extent - 1) / (size - 1) if size > 1 else steps
    elif where == "asymmetric":
        position = steps * extent / size
    else:
        position = (steps + 0.5) * extent / size - 0.5
        position = np.zeros(1) if where == "pytorch_half_pixel" and size == 1 else position
    return np.clip(ROUNDINGS[rounding](position), 0, extent - 1).astype(int).tolist()


def argmax(call: OnnxCall) -> Value:
    """ArgMax."""
    if call.integer("select_last_index", 0):
        raise UnsupportedOp("select_last_index is not supported")
    x = call.value()
    axis = axis_of(call.integer("axis", 0), x.rank)
    op: Op = Argmax(x.layout.graph_axis(axis - 1), True)
    y = call.natural(call.call().emit(op, x.tensor), x.layout)
    if call.integer("keepdims", 1):
        return y
    plain = call.call().arranged(y, Layout.PLAIN)
    shape = (*x.shape[: axis - 1], *x.shape[axis:])
    if not shape:
        raise UnsupportedOp("keepdims=0 leaves nothing but the batch: set keepdims=1")
    return torch_shapes.reshape(call.call(shape, self=plain))
