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
    Add,
    AveragePool2d,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    HardSwish,
    LeakyRelu,
    Linear,
    MaxPool2d,
    Mul,
    Pad,
    Relu,
    Relu6,
    Reshape,
    Sigmoid,
    Softmax,
    Tanh,
    Transpose,
)

LARGEST = 700
ACTIVATIONS = st.sampled_from(["none", "none", "relu", "relu6"])
ELEMENTWISE = st.sampled_from([Relu(), Relu6(), HardSwish(), LeakyRelu(0.1), Sigmoid(), Tanh()])


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


def draw_concat(s: Sketch) -> None:
    a = s.pick(list(s.shapes))
    if s.draw(st.booleans()):
        s.add(Sigmoid(), a)
    fitting = [name for name, shape in s.shapes.items() if shape[:-1] == s.shapes[a][:-1]]
    s.add(Concat(), a, *s.draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=2)))


def draw_pool(s: Sketch) -> None:
    x = s.pick(s.images())
    kernel = s.pair(1, 3)
    if s.draw(st.booleans()):
        s.add(MaxPool2d(kernel, s.pair(1, 3), s.padding(kernel), s.pair(1, 2)), x)
    else:
        s.add(AveragePool2d(kernel, s.pair(1, 3), s.padding(kernel)), x)


def draw_pad(s: Sketch) -> None:
    s.add(Pad((*s.pair(0, 2), *s.pair(0, 2))), s.pick(s.images()))


def draw_layout(s: Sketch) -> None:
    x = s.pick(list(s.shapes))
    shape = s.shapes[x]
    if s.draw(st.booleans()):
        s.add(Transpose(tuple(s.draw(st.permutations(range(len(shape)))))), x)
        return
    targets = [(-1,), (1, 1, -1), (1, shape[-1], -1), (*shape[:-1], -1), (prod(shape),)]
    s.add(Reshape(s.draw(st.sampled_from(targets))), x)


def draw_elementwise(s: Sketch) -> None:
    s.add(s.draw(ELEMENTWISE), s.pick(list(s.shapes)))


ANYWHERE: tuple[Callable[[Sketch], None], ...] = (
    draw_linear,
    draw_two_operands,
    draw_concat,
    draw_layout,
    draw_elementwise,
)
ON_IMAGES: tuple[Callable[[Sketch], None], ...] = (
    draw_conv2d,
    draw_conv2d,
    draw_depthwise_conv2d,
    draw_pool,
    draw_pad,
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
        s.add(Softmax(), s.last)
    if not s.nodes:
        s.add(Relu(), "x")
    graph = Graph("drawn", {"x": Tensor("x", TensorType(shape))}, (), ("x",), (s.last,))
    spread = 10.0 ** draw(st.floats(-3, 3))
    samples = (rng.normal(draw(st.sampled_from([0.0, 1.0])), 1, (24, *shape)) * spread).astype(np.float32)
    graph = rebuild(graph, s.nodes, s.constants)
    assume(largest_number(graph, samples) < 1e6)  # a square of squares overflows everything
    return Drawn(graph, samples, draw(quantizations(s.nodes)))


def largest_number(graph: Graph, samples: np.ndarray) -> float:
    sizes: list[float] = []
    run_float(graph, torch.from_numpy(samples), lambda name, y: sizes.append(float(y.abs().max())))
    return max(sizes)


@st.composite
def quantizations(draw: st.DrawFn, nodes: Sequence[Node]) -> Quantize:
    bits = st.sampled_from([8, 8, 4, 2])
    layers = [n.name for n in nodes if n.op.activations == 1]
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
