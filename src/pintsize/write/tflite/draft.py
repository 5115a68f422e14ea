"""A .tflite model while a Graph is being written into it, node by node. Every shape gets the batch, 1, in front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pintsize.arithmetic import pack
from pintsize.graph import Graph, Node, TensorType
from pintsize.write.tflite.flat import Attribute, FlatOperator, FlatTensor

#: of ActivationFunctionType
ACTIVATIONS = {"none": 0, "relu": 1, "relu6": 3}
DTYPES = {"float32": "FLOAT32", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int4": "INT4"}
NUMPY_DTYPES = {"FLOAT32": "<f4", "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8"}


def with_batch(kind: TensorType) -> tuple[int, ...]:
    return (1, *kind.shape)


@dataclass
class Draft:
    """Tensors and operators so far; `indices` leads from a Graph's tensor to the file's."""

    graph: Graph
    tensors: list[FlatTensor] = field(default_factory=list)
    operators: list[FlatOperator] = field(default_factory=list)
    indices: dict[str, int] = field(default_factory=dict)

    @property
    def is_integer(self) -> bool:
        return self.graph.type(self.graph.inputs[0]).is_quantized

    def add(self, tensor: FlatTensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def activation(self, name: str) -> int:
        """The file's tensor for one of the Graph's activations."""
        if name not in self.indices:
            self.indices[name] = self.add(activation_tensor(name, self.graph.type(name)))
        return self.indices[name]

    def whole_numbers(self, name: str, values: Sequence[int] | np.ndarray) -> int:
        """A constant of int32 numbers, such as a shape."""
        data = np.asarray(values, "<i4")
        return self.add(FlatTensor(name, data.shape, "INT32", data=data.tobytes()))


def activation_tensor(name: str, kind: TensorType, shape: tuple[int, ...] | None = None) -> FlatTensor:
    full = with_batch(kind) if shape is None else shape
    return FlatTensor(name, full, DTYPES[kind.dtype], kind.scale, kind.zero_point)


@dataclass(frozen=True)
class Writing:
    """One node being written into the draft."""

    draft: Draft
    node: Node

    def type(self, position: int) -> TensorType:
        return self.draft.graph.type(self.node.inputs[position])

    @property
    def out(self) -> TensorType:
        return self.draft.graph.type(self.node.output)

    @property
    def is_integer(self) -> bool:
        return self.draft.is_integer

    def input(self, position: int = 0) -> int:
        """An activation, or a constant that stands for one (its shape gets the batch too)."""
        name = self.node.inputs[position]
        tensor = self.draft.graph.tensors[name]
        if tensor.data is None:
            return self.draft.activation(name)
        kind = tensor.type
        flat = activation_tensor(name, kind)
        return self.draft.add(replace(flat, data=tensor.data.astype(NUMPY_DTYPES[flat.dtype]).tobytes()))

    def data(self, position: int) -> np.ndarray:
        return self.draft.graph.constant(self.node.inputs[position])

    def weight(
        self, position: int, shape: tuple[int, ...] | None = None, axis: int = 0, narrow: bool = False
    ) -> int:
        """A weight as the file has it: `shape` and `axis` are the file's; 4-bit codes stay packed where `narrow`."""
        name = self.node.inputs[position]
        kind, data = self.type(position), self.data(position)
        shape = shape or kind.shape
        if kind.dtype == "float32":
            return self.draft.add(FlatTensor(name, shape, "FLOAT32", data=data.astype("<f4").tobytes()))
        if kind.dtype == "int4" and narrow and self.type(0).dtype != "int16":
            packed = pack(data.reshape(1, -1), 4).tobytes()
            return self.draft.add(FlatTensor(name, shape, "INT4", kind.scale, 0, axis, packed))
        return self.draft.add(
            FlatTensor(name, shape, "INT8", kind.scale, 0, axis, data.astype("i1").tobytes())
        )

    def bias(self, position: int, dtype: str = "") -> int:
        """A bias; 64 bits where activations are int16: only then TFLite Micro rounds once (see arithmetic.py)."""
        dtype = dtype or ("INT64" if self.type(0).dtype == "int16" else "INT32")
        name, kind, data = self.node.inputs[position], self.type(position), self.data(position)
        if kind.dtype == "float32":
            return self.draft.add(FlatTensor(name, kind.shape, "FLOAT32", data=data.astype("<f4").tobytes()))
        codes = data.astype(NUMPY_DTYPES[dtype]).tobytes()
        return self.draft.add(FlatTensor(name, kind.shape, dtype, kind.scale, 0, 0, codes))

    def between(self, suffix: str, kind: TensorType, shape: tuple[int, ...] | None = None) -> int:
        """An activation that the Graph does not have; `shape` with the batch, where it is not that of `kind`."""
        return self.draft.add(activation_tensor(f"{self.node.output}.{suffix}", kind, shape))

    def whole_numbers(self, suffix: str, values: Sequence[int] | np.ndarray) -> int:
        return self.draft.whole_numbers(f"{self.node.output}.{suffix}", values)

    def emit(
        self,
        code: str,
        inputs: Sequence[int],
        kind: str = "",
        attributes: Mapping[str, Attribute] | None = None,
        output: int | None = None,
        version: int = 1,
        intermediates: tuple[int, ...] = (),
    ) -> int:
        """An operator; it makes the node's output unless another is named."""
        made = self.draft.activation(self.node.output) if output is None else output
        operator = FlatOperator(code, tuple(inputs), (made,), kind, attributes or {}, version, intermediates)
        self.draft.operators.append(operator)
        return made

    def activation_code(self) -> int:
        return ACTIVATIONS[getattr(self.node.op, "activation", "none")]
