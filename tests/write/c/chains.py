"""Integer graphs for kernels of one instruction set: chains of layers of all shape classes, on awkward grids."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from pintsize.graph import Graph, Node, Op, Tensor, TensorType
from pintsize.ops import Add, AveragePool2d, Conv2d, DepthwiseConv2d, HardSwish, Linear, MaxPool2d

LARGEST = 3000
ACTIVATIONS = st.sampled_from(["none", "relu", "relu6"])
CHANNELS = st.one_of(st.integers(1, 9), st.sampled_from([12, 16, 17, 31, 32, 48, 64, 65]))
EXTENTS = st.one_of(st.integers(1, 7), st.sampled_from([8, 11, 16, 19]))


@dataclass
class Chain:
    """A chain while it is drawn: every layer reads the one before."""

    draw: st.DrawFn
    rng: np.random.Generator
    tensors: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    last: str = "x"

    def append(
        self, op: Op, *constants: Tensor, inputs: tuple[str, ...] = (), grid: TensorType | None = None
    ) -> None:
        names = (*(inputs or (self.last,)), *(c.name for c in constants))
        self.tensors |= {c.name: c for c in constants}
        shape = op.shape([self.tensors[n].type for n in names])
        if prod(shape) > LARGEST:
            return
        self.last = f"t{len(self.nodes)}"
        zero_point = self.draw(st.sampled_from([-128, -128, -3, 0, 20, 127]))
        kind = grid or TensorType(shape, "int8", (0.05,), zero_point)
        self.tensors[self.last] = Tensor(self.last, TensorType(shape, "int8", kind.scale, kind.zero_point))
        self.nodes.append(Node(f"n{len(self.nodes)}", op, names, self.last))

    @property
    def kind(self) -> TensorType:
        return self.tensors[self.last].type

    def weights(self, shape: tuple[int, ...], axis: int, bits: int = 8) -> tuple[Tensor, Tensor]:
        """Codes with scales that bring most outputs into range; one channel in ten is dead, or far too large."""
        width = shape[axis]
        taps = prod(shape) // width
        most = {8: 127, 4: 7, 2: 1}[bits]
        codes = self.rng.integers(-most, most + 1, shape).astype(np.int8)
        sizes = self.rng.uniform(0.3, 2, width) * self.rng.choice([1, 1e-9, 30], width, p=[0.9, 0.05, 0.05])
        scale = tuple(float(s) for s in (sizes / (most * np.sqrt(taps))).astype(np.float32))
        name = f"w{len(self.nodes)}"
        bias = self.rng.integers(-5000, 5000, width).astype(np.int32)
        bias_scale = tuple(self.kind.scale[0] * s for s in scale)
        return (
            Tensor(name, TensorType(shape, f"int{bits}", scale, 0, axis), codes),  # type: ignore[arg-type]
            Tensor(f"{name}b", TensorType((width,), "int32", bias_scale, 0, 0), bias),
        )

    def window(self, largest: int = 4) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
        """A kernel, and a padding with which it fits the last tensor."""
        kernel = self.draw(st.integers(1, largest)), self.draw(st.integers(1, largest))
        low = [max(0, k - n) for k, n in zip(kernel, self.kind.shape, strict=False)]
        sides = [
            self.draw(st.integers(0, max(0, k - 1))) for k in (kernel[0], kernel[0], kernel[1], kernel[1])
        ]
        return kernel, (max(sides[0], low[0]), sides[1], max(sides[2], low[1]), sides[3])


def pair(chain: Chain, low: int, high: int) -> tuple[int, int]:
    return chain.draw(st.integers(low, high)), chain.draw(st.integers(low, high))


def add_conv2d(chain: Chain, bits: int) -> None:
    kernel, padding = chain.window()
    dilation = (1, 1) if chain.draw(st.integers(0, 3)) or any(padding) else pair(chain, 1, 2)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(r > n for r, n in zip(reach, chain.kind.shape, strict=False)):
        dilation = (1, 1)
    stride = pair(chain, 1, 3)
    shape = (chain.draw(CHANNELS), *kernel, chain.kind.shape[2])
    op = Conv2d(stride, padding, dilation, chain.draw(ACTIVATIONS))
    chain.append(op, *chain.weights(shape, 0, bits))


def add_pointwise(chain: Chain, bits: int) -> None:
    stride = chain.draw(st.sampled_from([(1, 1), (1, 1), (2, 2), (1, 2)]))
    shape = (chain.draw(CHANNELS), 1, 1, chain.kind.shape[2])
    chain.append(Conv2d(stride, activation=chain.draw(ACTIVATIONS)), *chain.weights(shape, 0, bits))


def add_depthwise_conv2d(chain: Chain, bits: int) -> None:
    kernel, padding = chain.window(chain.draw(st.sampled_from([3, 3, 5])))
    stride, multiplier = pair(chain, 1, 2), chain.draw(st.sampled_from([1, 1, 1, 2, 5]))
    op = DepthwiseConv2d(stride, padding, (1, 1), multiplier, chain.draw(ACTIVATIONS))
    chain.append(op, *chain.weights((*kernel, chain.kind.shape[2] * multiplier), 2, bits))


def add_linear(chain: Chain, bits: int) -> None:
    shape = (chain.draw(CHANNELS), chain.kind.shape[-1])
    chain.append(Linear(chain.draw(ACTIVATIONS)), *chain.weights(shape, 0, bits))


def add_residual(chain: Chain, bits: int) -> None:
    first = chain.last
    chain.append(HardSwish())
    chain.append(Add(chain.draw(ACTIVATIONS)), inputs=chain.draw(st.permutations([first, chain.last])))


def add_pool(chain: Chain, bits: int) -> None:
    kernel, padding = chain.window(3)
    inside = tuple(min(p, k - 1) for p, k in zip(padding, (kernel[0],) * 2 + (kernel[1],) * 2, strict=True))
    op = MaxPool2d if chain.draw(st.booleans()) else AveragePool2d
    if any(k > n for k, n in zip(kernel, chain.kind.shape, strict=False)):
        return
    try:
        chain.append(op(kernel, kernel, inside), grid=chain.kind)
    except ValueError:  # a window of nothing but padding
        return


LAYERS = {
    "conv2d": add_conv2d, "pointwise": add_pointwise, "depthwise_conv2d": add_depthwise_conv2d,
    "linear": add_linear, "residual": add_residual, "pool": add_pool,
}  # fmt: skip

#: kinds of layers that go into one program
SHAPES = (("conv2d", "pointwise"), ("depthwise_conv2d", "pointwise"), ("linear", "residual", "pool"))


@st.composite
def chains(
    draw: st.DrawFn, layers: tuple[str, ...] = tuple(LAYERS), largest: int = 4, narrow: bool = False
) -> Graph:
    """A chain of 1 to `largest` layers; narrow: weights of 4 and 2 bits too."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(EXTENTS), draw(EXTENTS), draw(CHANNELS)
    assume(prod(shape) <= LARGEST)
    kind = TensorType(shape, "int8", (0.05,), draw(st.sampled_from([-128, -5, 0, 90])))
    chain = Chain(draw, rng, {"x": Tensor("x", kind)})
    for _ in range(draw(st.integers(1, largest))):
        bits = draw(st.sampled_from([8, 8, 4, 2])) if narrow else 8
        LAYERS[draw(st.sampled_from(layers))](chain, bits)
    if not chain.nodes:
        chain.append(HardSwish())
    used = {i for n in chain.nodes for i in n.inputs} | {n.output for n in chain.nodes}
    tensors = {name: t for name, t in chain.tensors.items() if name in used}
    return Graph("chain", tensors, tuple(chain.nodes), ("x",), (chain.last,))


Layers = tuple[tuple[Op, tuple[int, ...]], ...]


def a_chain(
    layers: Layers,
    shape: tuple[int, ...],
    bits: int = 8,
    zero_points: tuple[int, ...] = (-128,),
    dead: float = 0,
) -> Graph:
    """Layers one after the other, (op, weight shape) each, most outputs in range; dead: how many have no weights."""
    rng = np.random.default_rng(sum(shape) + bits)
    kind = TensorType(shape, "int8", (0.05,), 3)
    tensors, nodes = {"x": Tensor("x", kind)}, []
    most = {8: 127, 4: 7, 2: 1}[bits]
    for i, (op, of) in enumerate(layers):
        axis = 2 if op.name == "depthwise_conv2d" else 0
        width, taps = of[axis], int(np.prod(of)) // of[axis]
        codes = rng.integers(-most, most + 1, of).astype(np.int8)
        np.moveaxis(codes, axis, 0)[rng.random(width) < dead] = 0
        scale = tuple(
            float(s) for s in (rng.uniform(0.2, 1.2, width) / (most * taps**0.5)).astype(np.float32)
        )
        bias = rng.integers(-400, 400, width).astype(np.int32)
        weight = TensorType(of, f"int{bits}", scale, 0, axis)  # type: ignore[arg-type]
        grid = TensorType((width,), "int32", tuple(kind.scale[0] * s for s in scale), 0, 0)
        tensors |= {f"w{i}": Tensor(f"w{i}", weight, codes), f"b{i}": Tensor(f"b{i}", grid, bias)}
        kind = TensorType(op.shape([kind, weight, grid]), "int8", (0.06,), zero_points[i % len(zero_points)])
        tensors[f"t{i}"] = Tensor(f"t{i}", kind)
        nodes.append(Node(f"n{i}", op, (f"t{i - 1}" if i else "x", f"w{i}", f"b{i}"), f"t{i}"))
    return Graph("layers", tensors, tuple(nodes), ("x",), (nodes[-1].output,))
