"""A Graph while a .tflite model is being read into it, operator by operator.

The batch, the leading extent of one, is left out of every shape: (1, 49, 10, 8) becomes (49, 10, 8). A tensor
without such an extent, (12, 64) in the middle of a model, keeps its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import DType, Graph, Node, Op, Tensor, TensorType
from pintsize.ops import Reshape
from pintsize.read.tflite_file import (
    CONSTANT_ELEMENTS_MAX,
    OPERATORS_MAX,
    FlatModel,
    FlatOperator,
    FlatTensor,
)  # fmt: skip

NAME_MAX = 80
#: dtype of the file → dtype of an activation in the Graph
ACTIVATION_DTYPES: dict[str, DType] = {"INT8": "int8", "INT16": "int16", "FLOAT32": "float32"}


def without_batch(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A Graph's shape for one of the file's."""
    if not shape:
        return (1,)
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


@dataclass
class Draft:
    """What is known so far: for each of the file's tensors its full shape, and its name in the Graph or its numbers."""

    model: FlatModel
    tensors: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    #: the file's tensor → the Graph's
    names: dict[int, str] = field(default_factory=dict)
    #: the file's tensor → its shape, batch included, once it is known
    shapes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    #: the file's tensor → numbers worked out while reading (shapes, mostly)
    folded: dict[int, np.ndarray] = field(default_factory=dict)
    #: the file's tensors that are the input in formats before the Graph's
    border: set[int] = field(default_factory=set)
    #: name → how often it was asked for
    _taken: dict[str, int] = field(default_factory=dict)
    _elements: int = 0

    @cached_property
    def readers(self) -> dict[int, set[str]]:
        """The file's tensor → the operators that read it."""
        found: dict[int, set[str]] = {}
        for operator in self.model.operators:
            for index in operator.inputs:
                found.setdefault(index, set()).add(operator.code)
        return found

    def unique(self, name: str) -> str:
        """A short printable name that is not taken yet."""
        first = name.partition(";")[0][:NAME_MAX]
        wanted = "".join(c if c.isprintable() else "_" for c in first) or "tensor"
        candidate = wanted
        while candidate in self._taken:
            self._taken[wanted] += 1
            candidate = f"{wanted}_{self._taken[wanted]}"
        self._taken[candidate] = 1
        return candidate

    def add_input(self, index: int, shape: tuple[int, ...]) -> str:
        """The Graph's input, standing for one of the file's tensors."""
        tensor = self.model.tensors[index]
        if 0 in shape:
            raise ModelError(
                f"tensor {index} ({tensor.name[:NAME_MAX]}) has the shape {shape}: it holds nothing"
            )
        name = self.unique(tensor.name)
        self.tensors[name] = Tensor(name, activation_type(tensor, without_batch(shape)))
        self.names[index], self.shapes[index] = name, shape
        return name

    def constant(self, name: str, data: np.ndarray, kind: TensorType) -> str:
        """A constant under a name of its own: two nodes never share one."""
        self._elements += data.size
        if self._elements > CONSTANT_ELEMENTS_MAX:
            raise ModelError(f"{self.model.name} uses more than {CONSTANT_ELEMENTS_MAX} weights")
        name = self.unique(name)
        self.tensors[name] = Tensor(name, kind, np.ascontiguousarray(data))
        return name

    def type(self, name: str) -> TensorType:
        return self.tensors[name].type

    def node(self, op: Op, inputs: Sequence[str], output: str, kind: TensorType, place: str) -> str:
        """A node; its output has the shape that the op says, its number format from `kind`."""
        shape = self.shape_of(op, inputs, place)
        if len(self.nodes) == OPERATORS_MAX:
            raise ModelError(f"{self.model.name} comes to more than {OPERATORS_MAX} nodes")
        name = self.unique(output)
        self.tensors[name] = Tensor(
            name, TensorType(shape, kind.dtype, kind.scale, kind.zero_point, kind.axis)
        )
        self.nodes.append(Node(name, op, tuple(inputs), name, place))
        return name

    def shape_of(self, op: Op, inputs: Sequence[str], place: str) -> tuple[int, ...]:
        """What the op makes of these tensors. Raises ModelError when they do not fit it, or nothing comes out."""
        try:
            shape = op.shape([self.type(i) for i in inputs])
        except (ValueError, IndexError, ArithmeticError) as error:
            raise ModelError(f"{place}: {error}") from error
        if 0 in shape:
            raise ModelError(f"{place} makes {shape}: nothing")
        return shape

    def finish(self, inputs: Sequence[str], outputs: Sequence[str]) -> Graph:
        """The Graph of the nodes that the outputs need."""
        needed, nodes = set(outputs), []
        for node in reversed(self.nodes):
            if node.output in needed:
                needed.update(node.inputs)
                nodes.append(node)
        tensors = {n: t for n, t in self.tensors.items() if n in needed or n in inputs}
        return Graph(self.model.name, tensors, tuple(reversed(nodes)), tuple(inputs), tuple(outputs))


def activation_type(tensor: FlatTensor, shape: tuple[int, ...]) -> TensorType:
    """The Graph's type for what is computed. Raises ModelError for a number format that activations never have."""
    if tensor.dtype not in ACTIVATION_DTYPES:
        raise ModelError(
            f"tensor {tensor.index} ({tensor.name[:NAME_MAX]}) is {tensor.dtype}; "
            f"activations may be {', '.join(ACTIVATION_DTYPES)}"
        )
    dtype = ACTIVATION_DTYPES[tensor.dtype]
    if dtype == "float32":
        return TensorType(shape)
    if len(tensor.scales) != 1 or tensor.scales[0] <= 0:
        raise ModelError(
            f"tensor {tensor.index} ({tensor.name[:NAME_MAX]}) is {tensor.dtype} and needs one positive scale; "
            f"it has {tensor.scales[:4].tolist()}"
        )
    zero_point = int(tensor.zero_points[0])
    if not -128 <= zero_point <= 127 or (dtype == "int16" and zero_point):
        raise ModelError(f"tensor {tensor.index} ({tensor.name[:NAME_MAX]}) has the zero point {zero_point}")
    return TensorType(shape, dtype, (float(tensor.scales[0]),), zero_point)


@dataclass(frozen=True)
class Call:
    """One operator being read into the draft."""

    draft: Draft
    operator: FlatOperator

    @property
    def place(self) -> str:
        return self.operator.place

    def flat(self, position: int) -> FlatTensor:
        """The file's tensor that input `position` is. Raises ModelError when it is left out."""
        if not self.has(position):
            raise ModelError(f"{self.place} needs an input {position}")
        return self.draft.model.tensors[self.operator.inputs[position]]

    def flat_output(self, position: int = 0) -> FlatTensor:
        """The file's tensor that is made. Raises ModelError when there is none."""
        if position >= len(self.operator.outputs):
            raise ModelError(f"{self.place} needs an output {position}")
        return self.draft.model.tensors[self.operator.outputs[position]]

    def has(self, position: int) -> bool:
        return position < len(self.operator.inputs) and self.operator.inputs[position] >= 0

    def option(self, name: str) -> int:
        return self.operator.options(name)

    # inputs

    def activation(self, position: int = 0) -> str:
        """The Graph's name of an input that must be computed."""
        tensor = self.flat(position)
        if tensor.index in self.draft.names:
            return self.draft.names[tensor.index]
        if self.is_constant(position):
            raise UnsupportedOp(
                f"its input {position} ({tensor.name[:NAME_MAX]}) is a constant; it must be computed"
            )
        raise ModelError(f"{self.place} reads tensor {tensor.index}, which nothing computes before it")

    def operand(self, position: int) -> str:
        """The Graph's name of an input that may be computed or constant: codes on one grid, or real numbers."""
        tensor = self.flat(position)
        if tensor.index in self.draft.names or not self.is_constant(position):
            return self.activation(position)
        numbers = self.numbers(position)
        shape = without_batch(numbers.shape)
        kind = activation_type(tensor, shape)
        if kind.is_quantized != (numbers.dtype.kind == "i"):
            raise ModelError(f"{self.place}: input {position} holds {numbers.dtype}")
        data = numbers.reshape(shape)
        return self.draft.constant(
            tensor.name, data.astype(np.float32) if not kind.is_quantized else data, kind
        )

    def is_constant(self, position: int) -> bool:
        tensor = self.flat(position)
        return tensor.index in self.draft.folded or tensor.is_constant

    def numbers(self, position: int) -> np.ndarray:
        """The numbers of an input that must be constant."""
        tensor = self.flat(position)
        found = self.draft.folded.get(tensor.index, tensor.codes)
        if found is None:
            raise UnsupportedOp(f"its input {position} ({tensor.name[:NAME_MAX]}) must be a constant")
        return found

    def whole_numbers(self, position: int) -> tuple[int, ...]:
        """A small constant of whole numbers: axes, a shape, paddings."""
        found = self.numbers(position)
        if found.dtype.kind not in "iu" or found.size > 64:
            raise ModelError(f"{self.place}: input {position} must be a few whole numbers")
        return tuple(int(n) for n in found.reshape(-1))

    def whole_number(self, position: int) -> int:
        """A constant that is one whole number."""
        found = self.whole_numbers(position)
        if len(found) != 1:
            raise ModelError(f"{self.place}: input {position} must be one number, not {found}")
        return found[0]

    def full_shape(self, position: int = 0) -> tuple[int, ...]:
        """The shape of an input as the file has it, batch included."""
        tensor = self.flat(position)
        return self.draft.shapes.get(tensor.index, tensor.shape)

    # outputs

    def out_shape(self, position: int = 0) -> tuple[int, ...] | None:
        """The declared shape of an output, batch included; None while it depends on the chosen input shape."""
        tensor = self.flat_output(position)
        return None if tensor.is_dynamic else tensor.shape

    def emit(self, op: Op, *inputs: str, full: tuple[int, ...] | None = None, position: int = 0) -> None:
        """The node that makes an output; `full` is its shape, batch included, where the op alone does not say it."""
        tensor = self.flat_output(position)
        kind = activation_type(tensor, ())
        if op.ties_types and not op.operands:
            self.require_same_grid(inputs[0], position)
        if full is not None and self.draft.shape_of(op, inputs, self.place) != without_batch(full):
            name = self.draft.node(op, inputs, f"{tensor.name.partition(';')[0]}.{op.name}", kind, self.place)
            self.bind(self.reshaped(name, without_batch(full), tensor.name), full, position)
            return
        self.bind(self.draft.node(op, inputs, tensor.name, kind, self.place), full, position)

    def beside(self, op: Op, *inputs: str, kind: TensorType | None = None) -> str:
        """A node that the work needs before the last one; its number format is its first input's unless given."""
        kind = kind or self.draft.type(inputs[0])
        return self.draft.node(
            op, inputs, f"{self.flat_output().name.partition(';')[0]}.{op.name}", kind, self.place
        )

    def bind(self, name: str, full: tuple[int, ...] | None = None, position: int = 0) -> None:
        """The Graph's tensor is this output. Raises ModelError when its shape is not what the file says."""
        tensor = self.flat_output(position)
        found = self.draft.type(name).shape
        full = full or _with_batch(found, tensor)
        if without_batch(full) != found or not _agrees(full, tensor):
            raise ModelError(f"{self.place} makes {full}; the file says {tensor.shape}")
        self.draft.names[tensor.index], self.draft.shapes[tensor.index] = name, full

    def same_numbers(self, name: str, full: tuple[int, ...], position: int = 0) -> None:
        """An output that holds an input's numbers in another shape: a reshape, or nothing where the shape is kept."""
        self.require_same_grid(name, position)
        self.bind(self.reshaped(name, without_batch(full), self.flat_output(position).name), full, position)

    def reshaped(self, name: str, shape: tuple[int, ...], output: str | None = None) -> str:
        """The tensor in another shape."""
        before = self.draft.type(name).shape
        if before == shape:
            return name
        if prod(before) != prod(shape) or 0 in shape:
            raise ModelError(f"{self.place}: {before} cannot be reshaped to {shape}")
        grows = bool(before) and shape[-1] % before[-1] == 0
        op = Reshape((*shape[:-1], -1) if grows else shape)
        return self.draft.node(op, [name], output or f"{name}.reshape", self.draft.type(name), self.place)

    def along(self, name: str, full: tuple[int, ...], axes: Sequence[int]) -> tuple[str, int]:
        """The tensor for work along axes of its full shape, and how many leading axes it leaves out.

        The batch is left out, unless the work is along it.
        """
        left_out = len(full) - len(without_batch(full)) if full else 0
        if left_out and 0 in axes:
            return self.reshaped(name, full), 0
        return name, left_out

    def one_axis(self, axis: int, rank: int) -> int:
        """An axis counted from 0. Raises ModelError when it is not there."""
        if not -rank <= axis < rank:
            raise ModelError(f"{self.place}: axis {axis} of {rank}")
        return axis % rank

    def require_same_grid(self, name: str, position: int = 0) -> None:
        """Raises ModelError unless the output has the scale and zero point of a Graph's tensor."""
        tensor = self.flat_output(position)
        before, after = self.draft.type(name), activation_type(tensor, ())
        if (before.dtype, before.scale, before.zero_point) != (after.dtype, after.scale, after.zero_point):
            raise ModelError(
                f"{self.place}: input ({before.dtype} {before.scale} {before.zero_point}) and output "
                f"({after.dtype} {after.scale} {after.zero_point}) must share one scale and zero point"
            )


def _with_batch(shape: tuple[int, ...], tensor: FlatTensor) -> tuple[int, ...]:
    return (1, *shape) if len(shape) + 1 == len(tensor.shape) else shape


def _agrees(full: tuple[int, ...], tensor: FlatTensor) -> bool:
    if tensor.is_dynamic:
        return len(full) == len(tensor.shape)
    return full == tensor.shape or (not tensor.shape and full == (1,))
