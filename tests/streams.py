"""Random graphs over time for hypothesis, and what their streams must equal: windows cut from the signal, run anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph, Tensor, TensorType, rebuild
from pintsize.integers import run_integers
from pintsize.ops import (
    Add,
    AveragePool2d,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    Gru,
    LayerNorm,
    Linear,
    Lstm,
    MaxPool2d,
    Mean,
    Mul,
    Pad,
    Reshape,
    Slice,
    Softmax,
    Sum,
    Svdf,
    Transpose,
)
from pintsize.ops.slice import OPEN
from pintsize.passes.streaming import Streamed
from tests.drawn import ACTIVATIONS, ELEMENTWISE, Drawn, Sketch

Draw = Callable[[Sketch], None]


def integers(graph: Graph, seed: int = 0) -> Graph:
    """The graph quantized with weights of 8 bits."""
    samples = np.random.default_rng(seed).normal(0, 1, (12, *graph.type("x").shape)).astype(np.float32)
    return Drawn(graph, samples, Quantize(weight_bits=8)).integers()


def sketched(s: Sketch, name: str = "stream") -> Graph:
    shape = s.shapes["x"]
    graph = Graph(name, {"x": Tensor("x", TensorType(shape))}, (), ("x",), (s.last,))
    return rebuild(graph, s.nodes, s.constants)


def latest(s: Sketch) -> str:
    """The last tensor that has time."""
    return s.last


def draw_conv(s: Sketch, padded: bool) -> None:
    """Over time, along the width of (1, T, C) or the height of (T, F, C)."""
    x = latest(s)
    height, _, channels = s.shapes[x]
    taps, dilation = s.draw(st.integers(1, 3)), s.draw(st.integers(1, 3))
    stride = s.draw(st.sampled_from([1, 1, 1, 2]))
    reach = dilation * (taps - 1)
    around = s.draw(st.sampled_from([(reach, 0), (reach // 2, reach - reach // 2)])) if padded else (0, 0)
    if height == 1:
        kernel, padding = (1, taps), (0, 0, *around)
        pairs = (1, stride), (1, dilation)
    else:
        kernel, padding = (taps, s.draw(st.integers(1, 2))), (*around, 0, 0)
        pairs = (stride, 1), (dilation, 1)
    activation = s.draw(ACTIVATIONS)
    if s.draw(st.booleans()):
        shape = (s.draw(st.integers(1, 5)), *kernel, channels)
        s.add(Conv2d(pairs[0], padding, pairs[1], activation), x, *s.weights(shape, 0))
    else:
        op = DepthwiseConv2d(pairs[0], padding, pairs[1], 1, activation)
        s.add(op, x, *s.weights((*kernel, channels), 2))


def draw_pool(s: Sketch, padded: bool) -> None:
    x = latest(s)
    size, stride = s.draw(st.integers(1, 3)), s.draw(st.sampled_from([1, 1, 2]))
    before = s.draw(st.integers(0, size - 1)) if padded else 0
    along = s.shapes[x][0] == 1
    kernel, strides = ((1, size), (1, stride)) if along else ((size, 1), (stride, 1))
    padding = (0, 0, before, 0) if along else (before, 0, 0, 0)
    s.add(s.draw(st.sampled_from([MaxPool2d, AveragePool2d]))(kernel, strides, padding), x)


def draw_pointwise(s: Sketch, padded: bool) -> None:
    x = latest(s)
    kind = s.draw(st.sampled_from(["linear", "linear", "function", "norm", "constant"]))
    if kind == "linear":
        s.add(Linear(s.draw(ACTIVATIONS)), x, *s.weights((s.draw(st.integers(1, 5)), s.shapes[x][-1]), 0))
    elif kind == "function":
        s.add(s.draw(ELEMENTWISE), x)
    elif kind == "norm":
        s.add(LayerNorm(), x, *s.weights(s.shapes[x][-1:], 0))
    else:
        s.add(s.draw(st.sampled_from([Add, Mul]))(), x, *s.numbers(s.shapes[x][-1:]))


def draw_branch(s: Sketch, padded: bool) -> None:
    """A tensor beside what a layer makes of it, cut to the same columns."""
    x = latest(s)
    axis = 1 if s.shapes[x][0] == 1 else 0
    draw_conv(s, padded) if s.draw(st.booleans()) else draw_pointwise(s, padded)
    y = latest(s)
    columns, more = s.shapes[y][axis], s.shapes[x][axis] - s.shapes[y][axis]
    if (
        y == x
        or more < 0
        or columns * 2 <= s.shapes[x][axis]
        or s.shapes[x][1 - axis] != s.shapes[y][1 - axis]
    ):
        return  # a stride: the branches have other rates
    first = s.draw(st.integers(0, more))
    if more:
        begin, end = [0, 0], [OPEN, OPEN]
        begin[axis], end[axis] = first, first - more or OPEN
        x = s.add(Slice(tuple(begin), tuple(end), (1, 1)), x)
    if s.shapes[x] == s.shapes[y] and s.draw(st.booleans()):
        s.add(Add(s.draw(ACTIVATIONS)), x, y)
    else:
        s.add(Concat(), *s.draw(st.permutations([x, y])))


def draw_cut(s: Sketch, padded: bool) -> None:
    x = latest(s)
    axis = 1 if s.shapes[x][0] == 1 else 0
    begin, end, stride = [0, 0], [OPEN, OPEN], [1, 1]
    begin[axis], stride[axis] = s.draw(st.integers(0, 2)), s.draw(st.sampled_from([1, 1, 2]))
    end[axis] = -s.draw(st.integers(0, 2)) or OPEN
    s.add(Slice(tuple(begin), tuple(end), tuple(stride)), x)


def draw_pad(s: Sketch, padded: bool) -> None:
    if padded:
        along = s.shapes[latest(s)][0] == 1
        before, after = s.pair(0, 2)
        s.add(Pad((0, 0, before, after) if along else (before, after)), latest(s))


def draw_sequence(s: Sketch, padded: bool) -> None:
    """A filter over the channels of (T, C), between two reshapes."""
    height, _, channels = s.shapes[latest(s)]
    if height != 1:
        return
    x = s.add(Reshape((-1, channels)), latest(s))
    units, rank, memory = s.draw(st.integers(1, 3)), *s.pair(1, 3)
    op = Svdf(rank, s.draw(ACTIVATIONS))
    s.add(op, x, *s.numbers((units * rank, channels), (units * rank, memory), (units,)))
    s.add(Reshape((1, -1, s.shapes[latest(s)][-1])), latest(s))


LAYERS: tuple[Callable[[Sketch, bool], None], ...] = (
    draw_conv, draw_conv, draw_pool, draw_pointwise, draw_branch, draw_branch, draw_cut, draw_pad, draw_sequence,
)  # fmt: skip


def draw_head(s: Sketch) -> None:
    """What makes one answer of the window; or none, and the answer goes on in time."""
    x = latest(s)
    shape = s.shapes[x]
    kinds = ["pool", "mean", "sum", "flat", "last", "turned", "none", "none"]
    kind = s.draw(st.sampled_from(kinds))
    if kind == "pool":
        x = s.add(s.draw(st.sampled_from([AveragePool2d, MaxPool2d]))(shape[:2], (1, 1)), x)
    elif kind in ("mean", "sum"):
        x = s.add((Mean if kind == "mean" else Sum)((0, 1)), x)
    elif kind == "flat":
        x = s.add(Reshape((-1,)), x)
    elif kind == "last":
        axis = 1 if shape[0] == 1 else 0
        begin, end = [0, 0], [OPEN, OPEN]
        begin[axis], end[axis] = shape[axis] - 1, shape[axis]
        x = s.add(Slice(tuple(begin), tuple(end), (1, 1)), x)
    elif kind == "turned":
        x = s.add(Reshape((-1,)), s.add(Transpose((2, 0, 1)), x))
    x = s.add(Linear(), x, *s.weights((s.draw(st.integers(1, 4)), s.shapes[x][-1]), 0))
    if s.draw(st.booleans()):
        s.add(Softmax(), x)


@st.composite
def graphs_over_time(draw: st.DrawFn, padded: bool, layers: int = 4, head: bool = True) -> Graph:
    """An integer graph of a window (1, T, C) or (T, F, C)."""
    columns, channels = draw(st.integers(8, 24)), draw(st.integers(1, 3))
    shape = draw(st.sampled_from([(1, columns, channels), (1, columns, channels), (columns, 3, channels)]))
    s = Sketch(draw, np.random.default_rng(draw(st.integers(0, 2**32 - 1))), {"x": shape})
    for _ in range(draw(st.integers(1, layers))):
        draw(st.sampled_from(LAYERS))(s, padded and draw(st.booleans()))
    if head:
        draw_head(s)
    elif not s.nodes:
        draw_pointwise(s, False)
    return integers(sketched(s))


def frames_with_a_pool() -> Graph:
    """Frames (16, 3, 2), a convolution over time and frequency, the mean of all, a classifier."""
    s = Sketch(None, np.random.default_rng(4), {"x": (16, 3, 2)})  # type: ignore[arg-type]
    h = s.add(Conv2d((1, 1), (0, 0, 0, 1), (2, 1)), "x", *s.weights((5, 3, 2, 2), 0))
    h = s.add(AveragePool2d(s.shapes[h][:2], (1, 1)), h)
    s.add(Linear(), h, *s.weights((3, 5), 0))
    return integers(sketched(s, "frames"))


def recurrent(s: Sketch, x: str) -> str:
    channels, hidden = s.shapes[x][1], s.draw(st.integers(1, 4))
    if s.draw(st.booleans()):
        return s.add(Lstm(), x, *s.numbers((hidden, 4, channels), (hidden, 4, hidden), (hidden, 4)))
    op = Gru(s.draw(st.booleans()))
    return s.add(op, x, *s.numbers((hidden, 3, channels), (hidden, 3, hidden), (hidden, 3), (hidden, 3)))


@st.composite
def recurrent_graphs(draw: st.DrawFn) -> Graph:
    """Layers without padding, then one or two recurrent ones; the output has time."""
    columns, channels = draw(st.integers(10, 20)), draw(st.integers(1, 3))
    s = Sketch(draw, np.random.default_rng(draw(st.integers(0, 2**32 - 1))), {"x": (1, columns, channels)})
    for _ in range(draw(st.integers(0, 2))):
        draw(st.sampled_from([draw_conv, draw_pool, draw_pointwise]))(s, False)
    x = s.add(Reshape((-1, s.shapes[latest(s)][-1])), latest(s))
    for _ in range(draw(st.integers(1, 2))):
        x = recurrent(s, x)
    s.add(Linear(), x, *s.weights((2, s.shapes[x][-1]), 0))
    return integers(sketched(s))


def time_of(graph: Graph) -> int:
    """The axis of the input along which time goes in these graphs."""
    shape = graph.type("x").shape
    return 1 if len(shape) == 3 and shape[0] == 1 else 0


def signal_of(graph: Graph, columns: int, seed: int = 0) -> np.ndarray:
    """Random codes of so many columns: the input's shape but for time."""
    shape = list(graph.type("x").shape)
    shape[time_of(graph)] = columns
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


def after_silence(graph: Graph, signal: np.ndarray, columns: int) -> np.ndarray:
    """The signal behind so many columns of the input's real number 0; fewer than none: without its first ones."""
    axis = time_of(graph)
    if columns < 0:
        return signal.take(range(-columns, signal.shape[axis]), axis)
    shape = list(signal.shape)
    shape[axis] = columns
    silence = np.full(shape, graph.type("x").zero_point, np.int8)
    return np.concatenate([silence, signal], axis)


def steps_of(graph: Graph, signal: np.ndarray, hop: int) -> np.ndarray:
    """(steps, …): the signal in pieces of `hop` columns."""
    axis = time_of(graph)
    return np.stack(np.split(signal, signal.shape[axis] // hop, axis))


def run_windows(graph: Graph, signal: np.ndarray, stream: Streamed) -> np.ndarray:
    """What every step must give: the window that ends with it, cut from the signal behind silence and run anew."""
    axis = time_of(graph)
    known = after_silence(graph, signal, stream.window)
    ends = range(stream.window + stream.hop, known.shape[axis] + 1, stream.hop)
    outputs = run_integers(graph, np.stack([known.take(range(e - stream.window, e), axis) for e in ends]))
    if stream.output_columns is None or stream.output_axis is None:
        return outputs
    return outputs.take(range(*stream.output_columns), stream.output_axis + 1)


def run_around(graph: Graph, signal: np.ndarray, stream: Streamed) -> np.ndarray:
    """What every step must give where no edge shows: columns of one run over all of the signal and much around it.

    The output must have time.
    """
    axis, hop = time_of(graph), stream.hop
    before = stream.window + stream.delay + hop * (6 * stream.window // hop)
    behind = signal_of(graph, 2 * stream.window, 2)
    known = after_silence(graph, np.concatenate([signal, behind], axis), before)
    whole = run_integers(of_length(graph, known.shape[axis]), known[None])[0]
    assert stream.output_columns is not None
    assert stream.output_axis is not None
    low, high = stream.output_columns
    rate = hop // (high - low)
    begins = [before + (m + 1) * hop - stream.window - stream.delay for m in range(signal.shape[axis] // hop)]
    return np.stack(
        [whole.take(range(b // rate + low, b // rate + high), stream.output_axis) for b in begins]
    )


def of_length(graph: Graph, columns: int) -> Graph:
    """The same graph for a window of so many columns."""
    axis = time_of(graph)
    x = graph.tensors["x"]
    shape = (*x.type.shape[:axis], columns, *x.type.shape[axis + 1 :])
    tensors = {**graph.tensors, "x": replace(x, type=replace(x.type, shape=shape))}
    for node in graph.nodes:
        out = tensors[node.output]
        made = node.op.shape([tensors[i].type for i in node.inputs])
        tensors[node.output] = replace(out, type=replace(out.type, shape=made))
    return replace(graph, tensors=tensors)
