"""Operators that take parts of a tensor: SLICE, STRIDED_SLICE, SPLIT, SPLIT_V, UNPACK, GATHER."""

from __future__ import annotations

from collections.abc import Sequence

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.ops import Gather, Slice
from pintsize.read.tflite_draft import Call


def take(
    call: Call, position: int, ranges: Sequence[range], after: tuple[int, ...] | None = None, output: int = 0
) -> None:
    """The indices `ranges` of every axis of input `position`, as shape `after` (unless it follows)."""
    full = call.full_shape(position)
    if any(not len(r) for r in ranges):
        raise ModelError(f"{call.place} takes nothing of {full}")
    shape = tuple(len(r) for r in ranges)
    x, left_out = call.along(call.activation(position), full, [])
    if left_out and len(ranges[0]) != 1:
        raise ModelError(f"{call.place}: a batch of {len(ranges[0])}")
    op = _slice(ranges[left_out:], full[left_out:])
    if all(r == range(n) for r, n in zip(ranges, full, strict=True)):
        call.same_numbers(x, after or shape, output)
        return
    call.emit(op, x, full=after or shape, position=output)


def _slice(ranges: Sequence[range], shape: Sequence[int]) -> Slice:
    """An end before the first index, going backwards, counts from the end."""
    ends = tuple(r.stop if r.stop >= 0 else -n - 1 for r, n in zip(ranges, shape, strict=True))
    return Slice(tuple(r.start for r in ranges), ends, tuple(r.step for r in ranges))


def cut(call: Call) -> None:
    """SLICE: begin and size; -1 is the rest."""
    full, begin, size = call.full_shape(), call.whole_numbers(1), call.whole_numbers(2)
    if not len(begin) == len(size) == len(full):
        raise ModelError(f"{call.place}: begin {begin} and size {size} for {full}")
    ranges: list[range] = []
    for n, start, length in zip(full, begin, size, strict=True):
        stop = n if length == -1 else start + length
        if not 0 <= start < stop <= n:
            raise ModelError(f"{call.place}: begin {begin} and size {size} lead out of {full}")
        ranges.append(range(start, stop))
    take(call, 0, ranges)


def strided_slice(call: Call) -> None:
    take(call, 0, *strided_ranges(call))


def strided_ranges(call: Call) -> tuple[list[range], tuple[int, ...]]:
    """Indices of every axis, and the shape after. Raises UnsupportedOp for an ellipsis or a new axis."""
    full = call.full_shape()
    begin, end, strides = (call.whole_numbers(i) for i in (1, 2, 3))
    if call.option("EllipsisMask") or call.option("NewAxisMask"):
        raise UnsupportedOp("an ellipsis or a new axis; begin, end and shrink masks are read")
    if not len(begin) == len(end) == len(strides) <= len(full) or 0 in strides:
        raise ModelError(f"{call.place}: begin {begin}, end {end}, strides {strides} for {full}")
    opens, closes, shrinks = (call.option(n) for n in ("BeginMask", "EndMask", "ShrinkAxisMask"))
    ranges, after = [range(n) for n in full], list(full)
    for axis, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        bit, n = 1 << axis, full[axis]
        if shrinks & bit:
            if not -n <= first < n:
                raise ModelError(f"{call.place}: index {first} of {n}")
            ranges[axis] = range(first % n, first % n + 1)
        else:
            part = slice(None if opens & bit else first, None if closes & bit else last, step)
            ranges[axis] = range(*part.indices(n))
        after[axis] = len(ranges[axis])
    kept = tuple(n for axis, n in enumerate(after) if not shrinks & (1 << axis))
    return ranges, kept


def split(call: Call) -> None:
    """SPLIT: the axis comes first, all parts are alike."""
    full, parts = call.full_shape(1), len(call.operator.outputs)
    axis = call.one_axis(call.whole_number(0), len(full))
    if not parts or full[axis] % parts:
        raise ModelError(f"{call.place}: {full[axis]} in {parts} parts")
    _split(call, 1, axis, [full[axis] // parts] * parts)


def split_v(call: Call) -> None:
    """SPLIT_V: parts of their own sizes; one may be -1."""
    full, sizes = call.full_shape(), list(call.whole_numbers(1))
    axis = call.one_axis(call.whole_number(2), len(full))
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = full[axis] - sum(sizes) - 1
    if min(sizes, default=0) < 1 or sum(sizes) != full[axis] or len(sizes) != len(call.operator.outputs):
        raise ModelError(f"{call.place}: {full[axis]} in parts of {sizes}")
    _split(call, 0, axis, sizes)


def _split(call: Call, position: int, axis: int, sizes: Sequence[int]) -> None:
    full, start = call.full_shape(position), 0
    for output, size in enumerate(sizes):
        ranges = [range(n) for n in full]
        ranges[axis] = range(start, start + size)
        take(call, position, ranges, output=output)
        start += size


def unpack(call: Call) -> None:
    """One output for each index of an axis, without the axis."""
    full = call.full_shape()
    axis = call.one_axis(call.option("Axis"), len(full))
    if len(call.operator.outputs) != full[axis]:
        raise ModelError(f"{call.place}: {len(call.operator.outputs)} outputs for {full[axis]} indices")
    for output in range(full[axis]):
        ranges = [range(n) for n in full]
        ranges[axis] = range(output, output + 1)
        take(call, 0, ranges, (*full[:axis], *full[axis + 1 :]), output)


def gather(call: Call) -> None:
    full, indices = call.full_shape(), call.numbers(1)
    axis = call.one_axis(call.option("Axis"), len(full))
    if call.option("BatchDims") or indices.dtype.kind != "i":
        raise UnsupportedOp("batched or computed indices; constant ones along one axis are read")
    chosen = tuple(int(i) for i in indices.reshape(-1))
    x, left_out = call.along(call.activation(), full, [axis])
    call.emit(Gather(chosen, axis - left_out), x, full=(*full[:axis], *indices.shape, *full[axis + 1 :]))
