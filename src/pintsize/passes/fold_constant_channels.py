"""Removes channels whose integers are the same for every input, and adds what they contributed to the next biases.

Trained and quantized networks have them: a channel that died has weights so small, or a bias so large, that no input
moves its codes. The interval of every channel's codes follows from the weights (interval arithmetic, from all codes at
the input); rounding is monotone, so an interval of one code is a proof. The outputs stay the same, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pintsize.arithmetic import Bounds, multiply, quantize_multiplier
from pintsize.graph import Graph, Node, Tensor
from pintsize.ops import AveragePool2d, Conv2d, DepthwiseConv2d, Linear, MaxPool2d, Reshape

#: channels are kept in multiples of this, which kernels like
MULTIPLE = 4


@dataclass(frozen=True)
class Interval:
    """Least and largest code of each channel: int64 (channels,)."""

    low: np.ndarray
    high: np.ndarray

    @property
    def constant(self) -> np.ndarray:
        return self.low == self.high


def fold_constant_channels(graph: Graph, multiple: int = MULTIPLE) -> Graph:
    """The integer Graph without the channels that are constant, where that changes no output."""
    intervals = channel_intervals(graph)
    for group in _groups(graph):
        graph = _without(graph, group, intervals, multiple)
    return graph


def channel_intervals(graph: Graph) -> dict[str, Interval]:
    """What codes each channel (last axis) of every int8 activation can have."""
    found: dict[str, Interval] = {}
    for name in graph.inputs:
        found[name] = _any(graph, name)
    for node in graph.nodes:
        found[node.output] = _interval(graph, node, found)
    return found


def _any(graph: Graph, name: str) -> Interval:
    channels = graph.type(name).shape[-1]
    reach = 1 << (graph.type(name).code_bits - 1)
    return Interval(np.full(channels, -reach), np.full(channels, reach - 1))


def _interval(graph: Graph, node: Node, known: dict[str, Interval]) -> Interval:
    if _is_channelwise(graph, node) and not isinstance(node.op, DepthwiseConv2d):
        return known[node.inputs[0]]
    kinds = [graph.type(n) for n in (node.inputs[0], node.output)]
    if not isinstance(node.op, Conv2d | DepthwiseConv2d | Linear) or any(k.dtype != "int8" for k in kinds):
        return _any(graph, node.output)
    return _weighted_interval(graph, node, known[node.inputs[0]])


def _weighted_interval(graph: Graph, node: Node, x: Interval) -> Interval:
    """Of a layer with weights: sums of the least, and of the largest products."""
    op = node.op
    zero_point = graph.type(node.inputs[0]).zero_point
    low, high = x.low - zero_point, x.high - zero_point
    if _pads(node):
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    w = graph.constant(node.inputs[1]).astype(np.int64)
    if isinstance(op, DepthwiseConv2d):
        low, high = (np.repeat(end, op.multiplier) for end in (low, high))
    products = w * low, w * high
    axes = (0, 1) if isinstance(op, DepthwiseConv2d) else tuple(range(1, w.ndim))
    bias = graph.constant(node.inputs[2]).astype(np.int64)
    ends = bias + np.minimum(*products).sum(axes), bias + np.maximum(*products).sum(axes)
    return Interval(*(_codes(graph, node, acc) for acc in ends))


def _codes(graph: Graph, node: Node, acc: np.ndarray) -> np.ndarray:
    """Accumulators (channels,) as the layer requantizes them."""
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    x_scale, w_scale, y_scale = (np.array(k.scale, np.float32).astype(np.float64) for k in (x, w, y))
    factors = quantize_multiplier(np.broadcast_to(x_scale * w_scale / y_scale, acc.shape))
    bounds = Bounds.of(y.scale[0], y.zero_point, activation=node.op.activation)  # type: ignore[attr-defined]
    return np.clip(multiply(acc, *factors) + bounds.zero_point, bounds.low, bounds.high)


def _pads(node: Node) -> bool:
    return isinstance(node.op, Conv2d | DepthwiseConv2d) and any(node.op.padding)


def _is_channelwise(graph: Graph, node: Node) -> bool:
    """Whether output channel i follows from input channel i alone."""
    if isinstance(node.op, Reshape):
        shape = graph.type(node.inputs[0]).shape
        return shape[-1] == graph.type(node.output).shape[-1] and np.prod(shape[:-1]) == 1
    if isinstance(node.op, DepthwiseConv2d):
        return node.op.multiplier == 1
    return isinstance(node.op, AveragePool2d | MaxPool2d)


def _groups(graph: Graph) -> list[tuple[str, ...]]:
    """Tensors whose channels live or die together, and may: made by one layer with weights, read by such layers."""
    groups: list[list[str]] = []
    for node in graph.nodes:
        if isinstance(node.op, Conv2d | Linear):
            groups.append([node.output])
        for group in groups:
            if node.inputs[0] in group and _is_channelwise(graph, node) and len(graph.activations(node)) == 1:
                group.append(node.output)
    return [tuple(g) for g in groups if _is_closed(graph, g)]


def _is_closed(graph: Graph, group: Sequence[str]) -> bool:
    readers = [n for name in group for n in graph.consumers(name)]
    known = all(n.output in group or isinstance(n.op, Conv2d | Linear) for n in readers)
    return known and not set(group) & set(graph.outputs) and all(graph.type(n).dtype == "int8" for n in group)


def _without(graph: Graph, group: tuple[str, ...], intervals: dict[str, Interval], multiple: int) -> Graph:
    gone = np.logical_and.reduce([intervals[name].constant for name in group])
    readers = [n for name in group for n in graph.consumers(name) if n.output not in group]
    for reader in readers:
        if _pads(reader):  # what is beside the border is the zero point
            gone &= intervals[reader.inputs[0]].low == graph.type(reader.inputs[0]).zero_point
    kept = _round_up(gone, multiple)
    if kept.all():
        return graph
    changed: list[Tensor] = []
    for reader in readers:
        changed += _reader_without(graph, reader, kept, intervals[reader.inputs[0]].low)
    for name in group:
        changed.append(_sliced(graph.tensors[name], kept, -1))
        maker = graph.producer(name)
        assert maker is not None
        changed += [_sliced(graph.tensors[c], kept, _channel_axis(maker, c)) for c in graph.constants(maker)]
    slim = graph.with_tensors(*changed)
    return replace(slim, nodes=tuple(_renewed(slim, node, set(group)) for node in slim.nodes))


def _round_up(gone: np.ndarray, multiple: int) -> np.ndarray:
    """Which channels stay: those that are needed, and the first others up to a multiple."""
    kept = ~gone
    missing = max(-int(kept.sum()) % multiple, multiple - int(kept.sum()))
    kept[np.flatnonzero(gone)[:missing]] = True
    return kept


def _reader_without(graph: Graph, reader: Node, kept: np.ndarray, codes: np.ndarray) -> list[Tensor]:
    """Its weights without the channels, its bias with what they contributed."""
    weight, bias = (graph.tensors[n] for n in reader.inputs[1:3])
    sums = graph.constant(weight.name).astype(np.int64).reshape(weight.type.shape[0], -1, kept.size).sum(1)
    steps = np.where(kept, 0, codes - graph.type(reader.inputs[0]).zero_point)
    total = graph.constant(bias.name).astype(np.int64) + sums @ steps
    return [_sliced(weight, kept, -1), replace(bias, data=total.astype(np.int32))]


def _channel_axis(maker: Node, constant: str) -> int:
    """Of the output's channels within a constant of their layer."""
    return -1 if isinstance(maker.op, DepthwiseConv2d) else 0


def _sliced(tensor: Tensor, kept: np.ndarray, axis: int) -> Tensor:
    """The tensor with the kept positions along an axis; scales of each of them go along."""
    kind, axis = tensor.type, axis % len(tensor.type.shape)
    shape = tuple(int(kept.sum()) if i == axis else n for i, n in enumerate(kind.shape))
    own = kind.axis == axis and len(kind.scale) > 1
    scale = tuple(s for s, stays in zip(kind.scale, kept, strict=True) if stays) if own else kind.scale
    data = None if tensor.data is None else np.compress(kept, tensor.data, axis)
    return replace(tensor, type=replace(kind, shape=shape, scale=scale), data=data)


def _renewed(graph: Graph, node: Node, group: set[str]) -> Node:
    """A reshape states its output's shape."""
    if not isinstance(node.op, Reshape) or node.output not in group:
        return node
    return replace(node, op=Reshape(graph.type(node.output).shape))
