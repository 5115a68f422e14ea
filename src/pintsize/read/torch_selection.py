"""Ops of torch that take parts of a tensor, or repeat it: only codes move."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from pintsize.errors import UnsupportedOp
from pintsize.ops import Concat, Gather, Mul, Reshape, Sigmoid, Slice, Tile, Transpose
from pintsize.ops.slice import OPEN
from pintsize.read.draft import Call, Constant, Value
from pintsize.read.layout import Layout, channels_first
from pintsize.read.torch_shapes import without_batch

INDICES = (torch.int64, torch.int32)


def slice_(call: Call) -> Value:
    """aten.slice."""
    start, end, step = (call.arguments[name] for name in ("start", "end", "step"))
    x = call.value("self")
    if call.arguments["dim"] % (x.rank + 1) == 0 and start in (None, 0) and step == 1 and _is_open(end):
        return x  # the whole batch
    axis = without_batch(call.arguments["dim"], x.rank)
    return _part(
        call, x, axis, range(*slice(start, None if _is_open(end) else end, step).indices(x.shape[axis]))
    )


def _is_open(end: int | None) -> bool:
    return end is None or end >= OPEN


def narrow(call: Call) -> Value:
    """aten.narrow."""
    x = call.value("self")
    axis = without_batch(call.arguments["dim"], x.rank)
    start = int(call.arguments["start"]) % x.shape[axis]
    return _part(call, x, axis, range(start, start + int(call.arguments["length"])))


def split(call: Call) -> tuple[Value, ...]:
    """aten.split, aten.split_with_sizes, aten.chunk."""
    x = call.value("self")
    axis = without_batch(call.arguments["dim"], x.rank)
    extent = x.shape[axis]
    if "chunks" in call.arguments:
        sizes: Any = -(-extent // int(call.arguments["chunks"]))
    else:
        sizes = call.arguments.get("split_sizes") or call.arguments["split_size"]
    ends = np.cumsum(sizes).tolist() if isinstance(sizes, list | tuple) else _steps(int(sizes), extent)
    starts = [0, *ends[:-1]]
    return tuple(_part(call, x, axis, range(a, b)) for a, b in zip(starts, ends, strict=True))


def _steps(size: int, extent: int) -> list[int]:
    return [min(end, extent) for end in range(size, extent + size, size)]


def select(call: Call) -> Value:
    """aten.select: one index, and the axis goes."""
    x = call.value("self")
    axis = without_batch(call.arguments["dim"], x.rank)
    return _selected(call, x, axis, int(call.arguments["index"]) % x.shape[axis])


def unbind(call: Call) -> tuple[Value, ...]:
    """aten.unbind: all indices, one by one."""
    x = call.value("self")
    axis = without_batch(call.arguments["dim"], x.rank)
    return tuple(_selected(call, x, axis, index) for index in range(x.shape[axis]))


def index_select(call: Call) -> Value:
    """aten.index_select with constant indices."""
    x = call.value("self")
    return _gathered(call, x, without_batch(call.arguments["dim"], x.rank), _indices(call.arguments["index"]))


def index(call: Call) -> Value:
    """aten.index with constant indices along one axis."""
    given = [(dim, i) for dim, i in enumerate(call.arguments["indices"]) if i is not None]
    if len(given) != 1:
        raise UnsupportedOp("it takes indices along several axes at once: index the axes one by one")
    x, (dim, found) = call.value("self"), given[0]
    return _gathered(call, x, without_batch(dim, x.rank), _indices(found))


def flip(call: Call) -> Value:
    """aten.flip."""
    x = call.value("self")
    for dim in call.arguments["dims"]:
        axis = without_batch(dim, x.rank)
        x = _part(call, x, axis, range(x.shape[axis] - 1, -1, -1))
    return x


def repeat(call: Call) -> Value:
    """aten.repeat, aten.tile, aten.expand: as often as torch's output shape says."""
    x = call.value("self")
    if len(call.shape) != x.rank:
        raise UnsupportedOp(f"{x.shape} becomes {call.shape}: unsqueeze first, so that the axes stay as many")
    times = [after // before for before, after in zip(x.shape, call.shape, strict=True)]
    if all(n == 1 for n in times):
        return x
    by_axis = dict(zip(map(x.layout.graph_axis, range(x.rank)), times, strict=True))
    repeats = tuple(by_axis.get(a, 1) for a in range(len(x.layout.graph_shape(x.shape))))
    return Value(call.emit(Tile(repeats), x.tensor), call.shape, x.layout)


def stack(call: Call) -> Value:
    """aten.stack: a new axis, then a concat along it."""
    parts = call.arguments["tensors"]
    if not all(isinstance(p, Value) for p in parts):
        raise UnsupportedOp("it joins a constant: all parts must be computed from the model's input")
    plain = [call.arranged(p, Layout.PLAIN) for p in parts]
    axis = without_batch(call.arguments["dim"], len(call.shape))
    shape = tuple(1 if a == axis else n for a, n in enumerate(call.shape))
    tensors = [call.beside(Reshape(shape), p.tensor) for p in plain]
    return Value(call.emit(Concat(axis), *tensors), call.shape, Layout.PLAIN)


def glu(call: Call) -> Value:
    """aten.glu: the first half, gated by the second."""
    x = call.value("self")
    axis = without_batch(call.arguments["dim"], x.rank)
    half = x.shape[axis] // 2
    value, gate = (_part(call, x, axis, range(start, start + half)) for start in (0, half))
    opened = call.beside(Sigmoid(), gate.tensor)
    return Value(call.emit(Mul(), value.tensor, opened), value.shape, value.layout)


def pixel_shuffle(call: Call) -> Value:
    """aten.pixel_shuffle: channels become pixels."""
    x = call.channels_first(call.value("self"))
    if x.layout is not Layout.IMAGE:
        raise UnsupportedOp("pixel_shuffle takes an image (batch, C, H, W)")
    factor = int(call.arguments["upscale_factor"])
    (_, height, width), channels = x.shape, call.shape[0]
    # channels lie as (c, i, j); pixels want (i, j, c)
    order = np.arange(x.shape[0]).reshape(channels, factor, factor).transpose(1, 2, 0).reshape(-1)
    tensor = call.beside(Gather(tuple(order.tolist()), -1), x.tensor)
    tensor = call.beside(Reshape((height, width, factor, factor * channels)), tensor)
    tensor = call.emit(Transpose((0, 2, 1, 3)), tensor)
    return call.result(tensor, Layout.IMAGE)


def _indices(index: Any) -> tuple[int, ...]:
    if not isinstance(index, Constant) or index.data.dim() != 1 or index.data.dtype not in INDICES:
        raise UnsupportedOp("its indices must be constant whole numbers in one row")
    return tuple(int(i) for i in index.data.tolist())


def _part(call: Call, x: Value, axis: int, taken: range) -> Value:
    """Some indices along one of torch's axes."""
    if taken == range(x.shape[axis]):
        return x
    at = x.layout.graph_axis(axis)
    end = taken.stop if taken.stop >= 0 else -OPEN
    op = Slice((0,) * at + (taken.start,), (OPEN,) * at + (end,), (1,) * at + (taken.step,))
    return Value(call.emit(op, x.tensor), _with_extent(x.shape, axis, len(taken)), x.layout)


def _gathered(call: Call, x: Value, axis: int, indices: Sequence[int]) -> Value:
    extent = x.shape[axis]
    op = Gather(tuple(i % extent for i in indices), x.layout.graph_axis(axis))
    return Value(call.emit(op, x.tensor), _with_extent(x.shape, axis, len(indices)), x.layout)


def _selected(call: Call, x: Value, axis: int, index: int) -> Value:
    return without_axes(call, _part(call, x, axis, range(index, index + 1)), {axis})


def _with_extent(shape: tuple[int, ...], axis: int, extent: int) -> tuple[int, ...]:
    return (*shape[:axis], extent, *shape[axis + 1 :])


def without_axes(call: Call, x: Value, axes: Set[int]) -> Value:
    """x without some of torch's axes, which all have length one."""
    shape = tuple(n for a, n in enumerate(x.shape) if a not in axes)
    if not shape:
        raise UnsupportedOp("nothing but one number is left of each input: keep an axis")
    keeps_channels = x.layout is not Layout.PLAIN and 0 not in axes
    layout = channels_first(len(shape)) if keeps_channels else Layout.PLAIN
    return replace(call, shape=shape).result(x.tensor, layout)
