"""Small graphs, by hand or drawn by hypothesis, for the tests of passes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
from hypothesis import strategies as st

from pintsize.graph import Graph, Node, Op, Tensor, TensorType
from pintsize.ops import (
    Add,
    AveragePool2d,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    HardSwish,
    Linear,
    MaxPool2d,
    Pad,
    Relu,
    Relu6,
    Reshape,
    Softmax,
    Transpose,
)

Padding = tuple[int, int, int, int]


class Sketch:
    """A graph that grows at its end: each method adds a node that reads the last one, or `source`."""

    def __init__(self, shape: tuple[int, ...], seed: int = 0) -> None:
        self.tensors = {"x": Tensor("x", TensorType(shape))}
        self.nodes: list[Node] = []
        self.last = "x"
        self.random = np.random.default_rng(seed)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensors[self.last].type.shape

    def add(self, op: Op, *others: str, source: str = "") -> str:
        inputs = (source or self.last, *others)
        name = f"{op.name}{len(self.nodes)}"
        shape = op.shape([self.tensors[i].type for i in inputs])
        self.tensors[name] = Tensor(name, TensorType(shape))
        self.nodes.append(Node(name, op, inputs, name))
        self.last = name
        return name

    def constant(self, data: np.ndarray) -> str:
        name = f"c{len(self.tensors)}"
        self.tensors[name] = Tensor(name, TensorType(data.shape), data.astype(np.float32))
        return name

    def normal(self, *shape: int) -> str:
        return self.constant(self.random.normal(size=shape))

    def conv(
        self,
        out: int = 4,
        kernel: tuple[int, int] = (3, 2),
        padding: Padding = (1, 1, 0, 1),
        source: str = "",
    ) -> str:
        padding = (0, 0, 0, 0) if kernel == (1, 1) else padding
        self.last = source or self.last
        constants = self.normal(out, *kernel, self.shape[-1]), self.normal(out)
        return self.add(Conv2d(padding=padding), *constants)

    def depthwise(self, source: str = "", padding: Padding = (1, 1, 0, 1)) -> str:
        self.last = source or self.last
        channels = self.shape[-1]
        return self.add(DepthwiseConv2d(padding=padding), self.normal(3, 2, channels), self.normal(channels))

    def linear(self, out: int = 4) -> str:
        return self.add(Linear(), self.normal(out, self.shape[-1]), self.normal(out))

    def batch_norm(self) -> str:
        channels = self.shape[-1]
        variance = self.constant(self.random.uniform(0.5, 2.0, channels))
        statistics = [self.normal(channels) for _ in range(3)]
        return self.add(BatchNorm(1e-3), *statistics, variance)

    def graph(self) -> Graph:
        return Graph("sketch", self.tensors, tuple(self.nodes), ("x",), (self.last,))


def _residual(sketch: Sketch) -> None:
    """The sum with an earlier tensor of the same shape, where there is one."""
    earlier = [n for n, t in sketch.tensors.items() if t.type.shape == sketch.shape and t.data is None]
    sketch.add(Add(), earlier[int(sketch.random.integers(len(earlier)))])


def _flatten_as_torch(sketch: Sketch) -> None:
    sketch.add(Transpose((2, 0, 1)))
    sketch.add(Reshape())


ANYWHERE: tuple[Callable[[Sketch], object], ...] = (
    lambda s: s.add(Relu()),
    lambda s: s.add(Relu6()),
    lambda s: s.add(HardSwish()),
    lambda s: s.batch_norm(),
    lambda s: s.linear(),
    lambda s: s.add(Softmax()),
    lambda s: s.add(Reshape((*s.shape[:-1], -1))),
    _residual,
)
ON_IMAGES: tuple[Callable[[Sketch], object], ...] = (
    lambda s: s.conv(),
    lambda s: s.depthwise(),
    lambda s: s.add(Pad((1, 0, 0, 1))),
    lambda s: s.add(MaxPool2d((2, 2), (1, 1), (1, 1, 1, 1))),
    lambda s: s.add(AveragePool2d((2, 2), (1, 1), (0, 1, 0, 1))),
    lambda s: s.add(Transpose((2, 0, 1))),
    lambda s: s.add(Transpose((1, 2, 0))),
    lambda s: s.add(Transpose((1, 0, 2))),
    lambda s: s.add(Reshape((1, s.shape[0] * s.shape[1], -1))),
    _flatten_as_torch,
)
ON_FEATURES: tuple[Callable[[Sketch], object], ...] = (
    lambda s: s.add(Reshape((1, prod(s.shape[:1]), 1))),
    lambda s: s.add(Reshape((1, 1, -1))),
)


@st.composite
def sketches(draw: st.DrawFn) -> Graph:
    """A graph of one to nine ops on a small image."""
    side = st.integers(1, 5)
    sketch = Sketch((draw(side), draw(side), draw(side)), seed=draw(st.integers(0, 9)))
    for _ in range(draw(st.integers(1, 9))):
        choices = ANYWHERE + (ON_IMAGES if len(sketch.shape) == 3 else ON_FEATURES)
        step = draw(st.sampled_from(choices))
        if step in ON_IMAGES[:5] and min(sketch.shape[:2]) < 2:
            step = ON_IMAGES[2]
        step(sketch)
    return sketch.graph()
