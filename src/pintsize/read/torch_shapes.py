"""Ops of torch that move, join or rename axes; softmax, which looks along one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pintsize.errors import UnsupportedOp
from pintsize.ops import Concat, LogSoftmax, Softmax, Transpose
from pintsize.read.draft import Call, Value
from pintsize.read.layout import Layout, channels_first


def without_batch(dim: int, rank: int) -> int:
    """torch's dim (batch counted) as an axis (batch left out) of a tensor with `rank` axes."""
    axis = (dim if dim >= 0 else dim + rank + 1) - 1
    if axis < 0:
        raise UnsupportedOp("it works along the batch: each input must be computed by itself")
    return axis


def reshape(call: Call) -> Value:
    """flatten, view, reshape, squeeze, unsqueeze, unflatten: torch's output shape says all."""
    x = call.value("self")
    layout = channels_first(len(call.shape))
    keeps_channels = (
        x.layout is not Layout.PLAIN and layout is not Layout.PLAIN and call.shape[0] == x.shape[0]
    )
    if not keeps_channels:
        x, layout = call.arranged(x, Layout.PLAIN), Layout.PLAIN
    return call.result(x.tensor, layout)


def permute(call: Call) -> Value:
    """aten.permute."""
    x = call.value("self")
    return _in_order(
        call, x, [without_batch(d, x.rank) for d in _batch_first(call.arguments["dims"], x.rank)]
    )


def _batch_first(dims: Sequence[int], rank: int) -> list[int]:
    if dims[0] % (rank + 1) != 0:
        raise UnsupportedOp("it moves the batch, which must stay first")
    return [int(d) for d in dims[1:]]


def transpose(call: Call) -> Value:
    """aten.transpose, aten.swapaxes."""
    x = call.value("self")
    names = ("dim0", "dim1") if "dim0" in call.arguments else ("axis0", "axis1")
    a, b = (without_batch(call.arguments[n], x.rank) for n in names)
    order = list(range(x.rank))
    order[a], order[b] = order[b], order[a]
    return _in_order(call, x, order)


def _in_order(call: Call, x: Value, order: list[int]) -> Value:
    """x with torch's axes in another order: only a change of layout where that says the same."""
    if order == list(range(x.rank)):
        return x
    if x.layout is Layout.IMAGE and order == [1, 2, 0]:
        return Value(x.tensor, call.shape, Layout.PLAIN)
    if x.layout is Layout.PLAIN and order == [2, 0, 1]:
        return Value(x.tensor, call.shape, Layout.IMAGE)
    if x.layout is Layout.SIGNAL:
        return call.result(x.tensor, Layout.PLAIN)
    if x.rank == 2:
        return call.result(x.tensor, Layout.SIGNAL)
    tensor = call.permuted(x.tensor, tuple(x.layout.graph_axis(a) for a in order))
    return Value(tensor, call.shape, Layout.PLAIN)


def along_last(call: Call, values: Sequence[Value], dim: int, work: Callable[[list[str]], str]) -> Value:
    """Work along one of torch's dims, done along the Graph's last axis and moved back where it is another."""
    first = values[0]
    axis = first.layout.graph_axis(without_batch(dim, first.rank))
    rank = len(first.layout.graph_shape(first.shape))
    order = list(range(rank))
    order[axis], order[-1] = order[-1], order[axis]
    if axis == rank - 1:
        return Value(work([v.tensor for v in values]), call.shape, first.layout)
    moved = work([call.beside(Transpose(tuple(order)), v.tensor) for v in values])
    return Value(call.beside(Transpose(tuple(order)), moved), call.shape, first.layout)


def concat(call: Call) -> Value:
    """aten.cat."""
    parts = call.arguments["tensors"]
    if not all(isinstance(p, Value) for p in parts):
        raise UnsupportedOp("it joins a constant: all parts must be computed from the model's input")
    layout = next((p.layout for p in parts if p.layout is not Layout.PLAIN), Layout.PLAIN)
    values = [call.arranged(p, layout) for p in parts]
    axis = layout.graph_axis(without_batch(call.arguments["dim"], values[0].rank))
    last = len(layout.graph_shape(values[0].shape)) - 1
    tensor = call.emit(Concat(-1 if axis == last else axis), *[v.tensor for v in values])
    return Value(tensor, call.shape, layout)


def softmax(call: Call) -> Value:
    """aten.softmax."""
    return along_last(call, [call.value("self")], call.arguments["dim"], lambda x: call.emit(Softmax(), *x))


def log_softmax(call: Call) -> Value:
    """aten.log_softmax."""
    return along_last(
        call, [call.value("self")], call.arguments["dim"], lambda x: call.emit(LogSoftmax(), *x)
    )
