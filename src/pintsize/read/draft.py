"""A Graph while it is being read: nodes are added one by one, layouts change only where an op asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pintsize.deferred import torch
from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import Graph, Node, Op, Tensor, TensorType
from pintsize.ops import Reshape, Transpose
from pintsize.read.layout import Layout, channels_first


@dataclass(frozen=True)
class Value:
    """What depends on the input: the Graph's tensor, torch's shape (batch left out), the layout."""

    tensor: str
    shape: tuple[int, ...]
    layout: Layout

    @property
    def rank(self) -> int:
        return len(self.shape)


@dataclass(frozen=True)
class Constant:
    """A torch tensor that does not depend on the input, under its name in the model."""

    name: str
    data: torch.Tensor


class Draft:
    """The nodes and tensors so far."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.nodes: list[Node] = []
        self.origins: dict[str, str] = {}  # constant → its name in the user's model
        self._names: set[str] = set()
        self._wanted: dict[str, str] = {}

    def unique(self, name: str) -> str:
        """The name, with a number where it is taken already."""
        candidate, number = name, 1
        while candidate in self._names:
            number += 1
            candidate = f"{name}_{number}"
        self._names.add(candidate)
        return candidate

    def activation(self, name: str, shape: tuple[int, ...]) -> str:
        """A tensor without a producer, such as the input."""
        name = self.unique(name)
        self.tensors[name] = Tensor(name, TensorType(shape))
        return name

    def constant(self, name: str, data: np.ndarray) -> str:
        """A float32 constant; used twice with the same numbers, it is stored once."""
        data = np.array(data, np.float32, order="C")
        if not np.isfinite(data).all():
            raise ModelError(f"{name} holds NaN or inf: train the model until all its weights are finite")
        known = self.tensors.get(name)
        if known is not None and known.data is not None and np.array_equal(known.data, data):
            return name
        origin, name = name, self.unique(name)
        self.origins[name] = origin
        self.tensors[name] = Tensor(name, TensorType(data.shape), data)
        return name

    def add(self, op: Op, inputs: Sequence[str], name: str, source: str) -> str:
        """The new node's output. Raises ValueError when the inputs do not fit the op."""
        shape = op.shape([self.tensors[i].type for i in inputs])
        output = self.activation(name, shape)
        self._wanted[output] = name
        self.nodes.append(Node(output, op, tuple(inputs), output, source))
        return output

    def shape(self, tensor: str) -> tuple[int, ...]:
        return self.tensors[tensor].type.shape

    def before_reshape(self, tensor: str) -> str:
        """The tensor that a chain of reshapes began with."""
        node = next((n for n in self.nodes if n.output == tensor and isinstance(n.op, Reshape)), None)
        return tensor if node is None else self.before_reshape(node.inputs[0])

    def finish(self, name: str, input_name: str, output: str) -> Graph:
        """The Graph of the nodes that the output needs, which take the names that the others held."""
        needed, nodes = {output}, []
        for node in reversed(self.nodes):
            if node.output in needed:
                needed.update(node.inputs)
                nodes.append(node)
        tensors = {t: tensor for t, tensor in self.tensors.items() if t in needed or t == input_name}
        self._names = set(tensors) - set(self._wanted)
        names = {n.output: self.unique(self._wanted[n.output]) for n in reversed(nodes)}
        renamed = {names.get(t, t): replace(tensor, name=names.get(t, t)) for t, tensor in tensors.items()}
        kept = tuple(_renamed(n, names) for n in reversed(nodes))
        return Graph(name, renamed, kept, (input_name,), (names[output],))


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    output = names[node.output]
    return replace(node, name=output, inputs=tuple(names.get(i, i) for i in node.inputs), output=output)


@dataclass(frozen=True)
class Call:
    """One exported op: arguments by their names in torch's schema, torch's output shape (batch left out)."""

    draft: Draft
    name: str
    source: str
    arguments: Mapping[str, Any]
    shape: tuple[int, ...]

    def value(self, argument: str) -> Value:
        """An argument that must depend on the input."""
        value = self.arguments[argument]
        if not isinstance(value, Value):
            raise UnsupportedOp(f"its {argument} must be computed from the model's input")
        return value

    def weights(self, argument: str) -> tuple[str, np.ndarray]:
        """Name and numbers of an argument that must be constant."""
        constant = self.arguments[argument]
        if not isinstance(constant, Constant):
            raise UnsupportedOp(f"its {argument} must be a constant, not computed from the model's input")
        return constant.name, constant.data.detach().cpu().double().numpy()

    def weights_or(self, argument: str, default: np.ndarray) -> tuple[str, np.ndarray]:
        """As `weights`; the default, under a name of its own, where the argument is None."""
        if self.arguments[argument] is None:
            return f"{self.name}.{argument}", default
        return self.weights(argument)

    def emit(self, op: Op, *inputs: str) -> str:
        """Adds the node that does the op's work."""
        return self.draft.add(op, inputs, self.name, self.source)

    def beside(self, op: Op, *inputs: str) -> str:
        """Adds a node that the work needs around it."""
        return self.draft.add(op, inputs, f"{self.name}.{op.name}", self.source)

    def constant(self, named: tuple[str, np.ndarray]) -> str:
        return self.draft.constant(*named)

    def reshaped(self, tensor: str, shape: tuple[int, ...]) -> str:
        """The tensor in another shape: no node when it has it already, one node for a chain."""
        tensor = self.draft.before_reshape(tensor)
        before = self.draft.shape(tensor)
        if before == shape:
            return tensor
        grows = bool(before) and shape[-1] % before[-1] == 0
        if (
            not grows and before[:-1] == shape[:-2] and len(shape) > 1
        ):  # channels into heads, however many there are
            return self.beside(Reshape((*shape[:-2], -1, shape[-1])), tensor)
        return self.beside(Reshape((*shape[:-1], -1) if grows else shape), tensor)

    def permuted(self, tensor: str, axes: tuple[int, ...]) -> str:
        """The tensor with its axes in another order; a reshape where only axes of length one move."""
        before = self.draft.shape(tensor)
        long_axes = [a for a in axes if before[a] != 1]
        if long_axes == sorted(long_axes):
            return self.reshaped(tensor, tuple(before[a] for a in axes))
        return self.beside(Transpose(axes), tensor)

    def arranged(self, value: Value, layout: Layout) -> Value:
        """The same torch tensor in another layout."""
        if value.layout is layout:
            return value
        if layout is not Layout.PLAIN:
            plain = self.arranged(value, Layout.PLAIN)
            order = (1, 2, 0) if layout is Layout.IMAGE else (1, 0)
            tensor = self.permuted(plain.tensor, order)
        else:
            tensor = self.permuted(value.tensor, (2, 0, 1))
        tensor = self.reshaped(tensor, layout.graph_shape(value.shape))
        return Value(tensor, value.shape, layout)

    def channels_first(self, value: Value) -> Value:
        """As an op sees it that takes torch's first axis for channels."""
        return self.arranged(value, channels_first(value.rank))

    def result(self, tensor: str, layout: Layout) -> Value:
        """The op's output, reshaped to what torch's shape is in this layout."""
        if self.draft.shape(tensor) != layout.graph_shape(self.shape):
            tensor = self.reshaped(tensor, layout.graph_shape(self.shape))
        return Value(tensor, self.shape, layout)
