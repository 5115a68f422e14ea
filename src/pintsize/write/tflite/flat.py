"""A .tflite flatbuffer from plain data: tensors, operators, and their attributes by the schema's names.

The same data gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from pintsize.errors import MissingExtra

SCHEMA_VERSION = 3
MARK = b"TFL3"
#: bytes; the schema asks for it, and TFLite Micro reads weights where they lie
BUFFER_ALIGNMENT = 16
LARGEST_OLD_CODE = 127


@dataclass(frozen=True, eq=False)
class FlatTensor:
    """One tensor; `data` are a constant's bytes. `dtype` is the schema's name, such as ``INT8``.

    `signature`: the shape with -1 where it is open; left out where it is not.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_point: int = 0
    axis: int = 0
    data: bytes | None = None
    is_variable: bool = False
    signature: tuple[int, ...] = ()


Attribute = int | float | bool | Sequence[int]


@dataclass(frozen=True, eq=False)
class FlatOperator:
    """One operator: `code` such as ``CONV_2D``, tensors by index (-1: left out), attributes by the schema's names."""

    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kind: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    version: int = 1
    intermediates: tuple[int, ...] = ()


def flatbuffer(
    tensors: Sequence[FlatTensor],
    operators: Sequence[FlatOperator],
    inputs: Sequence[int],
    outputs: Sequence[int],
    description: str,
) -> bytes:
    """The file. Raises MissingExtra when the schema's bindings are not installed."""
    return _Writer().model(tensors, operators, inputs, outputs, description)


class _Writer:
    """Builds the flatbuffer from its leaves to its root, as flatbuffers are built."""

    def __init__(self) -> None:
        try:
            self.builder: Any = import_module("flatbuffers").Builder(1024)
            self.schema = import_module("tflite")
        except ModuleNotFoundError as error:
            raise MissingExtra("tflite", "tflite") from error

    def model(
        self,
        tensors: Sequence[FlatTensor],
        operators: Sequence[FlatOperator],
        inputs: Sequence[int],
        outputs: Sequence[int],
        description: str,
    ) -> bytes:
        constants = [t for t in tensors if t.data is not None]
        order = {id(t): i + 1 for i, t in enumerate(constants)}  # buffer 0 is the empty one
        kinds = sorted({(o.code, o.version) for o in operators})
        buffers = [self.buffer(b"")] + [self.buffer(t.data or b"") for t in constants]
        codes = [self.operator_code(*kind) for kind in kinds]
        made = [self.tensor(t, order.get(id(t), 0)) for t in tensors]
        done = [self.operator(o, kinds.index((o.code, o.version))) for o in operators]
        name = self.builder.CreateString("main")
        vectors = {
            "Tensors": self.offsets(made), "Inputs": self.numbers(inputs), "Outputs": self.numbers(outputs),
            "Operators": self.offsets(done), "Name": name,
        }  # fmt: skip
        graph = self.table("SubGraph", vectors)
        fields = {
            "Version": SCHEMA_VERSION, "OperatorCodes": self.offsets(codes), "Subgraphs": self.offsets([graph]),
            "Description": self.builder.CreateString(description), "Buffers": self.offsets(buffers),
        }  # fmt: skip
        self.builder.Finish(self.table("Model", fields), MARK)
        return bytes(self.builder.Output())

    def table(self, kind: str, fields: Mapping[str, Any]) -> int:
        """A table of the schema, its vectors already written."""
        module = import_module(f"tflite.{kind}")
        getattr(module, f"{kind}Start")(self.builder)
        for name, value in fields.items():
            getattr(module, f"{kind}Add{name}")(self.builder, value)
        return getattr(module, f"{kind}End")(self.builder)

    def offsets(self, values: Sequence[int]) -> int:
        return self._vector(4, values, self.builder.PrependUOffsetTRelative)

    def numbers(self, values: Sequence[int]) -> int:
        return self._vector(4, values, self.builder.PrependInt32)

    def _vector(self, width: int, values: Sequence[Any], prepend: Callable[[Any], None]) -> int:
        self.builder.StartVector(width, len(values), width)
        for value in reversed(values):
            prepend(value)
        return self.builder.EndVector()

    def buffer(self, data: bytes) -> int:
        if not data:
            return self.table("Buffer", {})
        self.builder.StartVector(1, len(data), BUFFER_ALIGNMENT)
        self.builder.head -= len(data)
        self.builder.Bytes[self.builder.head : self.builder.head + len(data)] = data
        return self.table("Buffer", {"Data": self.builder.EndVector()})

    def operator_code(self, code: str, version: int) -> int:
        number = getattr(self.schema.BuiltinOperator, code)
        old = min(number, LARGEST_OLD_CODE)
        return self.table(
            "OperatorCode", {"DeprecatedBuiltinCode": old, "Version": version, "BuiltinCode": number}
        )

    def tensor(self, tensor: FlatTensor, buffer: int) -> int:
        fields: dict[str, Any] = {
            "Shape": self.numbers(tensor.shape),
            "Type": getattr(self.schema.TensorType, tensor.dtype),
            "Buffer": buffer,
            "Name": self.builder.CreateString(tensor.name),
        }
        if tensor.scales:
            fields["Quantization"] = self.quantization(tensor)
        if tensor.signature:
            fields["ShapeSignature"] = self.numbers(tensor.signature)
        if tensor.is_variable:
            fields["IsVariable"] = True
        return self.table("Tensor", fields)

    def quantization(self, tensor: FlatTensor) -> int:
        zero_points = [tensor.zero_point] * len(tensor.scales)
        scales = [float(np.float32(s)) for s in tensor.scales]
        fields = {
            "Scale": self._vector(4, scales, self.builder.PrependFloat32),
            "ZeroPoint": self._vector(8, zero_points, self.builder.PrependInt64),
            "QuantizedDimension": tensor.axis,
        }
        return self.table("QuantizationParameters", fields)

    def operator(self, operator: FlatOperator, code: int) -> int:
        fields: dict[str, Any] = {
            "OpcodeIndex": code,
            "Inputs": self.numbers(operator.inputs),
            "Outputs": self.numbers(operator.outputs),
        }
        if operator.intermediates:
            fields["Intermediates"] = self.numbers(operator.intermediates)
        if operator.kind:
            values = {
                k: v if isinstance(v, int | float) else self.numbers(v)
                for k, v in operator.attributes.items()
            }
            fields["BuiltinOptionsType"] = getattr(self.schema.BuiltinOptions, operator.kind)
            fields["BuiltinOptions"] = self.table(operator.kind, values)
        return self.table("Operator", fields)
