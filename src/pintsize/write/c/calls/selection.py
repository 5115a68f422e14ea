"""Portable calls of what takes numbers from a tensor: slices, gathers, copies side by side."""

from __future__ import annotations

from functools import reduce
from math import prod

import numpy as np

from pintsize.graph import Graph, Node
from pintsize.ops import Gather, Slice, Tile
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, c_call


def four(numbers: tuple[int, ...], missing: int = 1) -> tuple[int, ...]:
    """One number per axis, for four axes: `missing` for those in front."""
    return (missing,) * (4 - len(numbers)) + numbers


def slice_(graph: Graph, node: Node) -> Call:
    """Runs of neighbours where the last axes are taken in one piece, single numbers elsewhere."""
    assert isinstance(node.op, Slice)
    before = graph.type(node.inputs[0]).shape
    taken = node.op.ranges(before)
    steps = [prod(before[axis + 1 :]) for axis in range(len(before))]
    offset = sum(r.start * step for r, step in zip(taken, steps, strict=True))
    x = f"x0 + {offset}" if offset else "x0"
    extents = four(tuple(len(r) for r in taken))
    strides = four(tuple(r.step * step for r, step in zip(taken, steps, strict=True)), 0)
    if extents[-1] > 1 and strides[-1] != 1:
        return Call((c_call("transpose", x, "y", *extents, *strides),), (), ("transpose",))
    *outer, run = extents
    outer_strides = list(strides[:-1])
    distance = distance_of_runs(_runs(outer, outer_strides, offset), run)
    while outer and (outer[-1] == 1 or outer_strides[-1] == run):
        longer = run * outer[-1]
        longer_distance = distance_of_runs(_runs(outer[:-1], outer_strides[:-1], offset), longer)
        if longer_distance > max(distance, 0):
            break  # long runs that cannot share memory with what they are copied from are no gain
        run, distance, outer, outer_strides = longer, longer_distance, outer[:-1], outer_strides[:-1]
    missing = 3 - len(outer)
    call = c_call("slice_runs", x, "y", *[1] * missing, *outer, run, *[0] * missing, *outer_strides)
    return Call((call,), (), ("slice",), Needs(distances=(distance,)))


def _runs(extents: list[int], strides: list[int], offset: int = 0) -> np.ndarray:
    """Where the runs begin that a kernel copies one after the other."""
    steps = [np.arange(n) * s for n, s in zip(extents, strides, strict=True)]
    return offset + reduce(np.add.outer, steps, np.zeros((), np.int64)).reshape(-1)


def distance_of_runs(starts: np.ndarray, run: int) -> int:
    """By how much an input begins after the output at least where runs are copied from these places in order.

    So nothing is written over what is still to be read, nor a run over a part of itself.
    """
    lowest_left = np.minimum.accumulate(starts[::-1])[::-1]
    return int((run * np.arange(1, len(starts) + 1) - lowest_left).max())


def gather(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Gather)
    before = graph.type(node.inputs[0]).shape
    axis = node.op.axis % len(before)
    indices = Constant("indices", "int16_t", np.array(node.op.indices))
    outer, inner = prod(before[:axis]), prod(before[axis + 1 :])
    call = c_call("gather", "x0", "y", "{indices}", outer, before[axis], len(node.op.indices), inner)
    starts = np.add.outer(np.arange(outer) * before[axis], indices.data).reshape(-1) * inner
    return Call((call,), (indices,), ("gather",), Needs(distances=(distance_of_runs(starts, inner),)))


def tile(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Tile)
    before = graph.type(node.inputs[0]).shape
    call = c_call("tile", "x0", "y", *four(before), *four(node.op.repeats))
    return Call((call,), (), ("tile",))
