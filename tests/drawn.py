"""Random small graphs for hypothesis: chains and DAGs of all ops, awkward shapes, awkward weights, awkward grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
import torch
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from pintsize.compress.quantize import Quantize, freeze
from pintsize.graph import Graph, Node, Op, Tensor, TensorType, rebuild
from pintsize.module import GraphModule, run_float
from pintsize.ops import (
    Abs,
    Add,
    Argmax,
    AveragePool2d,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    Elu,
    Gather,
    Gelu,
    Gru,
    HardSigmoid,
    HardSwish,
    LayerNorm,
    LeakyRelu,
    Linear,
    LogSoftmax,
    Lstm,
    Matmul,
    Maximum,
    MaxPool2d,
    Mean,
    Minimum,
    Mul,
    Neg,
    Pad,
    Prelu,
    Relu,
    Relu6,
    Reshape,
    ResizeBilinear,
    ResizeNearest,
    Sigmoid,
    Slice,
    Softmax,
    Sqrt,
    Sub,
    Sum,
    Svdf,
    Tanh,
    Tile,
    Transpose,
    TransposeConv2d,
)

LARGEST = 700
ACTIVATIONS = st.sampled_from(["none", "none", "relu", "relu6"])
ELEMENTWISE = st.sampled_from([Relu(), Relu6(), HardSwish(), LeakyRelu(0.1), Sigmoid(), Tanh()])
RARE_ELEMENTWISE = st.sampled_from([Abs(), Elu(), Gelu(), Gelu(True), HardSigmoid(), Neg(), Sqrt()])
TWO_OPERANDS = st.sampled_from([Add, Mul, Sub, Minimum, Maximum])


@dataclass
class Sketch:
    """A graph while it is being drawn: every tensor so far with its shape."""

    draw: st.DrawFn
    rng: np.random.Generator
    shapes: dict[str, tuple[int, ...]]
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Tensor] = field(default_factory=dict)

    @property
    def last(self) -> str:
        return list(self.shapes)[-1]

    def add(self, op: Op, *inputs: str) -> str:
        """The new node's output; unchanged when the op does not fit or makes too much."""
        kinds = [
            self.constants[i].type if i in self.constants else TensorType(self.shapes[i]) for i in inputs
        ]
        try:
            shape = op.shape(kinds)
        except ValueError:
            return self.last
        if not 0 < prod(shape) <= LARGEST:
            return self.last
        name = f"n{len(self.nodes)}_{op.name}"
        self.nodes.append(Node(name, op, tuple(inputs), name))
        self.shapes[name] = shape
        return name

    def weights(self, shape: tuple[int, ...], axis: int) -> tuple[str, str]:
        """Names of a weight whose channels differ in size by orders of magnitude, some zero, and of its bias."""
        width = shape[axis]
        sizes = 10.0 ** self.rng.uniform(-2, 0.5, width) * (self.rng.random(width) > 0.1)
        sizes = sizes.reshape([-1 if i == axis else 1 for i in range(len(shape))])
        weight = self.rng.normal(0, 1, shape) * sizes / np.sqrt(max(1, prod(shape) / width))
        bias = self.rng.normal(0, 0.3, width) - (50.0 if self.rng.random() < 0.05 else 0.0)  # a dead layer
        names = f"w{len(self.constants)}", f"b{len(self.constants)}"
        for name, data in zip(names, (weight, bias), strict=True):
            self.constants[name] = Tensor(name, TensorType(data.shape), data.astype(np.float32))
        return names

    def numbers(self, *shapes: tuple[int, ...]) -> list[str]:
        """Names of constants of these shapes; some are large, some small, some zero."""
        names = [f"c{len(self.constants) + i}" for i in range(len(shapes))]
        for name, shape in zip(names, shapes, strict=True):
            size = 10.0 ** self.rng.uniform(-2, 0.5) * (self.rng.random() > 0.05)
            data = self.rng.normal(0, size, shape).astype(np.float32)
            self.constants[name] = Tensor(name, TensorType(shape), data)
        return names

    def images(self) -> list[str]:
        return [name for name, shape in self.shapes.items() if len(shape) == 3]

    def pick(self, names: Sequence[str]) -> str:
        """Mostly the latest."""
        return names[-1] if self.draw(st.integers(0, 3)) else self.draw(st.sampled_from(names))

    def pair(self, low: int, high: int) -> tuple[int, int]:
        return self.draw(st.integers(low, high)), self.draw(st.integers(low, high))

    def padding(self, kernel: tuple[int, int]) -> tuple[int, int, int, int]:
        return (*self.pair(0, kernel[0] - 1), *self.pair(0, kernel[1] - 1))


def draw_conv2d(s: Sketch) -> None:
    x = s.pick(s.images())
    kernel, channels = s.pair(1, 3), s.draw(st.integers(1, 9))
    op = Conv2d(s.pair(1, 2), s.padding(kernel), s.pair(1, 2), s.draw(ACTIVATIONS))
    s.add(op, x, *s.weights((channels, *kernel, s.shapes[x][-1]), 0))


def draw_depthwise_conv2d(s: Sketch) -> None:
    x = s.pick(s.images())
    kernel, multiplier = s.pair(1, 3), s.draw(st.sampled_from([1, 1, 2, 3]))
    op = DepthwiseConv2d(s.pair(1, 2), s.padding(kernel), s.pair(1, 2), multiplier, s.draw(ACTIVATIONS))
    s.add(op, x, *s.weights((*kernel, s.shapes[x][-1] * multiplier), 2))


def draw_transpose_conv2d(s: Sketch) -> None:
    x = s.pick(s.images())
    kernel, channels = s.pair(1, 4), s.draw(st.integers(1, 6))
    (top, left), (bottom, right) = s.pair(0, 1), s.pair(-1, 1)
    op = TransposeConv2d(s.pair(1, 3), (top, bottom, left, right), s.draw(ACTIVATIONS))
    s.add(op, x, *s.weights((channels, *kernel, s.shapes[x][-1]), 0))


def draw_layer_norm(s: Sketch) -> None:
    x = s.pick(list(s.shapes))
    s.add(LayerNorm(s.draw(st.sampled_from([1e-5, 0.1]))), x, *s.weights(s.shapes[x][-1:], 0))


def draw_matmul(s: Sketch) -> None:
    """Of all kinds of matrices: as they lie, transposed, one for several."""
    a = s.pick([name for name, shape in s.shapes.items() if len(shape) > 1] or list(s.shapes))
    if len(s.shapes[a]) == 1:
        a = s.add(Reshape((1, -1)), a)
    fitting = [
        (Matmul(flip_a, flip_b), b)
        for b in s.shapes
        for flip_a in (False, True)
        for flip_b in (False, True)
        if fits(Matmul(flip_a, flip_b), s.shapes[a], s.shapes[b])
    ]
    op, b = s.draw(st.sampled_from(fitting))
    s.add(op, a, b)


def fits(op: Op, *shapes: tuple[int, ...]) -> bool:
    try:
        op.shape([TensorType(shape) for shape in shapes])
    except ValueError:
        return False
    return True


def draw_recurrent(s: Sketch, kinds: Sequence[str] = ("lstm", "gru", "svdf")) -> None:
    x = s.pick(list(s.shapes))
    if len(s.shapes[x]) != 2:
        x = s.add(Reshape((prod(s.shapes[x][:-1]), s.shapes[x][-1])), x)
    channels, hidden = s.shapes[x][1], s.draw(st.integers(1, 5))
    kind = s.draw(st.sampled_from(kinds))
    if kind == "lstm":
        op = Lstm(cell_clip=s.draw(st.sampled_from([0.0, 0.5])))
        s.add(op, x, *s.numbers((hidden, 4, channels), (hidden, 4, hidden), (hidden, 4)))
    elif kind == "gru":
        op = Gru(s.draw(st.booleans()))
        s.add(op, x, *s.numbers((hidden, 3, channels), (hidden, 3, hidden), (hidden, 3), (hidden, 3)))
    else:
        rank, memory = s.pair(1, 3)
        op = Svdf(rank, s.draw(ACTIVATIONS))
        s.add(op, x, *s.numbers((hidden * rank, channels), (hidden * rank, memory), (hidden,)))


def draw_linear(s: Sketch) -> None:
    x = s.pick(list(s.shapes))
    s.add(Linear(s.draw(ACTIVATIONS)), x, *s.weights((s.draw(st.integers(1, 9)), s.shapes[x][-1]), 0))


def draw_two_operands(s: Sketch) -> None:
    """A residual, or a second operand that repeats."""
    a = s.pick(list(s.shapes))
    op = s.draw(st.sampled_from([Add, Mul]))(s.draw(ACTIVATIONS))
    if len(s.shapes[a]) == 3 and s.draw(st.booleans()):
        pooled = s.add(AveragePool2d(s.shapes[a][:2], (1, 1)), a)
        s.add(op, a, s.add(s.draw(ELEMENTWISE), pooled))
        return
    same = [name for name, shape in s.shapes.items() if shape == s.shapes[a]]
    if len(same) == 1:
        same.append(s.add(s.draw(ELEMENTWISE), a))
    s.add(op, a, s.draw(st.sampled_from(same)))


def draw_repeating_operand(s: Sketch) -> None:
    """A second operand, part of the first or a constant, that repeats along some axes."""
    a = s.pick(list(s.shapes))
    kind = s.draw(TWO_OPERANDS)
    op = kind() if kind in (Minimum, Maximum) else kind(s.draw(ACTIVATIONS))
    shape = tuple(s.draw(st.sampled_from([1, n])) for n in s.shapes[a])
    if s.draw(st.booleans()):
        (b,) = s.numbers(shape[s.draw(st.integers(0, len(shape) - 1)) :])
    else:
        b = s.add(Slice((0,) * len(shape), shape, (1,) * len(shape)), a)
    s.add(op, *s.draw(st.permutations([a, b])))


def draw_prelu(s: Sketch) -> None:
    x = s.pick(list(s.shapes))
    s.add(Prelu(), x, *s.numbers(s.draw(st.sampled_from([s.shapes[x][-1:], (1,), s.shapes[x]]))))


def draw_concat(s: Sketch) -> None:
    a = s.pick(list(s.shapes))
    if s.draw(st.booleans()):
        s.add(Sigmoid(), a)
    op = Concat(s.draw(st.integers(0, len(s.shapes[a]) - 1)))
    fitting = [name for name, shape in s.shapes.items() if fits(op, s.shapes[a], shape)]
    parts = s.draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=2))
    if s.draw(st.integers(0, 3)) == 0:
        parts += s.numbers(s.shapes[a])
    s.add(op, a, *parts)


def draw_selection(s: Sketch) -> None:
    """Part of a tensor, or more of it."""
    x = s.pick(list(s.shapes))
    shape = s.shapes[x]
    kind = s.draw(st.sampled_from(["slice", "slice", "gather", "tile"]))
    if kind == "slice":
        begin, end = ([s.draw(st.integers(-n - 1, n + 1)) for n in shape] for _ in range(2))
        stride = [s.draw(st.sampled_from([1, 1, 2, -1])) for _ in shape]
        s.add(Slice(tuple(begin), tuple(end), tuple(stride)), x)
    elif kind == "gather":
        axis = s.draw(st.integers(-1, len(shape) - 1))
        indices = s.draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=4))
        s.add(Gather(tuple(indices), axis), x)
    else:
        s.add(Tile(tuple(s.draw(st.sampled_from([1, 1, 2, 3])) for _ in shape)), x)


def draw_reduction(s: Sketch) -> None:
    x = s.pick(list(s.shapes))
    axes = st.lists(st.integers(0, len(s.shapes[x]) - 1), min_size=1, unique=True)
    keep = s.draw(st.booleans())
    if s.draw(st.integers(0, 3)):
        s.add(s.draw(st.sampled_from([Mean, Sum]))(tuple(s.draw(axes)), keep), x)
    else:
        s.add(Argmax(s.draw(axes)[0], keep), x)


def draw_resize(s: Sketch) -> None:
    kind = s.draw(st.sampled_from([ResizeNearest, ResizeBilinear]))
    way = s.draw(st.sampled_from([(False, False), (True, False), (False, True)]))
    s.add(kind(s.pair(1, 9), *way), s.pick(s.images()))


def draw_pool(s: Sketch) -> None:
    x = s.pick(s.images())
    kernel = s.pair(1, 3)
    if s.draw(st.booleans()):
        s.add(MaxPool2d(kernel, s.pair(1, 3), s.padding(kernel), s.pair(1, 2)), x)
    else:
        s.add(AveragePool2d(kernel, s.pair(1, 3), s.padding(kernel)), x)


def draw_pad(s: Sketch) -> None:
    x = s.pick(list(s.shapes))
    padding = [n for _ in range(s.draw(st.integers(1, len(s.shapes[x])))) for n in s.pair(0, 2)]
    mode = s.draw(st.sampled_from(["constant", "constant", "edge", "reflect", "symmetric"]))
    s.add(
        Pad(tuple(padding), mode, s.draw(st.sampled_from([0.0, 0.0, 0.7])) if mode == "constant" else 0.0), x
    )


def draw_layout(s: Sketch) -> None:
    x = s.pick(list(s.shapes))
    shape = s.shapes[x]
    if s.draw(st.booleans()):
        s.add(Transpose(tuple(s.draw(st.permutations(range(len(shape)))))), x)
        return
    targets = [(-1,), (1, 1, -1), (1, shape[-1], -1), (*shape[:-1], -1), (prod(shape),)]
    s.add(Reshape(s.draw(st.sampled_from(targets))), x)


def draw_elementwise(s: Sketch) -> None:
    s.add(s.draw(st.one_of(ELEMENTWISE, RARE_ELEMENTWISE)), s.pick(list(s.shapes)))


ANYWHERE: tuple[Callable[[Sketch], None], ...] = (
    draw_linear,
    draw_layer_norm,
    draw_matmul,
    draw_recurrent,
    draw_two_operands,
    draw_repeating_operand,
    draw_prelu,
    draw_concat,
    draw_selection,
    draw_reduction,
    draw_pad,
    draw_layout,
    draw_elementwise,
)
ON_IMAGES: tuple[Callable[[Sketch], None], ...] = (
    draw_conv2d,
    draw_conv2d,
    draw_depthwise_conv2d,
    draw_transpose_conv2d,
    draw_pool,
    draw_resize,
    *ANYWHERE,
)


@dataclass(frozen=True, repr=False)
class Drawn:
    """A float graph with samples (n, *input shape), and how to quantize it."""

    graph: Graph
    samples: np.ndarray
    quantize: Quantize

    def __repr__(self) -> str:
        shapes = self.graph.type
        nodes = "\n".join(
            f"  {n.output} = {n.op}{n.inputs} {shapes(n.output).shape}" for n in self.graph.nodes
        )
        return f"Drawn(x {self.graph.type('x').shape}, {self.quantize}\n{nodes}\n)"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        printer.text(repr(self))

    def module(self) -> GraphModule:
        return GraphModule(self.quantize.annotate(self.graph, self.samples))

    def integers(self) -> Graph:
        """The integer graph of the module's grids: training keeps scales as logarithms, an ulp apart."""
        return freeze(self.module().graph())


@st.composite
def input_shapes(draw: st.DrawFn) -> tuple[int, ...]:
    kind = draw(st.sampled_from(["image", "image", "image", "signal", "vector"]))
    channels = draw(st.integers(1, 5))
    if kind == "vector":
        return (draw(st.integers(1, 20)),)
    if kind == "signal":
        return 1, draw(st.integers(3, 20)), channels
    return draw(st.integers(2, 7)), draw(st.integers(1, 7)), channels


@st.composite
def drawn_graphs(draw: st.DrawFn, largest: int = 8) -> Drawn:
    """A graph of about 2 to `largest` nodes; a width of its own for the weights of every layer."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(input_shapes())
    s = Sketch(draw, rng, {"x": shape})
    for _ in range(draw(st.integers(2, largest))):
        kinds = ON_IMAGES if len(s.shapes[s.last]) == 3 else ANYWHERE
        draw(st.sampled_from(kinds))(s)
    if draw(st.integers(0, 3)) == 0:
        s.add(draw(st.sampled_from([Softmax(), LogSoftmax()])), s.last)
    if not s.nodes:
        s.add(Relu(), "x")
    graph = Graph("drawn", {"x": Tensor("x", TensorType(shape))}, (), ("x",), (s.last,))
    spread = 10.0 ** draw(st.floats(-3, 3))
    samples = (rng.normal(draw(st.sampled_from([0.0, 1.0])), 1, (24, *shape)) * spread).astype(np.float32)
    graph = rebuild(graph, s.nodes, s.constants)
    assume(largest_number(graph, samples) < 1e6)  # a square of squares overflows everything
    return Drawn(graph, samples, draw(quantizations(s.nodes)))


@st.composite
def drawn_layers(draw: st.DrawFn, kind: Callable[[Sketch], None], count: int = 1) -> Graph:
    """A float graph of some layers of one kind."""
    shape = draw(input_shapes())
    assume(len(shape) == 3 or kind not in ON_IMAGES or kind in ANYWHERE)
    s = Sketch(draw, np.random.default_rng(draw(st.integers(0, 2**32 - 1))), {"x": shape})
    for _ in range(count):
        kind(s)
    assume(s.nodes)
    graph = Graph("layers", {"x": Tensor("x", TensorType(shape))}, (), ("x",), (s.last,))
    return rebuild(graph, s.nodes, s.constants)


def largest_number(graph: Graph, samples: np.ndarray) -> float:
    sizes: list[float] = []
    run_float(graph, torch.from_numpy(samples), lambda name, y: sizes.append(float(y.abs().max())))
    return max(sizes)


@st.composite
def quantizations(draw: st.DrawFn, nodes: Sequence[Node]) -> Quantize:
    bits = st.sampled_from([8, 8, 4, 2])
    layers = [n.name for n in nodes if n.op.activations == 1 and not n.op.operands]
    return Quantize(
        weight_bits=8,
        layer_bits={name: draw(bits) for name in layers},
        calibration=draw(st.sampled_from(["min_max", "percentile", "mse"])),
        equalize_layers=draw(st.booleans()),
        correct_biases=draw(st.booleans()),
    )


def random_codes(graph: Graph, count: int, seed: int = 0) -> np.ndarray:
    """Input codes (count, *shape): random ones, and two inputs of nothing but an extreme."""
    shape = graph.type(graph.inputs[0]).shape
    codes = np.random.default_rng(seed).integers(-128, 128, (count, *shape)).astype(np.int8)
    codes[0], codes[1] = -128, 127
    return codes
