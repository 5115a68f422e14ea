"""The only form of a model after reading: nodes over typed tensors, channels last.

Shapes leave the batch out: an image is ``(height, width, channels)``, a 1-D signal is
``(1, length, channels)``, a feature vector is ``(features,)``. The last axis holds the channels.
Quantization is part of a tensor's type, ``real = scale * (q - zero_point)``, so there are no
quantize and dequantize nodes between ops.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

if TYPE_CHECKING:
    import torch

    from pintsize.arithmetic import Grid, Quantized

DType = Literal["float32", "int32", "int16", "int8", "int4", "int2"]

BITS: dict[str, int] = {"float32": 32, "int32": 32, "int16": 16, "int8": 8, "int4": 4, "int2": 2}


@dataclass(frozen=True)
class TensorType:
    """Shape (batch left out), number format and, for integers, the scale and zero point.

    ``scale`` holds one number for the whole tensor, or one per slice along ``axis``.
    """

    shape: tuple[int, ...]
    dtype: DType = "float32"
    scale: tuple[float, ...] = ()
    zero_point: int = 0
    axis: int | None = None

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes in memory; narrow weights are packed, each row of the last axis rounded up."""
        bits = BITS[self.dtype]
        if bits >= 8:
            return self.elements * bits // 8
        row = self.shape[-1] if self.shape else 1
        return self.elements // row * -(-row * bits // 8)

    @property
    def activation_bytes(self) -> int:
        """Bytes of an activation on the device; one byte a number where it is not quantized yet."""
        return self.elements * (2 if self.dtype == "int16" else 4 if self.dtype == "int32" else 1)

    @property
    def is_quantized(self) -> bool:
        return bool(self.scale)

    @property
    def code_bits(self) -> int:
        """Width of an activation's codes: 8 or 16."""
        return 16 if self.dtype == "int16" else 8


@dataclass(frozen=True, eq=False)
class Tensor:
    """A named value: an activation (``data`` is None) or a constant (``data`` in its shape).

    Integer constants hold their codes in int8, int16 or int32, also where ``type.dtype`` is narrower.
    """

    name: str
    type: TensorType
    data: np.ndarray | None = None

    @property
    def is_constant(self) -> bool:
        return self.data is not None


@dataclass(frozen=True)
class Cost:
    """What one node costs on any device: counted, not measured."""

    macs: int = 0
    weight_bytes: int = 0
    activation_bytes: int = 0


class Channels(ABC):
    """What an op asks of the pruner while channel identities flow through it.

    A channel identity is an integer per position along a tensor's last axis; positions that must
    live or die together have united identities. Where identities differ along earlier axes too (the heads of
    attention), the array has an axis for each of the tensor's last ones, of length 1 where they do not differ;
    an op gets such arrays only if it `follows_axes`.
    """

    @abstractmethod
    def new(self, count: int) -> np.ndarray:
        """`count` fresh identities: an op that mixes its inputs makes its own channels."""

    @abstractmethod
    def unite(self, a: np.ndarray, b: np.ndarray) -> None:
        """Position i of a and of b live or die together."""

    @abstractmethod
    def keep(self, ids: np.ndarray) -> None:
        """These may never be removed."""

    @abstractmethod
    def slice(self, constant: str, axis: int, ids: np.ndarray) -> None:
        """Position i along `axis` of the constant belongs to identity ids[i]."""


@dataclass(frozen=True)
class OverTime:
    """How an op's output follows its inputs along time, which is what lets it run on what is new (`Op.over_time`).

    Columns are counted along the time axis from the window's first. Output columns j·group … j·group + group - 1 come
    from columns j·stride + first … j·stride + last of every input that has a time axis; before the first and behind
    the last column lies the op's padding. So framing samples is (stride = hop, last = length - 1), a causal
    convolution (first = -(kernel - 1)·dilation), a resampler by L / M (group = L, stride = M), and what works column by
    column the default. An op that carries states is given new columns alone, but names all that its output depends on.

    axis: of time in the output; None where that says one thing about all columns first … last, and has no time.
    op: what does the same on just these columns, so without padding along time; None: the op as it is.
    endless: what the op carries never dies out, so a window that begins anew gives other numbers than the stream, as
    with a GRU; first and last are then those of one step.
    """

    axis: int | None
    stride: int = 1
    first: int = 0
    last: int = 0
    group: int = 1
    op: Op | None = None
    endless: bool = False


class Op(ABC):
    """What a node means. A subclass is a frozen dataclass whose fields are the op's attributes.

    In the meanings the tensors carry a leading batch axis; constants do not.
    """

    name: ClassVar[str]
    #: input and output must share one scale and zero point (pooling, reshape, …)
    ties_types: ClassVar[bool] = False
    #: autograd through `integer_meaning` is already the straight-through gradient
    integer_gradient: ClassVar[bool] = False
    #: elementwise: the output may overwrite an input of the same size
    in_place: ClassVar[bool] = False
    #: how many leading inputs are activations (None: all of them); the rest are constants
    activations: ClassVar[int | None] = None
    #: it has an arithmetic for int16 activations
    int16: ClassVar[bool] = False
    #: it goes from codes of any width to codes of any width
    any_width: ClassVar[bool] = False
    #: the scale of what the weights multiply, where it is not the first input's
    weighed_scale: ClassVar[float | None] = None
    #: constants among the inputs are operands: int8 codes on a grid like an activation's (one scale, a zero point);
    #: in the meanings they carry a batch axis of 1
    operands: ClassVar[bool] = False
    #: the first input holds whole numbers that count something (token ids): exact, and read by such ops alone
    takes_ids: ClassVar[bool] = False
    #: its `channels` understands identities that differ along several axes (see Channels)
    follows_axes: ClassVar[bool] = False

    @abstractmethod
    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        """The output's shape. Raises ValueError, saying what is allowed, when inputs do not fit."""

    @abstractmethod
    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """What the op computes on real numbers."""

    @abstractmethod
    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        """The integers (as a float tensor of whole numbers) that every artifact must compute."""

    @abstractmethod
    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        """Identities of the output's channels, given those of the activation inputs."""

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        """Multiply-accumulates (0 for ops that do not multiply by weights)."""
        return 0

    def largest_weighed(self, x: TensorType) -> int:
        """The largest magnitude among the whole numbers that the weights multiply, for inputs of this type."""
        if x.dtype == "int16":
            return 1 << 15
        return max(127 - x.zero_point, 128 + x.zero_point)

    def inner_factors(self, inputs: Sequence[TensorType], out: TensorType) -> Sequence[float]:
        """The largest factors by which the op requantizes within itself."""
        return ()

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        """How its output follows its inputs along time; axes: each input's time axis, None where it has none.

        Raises ValueError, saying why and what to do, where it cannot run on a part of the window.
        """
        raise ValueError(f"{self.name} looks at the whole window at once")

    def carried(self, inputs: Sequence[TensorType], out: TensorType) -> tuple[TensorType, ...]:
        """Types of the states with which it goes on from run to run, in order; they begin at the real number 0.

        An op that has some (GRU, a recursive filter) gives `carry` too, its kernel updates them in place as `state0`,
        `state1`, … where `Node.carried` names them, and begins with zeros where it does not.
        """
        return ()

    def carry(
        self, inputs: Sequence[Quantized], out: Grid, states: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """`integer_meaning` from these states' codes (n, *shape), float64, and the states that it leaves.

        Raises ValueError for an op that has none.
        """
        raise ValueError(f"{self.name} carries no states")

    def fixed_output(self) -> tuple[float, int] | None:
        """(scale, zero_point) of int8 codes where the specification fixes them, else None."""
        return None

    def fixed_output_int16(self) -> tuple[float, int] | None:
        """The same of int16 codes."""
        return None


@dataclass(frozen=True)
class Node:
    """One op applied to named tensors. `source` is the place in the user's model.

    carried: states that the op reads and leaves changed, as many as `Op.carried` says; none: it begins with zeros.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    output: str
    source: str = ""
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class State:
    """A tensor that lives from one run to the next: a ring of what was last seen, a recurrent layer's memory.

    tensor: what nodes read of it; next: the tensor that becomes its value when a run ends ("": the node that carries it
    changes it); initial: its codes after a reset, in its shape and number format.
    """

    tensor: str
    next: str
    initial: np.ndarray


@dataclass(frozen=True)
class Graph:
    """Nodes in execution order over named tensors. Never changed in place.

    With states it is a program of steps: each run takes what is new and goes on from what the last one left.
    """

    name: str
    tensors: Mapping[str, Tensor]
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    labels: tuple[str, ...] = field(default=())
    states: tuple[State, ...] = field(default=())

    def type(self, name: str) -> TensorType:
        return self.tensors[name].type

    def constant(self, name: str) -> np.ndarray:
        """The data of a constant. Raises KeyError when the tensor is an activation."""
        data = self.tensors[name].data
        if data is None:
            raise KeyError(f"{name} is an activation, not a constant")
        return data

    def activations(self, node: Node) -> tuple[str, ...]:
        """The node's inputs that are not constants."""
        return tuple(i for i in node.inputs if not self.tensors[i].is_constant)

    def constants(self, node: Node) -> tuple[str, ...]:
        return tuple(i for i in node.inputs if self.tensors[i].is_constant)

    def producer(self, name: str) -> Node | None:
        return next((n for n in self.nodes if n.output == name), None)

    def consumers(self, name: str) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if name in n.inputs)

    def cost(self, node: Node) -> Cost:
        types = [self.type(i) for i in node.inputs]
        out = self.type(node.output)
        return Cost(
            macs=node.op.macs(types, out),
            weight_bytes=sum(self.type(c).bytes for c in self.constants(node)),
            activation_bytes=sum(self.type(a).bytes for a in self.activations(node)) + out.bytes,
        )

    @property
    def state_bytes(self) -> int:
        """RAM that must keep its content between two runs."""
        return sum(self.type(s.tensor).activation_bytes for s in self.states)

    @property
    def macs(self) -> int:
        return sum(self.cost(n).macs for n in self.nodes)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants as they are stored (packed where narrow)."""
        used = {c for n in self.nodes for c in self.constants(n)}
        return sum(self.type(c).bytes for c in used)

    def with_tensors(self, *changed: Tensor) -> Graph:
        """The same graph with these tensors put in place of those of the same name."""
        return replace(self, tensors={**self.tensors, **{t.name: t for t in changed}})


def rebuild(graph: Graph, nodes: Sequence[Node], constants: Mapping[str, Tensor] | None = None) -> Graph:
    """The graph with other nodes and constants: shapes inferred anew, unused tensors dropped.

    Activation types go back to float32; quantization comes after every structural change. So do states: raises
    ValueError for a graph that has some.
    """
    if graph.states:
        raise ValueError(f"{graph.name} runs step by step already: change the graph that it was made of")
    pool = {**graph.tensors, **(constants or {})}
    tensors: dict[str, Tensor] = {i: pool[i] for i in graph.inputs}
    for node in nodes:
        for name in node.inputs:
            if name not in tensors:
                tensors[name] = pool[name]
        shape = node.op.shape([tensors[i].type for i in node.inputs])
        tensors[node.output] = Tensor(node.output, TensorType(shape))
    return replace(graph, tensors=tensors, nodes=tuple(nodes))
