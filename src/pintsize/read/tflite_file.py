"""A .tflite file as plain, checked data: its main subgraph's tensors and operators.

A flatbuffer is offsets into itself, and any of them may be wrong. Everything is looked at here, once: every vector
lies inside the file, every index names something, every shape is small enough, the buffers hold what the shapes
say. Later steps see nothing but numbers that make sense, or a ModelError was raised.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from pintsize.errors import MissingExtra, ModelError

FILE_BYTES_MAX = 2**29
TENSORS_MAX = 20_000
OPERATORS_MAX = 4096
BUFFERS_MAX = 2 * TENSORS_MAX
AXES_MAX = 8
EXTENT_MAX = 2**20
#: elements of all constants together: each is copied, and looked through in 64 bits, whenever it is used
CONSTANT_ELEMENTS_MAX = 2**25
#: elements of all activations together
ACTIVATION_ELEMENTS_MAX = 2**25
#: characters of all names, entries of all operators' inputs and outputs
TEXT_MAX = 2**24
OPERANDS_MAX = 2**20
#: what the bindings and numpy raise where an offset leads out of the file
DAMAGE = (
    struct.error, IndexError, KeyError, ValueError, TypeError, OverflowError, UnicodeDecodeError, AttributeError,
    ArithmeticError,
)  # fmt: skip
#: dtype name → numpy's, where a buffer of it can be viewed
NUMPY_TYPES = {
    "FLOAT32": "<f4", "FLOAT16": "<f2", "INT32": "<i4", "UINT8": "u1", "INT64": "<i8", "BOOL": "?", "INT16": "<i2",
    "INT8": "i1", "FLOAT64": "<f8", "UINT32": "<u4", "UINT16": "<u2",
}  # fmt: skip
MAIN = 0
EXTERNAL = 1


@dataclass(frozen=True, eq=False)
class FlatTensor:
    """One tensor: `signature` has -1 where `shape` is not fixed; `codes` is None for what is computed."""

    index: int
    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    dtype: str
    scales: np.ndarray
    zero_points: np.ndarray
    axis: int
    codes: np.ndarray | None
    is_variable: bool

    @property
    def is_constant(self) -> bool:
        return self.codes is not None

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def is_dynamic(self) -> bool:
        """Is an extent open, other than the batch in front?"""
        return any(n < 0 for n in self.signature[1:])


class Options:
    """An operator's attributes, by the names that the schema's bindings give them."""

    def __init__(self, table: Any, place: str) -> None:
        self._table = table
        self._place = place

    def __call__(self, name: str) -> Any:
        """A number. Raises ModelError when the attributes are missing or damaged."""
        if self._table is None:
            raise ModelError(f"{self._place} has no attributes; it needs {name}")
        with damage(f"{self._place}, attribute {name}"):
            return getattr(self._table, name)()

    def vector(self, name: str) -> tuple[int, ...]:
        """A vector of at most AXES_MAX numbers; empty where there is none."""
        if self._table is None:
            return ()
        with damage(f"{self._place}, attribute {name}"):
            length = getattr(self._table, f"{name}Length")()
            if length > AXES_MAX:
                raise ModelError(f"{self._place}: {name} has {length} entries; at most {AXES_MAX} are read")
            return tuple(int(getattr(self._table, name)(i)) for i in range(length))


@dataclass(frozen=True, eq=False)
class FlatOperator:
    """One operator: `code` as in the schema (``CONV_2D``), tensors by index, -1 for an input left out."""

    index: int
    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options
    place: str


@dataclass(frozen=True, eq=False)
class FlatModel:
    """The main subgraph."""

    name: str
    tensors: tuple[FlatTensor, ...]
    operators: tuple[FlatOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def parse(path_or_bytes: str | Path | bytes) -> FlatModel:
    """The file, checked. Raises ModelError saying what is wrong with it, MissingExtra without the bindings."""
    data, name = _content(path_or_bytes)
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise ModelError(f"{name} is not a .tflite file: the mark TFL3 is not at its fourth byte")
    with damage(name):
        return _Parser(data, name).model()


@contextmanager
def damage(where: str) -> Iterator[None]:
    """Turns what goes wrong on an offset out of the file into a ModelError."""
    try:
        yield
    except DAMAGE as error:
        raise ModelError(f"{where}: the file is damaged ({type(error).__name__}: {error})") from error


def bindings() -> Any:
    """The schema's bindings. Raises MissingExtra where they are not installed."""
    try:
        return import_module("tflite")
    except ModuleNotFoundError as error:
        raise MissingExtra("tflite", "tflite") from error


def enum_names(kind: str) -> dict[int, str]:
    """Number → name of one of the schema's enumerations."""
    values = vars(getattr(bindings(), kind))
    return {v: k for k, v in values.items() if isinstance(v, int) and not k.startswith("_")}


def _content(path_or_bytes: str | Path | bytes) -> tuple[bytes, str]:
    if isinstance(path_or_bytes, bytes | bytearray | memoryview):
        data, path = bytes(path_or_bytes), Path("model.tflite")
    else:
        path = Path(path_or_bytes)
        try:
            if path.stat().st_size > FILE_BYTES_MAX:
                raise ModelError(
                    f"{path.name} has {path.stat().st_size} bytes; at most {FILE_BYTES_MAX} are read"
                )
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > FILE_BYTES_MAX:
        raise ModelError(f"the file has {len(data)} bytes; at most {FILE_BYTES_MAX} are read")
    return data, path.name


@dataclass
class _Allowance:
    """How much of something a file may still ask for."""

    left: int
    what: str

    def take(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise ModelError(f"the file has too many {self.what}")


class _Parser:
    """Walks the flatbuffer once."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        self.schema = bindings()
        self.model_table = self.schema.Model.GetRootAs(data, 0)
        self.dtypes = enum_names("TensorType")
        self.options_types = enum_names("BuiltinOptions")
        self.text = _Allowance(TEXT_MAX, "characters in its names")
        self.operands = _Allowance(OPERANDS_MAX, "operands")
        self.constants = _Allowance(
            CONSTANT_ELEMENTS_MAX, f"weights (at most {CONSTANT_ELEMENTS_MAX} are read)"
        )
        self.activations = _Allowance(
            ACTIVATION_ELEMENTS_MAX,
            f"numbers in its activations (at most {ACTIVATION_ELEMENTS_MAX} are read)",
        )

    def model(self) -> FlatModel:
        table = self.model_table
        if table.Version() != 3:
            raise ModelError(f"{self.name} has schema version {table.Version()}; version 3 is read")
        if self._count(table.SubgraphsLength(), 4, 1024, "subgraphs") == 0:
            raise ModelError(f"{self.name} holds no graph")
        graph = table.Subgraphs(MAIN)
        tensors = self._tensors(graph)
        operators = self._operators(graph, tensors)
        inputs, outputs = (
            self._indices(vector, len(tensors), f"the graph's {kind}", optional=False)
            for kind, vector in (("inputs", graph.InputsAsNumpy()), ("outputs", graph.OutputsAsNumpy()))
        )
        return FlatModel(Path(self.name).stem, tensors, operators, inputs, outputs)

    def _count(self, length: int, bytes_each: int, most: int, what: str) -> int:
        """A vector's length, once it is known to be possible."""
        if length > most:
            raise ModelError(f"{self.name} has {length} {what}; at most {most} are read")
        if length * bytes_each > len(self.data):
            raise ModelError(
                f"{self.name} is damaged: {length} {what} do not fit into {len(self.data)} bytes"
            )
        return length

    def _string(self, raw: Any) -> str:
        raw = raw or b""
        self.text.take(len(raw))
        return raw.decode("utf-8", "replace")

    def _indices(self, vector: Any, tensors: int, what: str, optional: bool) -> tuple[int, ...]:
        if isinstance(vector, int):  # the bindings' answer for no vector
            return ()
        self.operands.take(len(vector))
        if len(vector) and not (-1 if optional else 0) <= vector.min() <= vector.max() < tensors:
            raise ModelError(f"{what} name tensors that are not among the {tensors} there are")
        return tuple(vector.tolist())

    # tensors

    def _tensors(self, graph: Any) -> tuple[FlatTensor, ...]:
        count = self._count(graph.TensorsLength(), 4, TENSORS_MAX, "tensors")
        buffers = self._count(self.model_table.BuffersLength(), 4, BUFFERS_MAX, "buffers")
        return tuple(self._tensor(graph.Tensors(i), i, buffers) for i in range(count))

    def _tensor(self, table: Any, index: int, buffers: int) -> FlatTensor:
        name = self._string(table.Name()) or f"tensor_{index}"
        place = f"tensor {index} ({name[:80]})"
        if table.Type() not in self.dtypes:
            raise ModelError(f"{place} has an unknown number format {table.Type()}")
        if table.Sparsity() is not None:
            raise ModelError(f"{place} is stored sparse; only dense tensors are read")
        dtype = self.dtypes[table.Type()]
        shape = self._extents(table.ShapeLength(), table.ShapeAsNumpy, place)
        signature = self._extents(table.ShapeSignatureLength(), table.ShapeSignatureAsNumpy, place, least=-1)
        if signature and len(signature) != len(shape):
            raise ModelError(f"{place} has the shape {shape} but the signature {signature}")
        if not 0 <= table.Buffer() < buffers:
            raise ModelError(f"{place} names buffer {table.Buffer()} of {buffers}")
        codes = self._codes(self.model_table.Buffers(table.Buffer()), dtype, shape, place)
        if codes is None:
            self.activations.take(prod(shape))
        scales, zero_points, axis = self._quantization(table.Quantization(), shape, place)
        return FlatTensor(
            index,
            name,
            shape,
            signature or shape,
            dtype,
            scales,
            zero_points,
            axis,
            codes,
            bool(table.IsVariable()),
        )

    def _extents(self, length: int, vector: Callable[[], Any], place: str, least: int = 0) -> tuple[int, ...]:
        if length > AXES_MAX:
            raise ModelError(f"{place} has {length} axes; at most {AXES_MAX} are read")
        extents = tuple(vector().tolist()) if length else ()
        if any(not least <= n <= EXTENT_MAX for n in extents):
            raise ModelError(f"{place} has the shape {extents}; each extent must be 0 to {EXTENT_MAX}")
        return extents

    def _codes(self, table: Any, dtype: str, shape: tuple[int, ...], place: str) -> np.ndarray | None:
        raw = self._raw(table, place)
        if raw is None:
            return None
        elements = prod(shape)
        self.constants.take(elements)
        if dtype == "INT4":
            return _unpacked(raw, elements, shape, place)
        if dtype not in NUMPY_TYPES:
            raise ModelError(f"{place} is a constant of {dtype}, which is not read")
        kind = np.dtype(NUMPY_TYPES[dtype])
        if raw.size != elements * kind.itemsize:
            raise ModelError(f"{place} of shape {shape} {dtype} has a buffer of {raw.size} bytes")
        return raw.view(kind).reshape(shape)

    def _raw(self, table: Any, place: str) -> np.ndarray | None:
        """A buffer's bytes, inside the flatbuffer or behind it; None where it is empty."""
        if table.Offset() > EXTERNAL:
            start, size = table.Offset(), table.Size()
            if start + size > len(self.data):
                raise ModelError(f"{place} has its numbers outside the file, at byte {start}")
            return np.frombuffer(self.data, np.uint8, size, start) if size else None
        if table.DataLength() == 0:
            return None
        return table.DataAsNumpy()

    def _quantization(
        self, table: Any, shape: tuple[int, ...], place: str
    ) -> tuple[np.ndarray, np.ndarray, int]:
        if table is None or table.ScaleLength() == 0:
            return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        if table.DetailsType() != 0:
            raise ModelError(f"{place} has a quantization of a custom kind, which is not read")
        scales, axis = table.ScaleAsNumpy(), table.QuantizedDimension()
        zero_points = table.ZeroPointAsNumpy() if table.ZeroPointLength() else np.zeros(len(scales), np.int64)
        if len(scales) > 1 and not (0 <= axis < len(shape) and len(scales) == shape[axis]):
            raise ModelError(f"{place} of shape {shape} has {len(scales)} scales along axis {axis}")
        if len(zero_points) not in (1, len(scales)):
            raise ModelError(f"{place} has {len(scales)} scales but {len(zero_points)} zero points")
        if not (np.isfinite(scales).all() and (scales >= 0).all() and (np.abs(zero_points) < 2**31).all()):
            raise ModelError(f"{place} has a scale or zero point that is not possible")
        return scales, zero_points, axis

    # operators

    def _operators(self, graph: Any, tensors: tuple[FlatTensor, ...]) -> tuple[FlatOperator, ...]:
        codes = self._operator_codes()
        count = self._count(graph.OperatorsLength(), 4, OPERATORS_MAX, "operators")
        return tuple(self._operator(graph.Operators(i), i, codes, tensors) for i in range(count))

    def _operator_codes(self) -> tuple[str, ...]:
        names = enum_names("BuiltinOperator")
        table = self.model_table
        found: list[str] = []
        for i in range(self._count(table.OperatorCodesLength(), 4, OPERATORS_MAX, "operator codes")):
            code = table.OperatorCodes(i)
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            name = names.get(number, f"operator code {number}")
            found.append(f"CUSTOM {self._string(code.CustomCode())}" if name == "CUSTOM" else name)
        return tuple(found)

    def _operator(
        self, table: Any, index: int, codes: tuple[str, ...], tensors: tuple[FlatTensor, ...]
    ) -> FlatOperator:
        if not 0 <= table.OpcodeIndex() < len(codes):
            raise ModelError(f"operator {index} has code {table.OpcodeIndex()} of {len(codes)}")
        code = codes[table.OpcodeIndex()]
        what = f"operator {index} ({code[:80]})"
        inputs = self._indices(table.InputsAsNumpy(), len(tensors), f"{what}: its inputs", optional=True)
        outputs = self._indices(table.OutputsAsNumpy(), len(tensors), f"{what}: its outputs", optional=False)
        place = f"{what} making {tensors[outputs[0]].name[:80]}" if outputs else what
        return FlatOperator(index, code, inputs, outputs, Options(self._attributes(table), place), place)

    def _attributes(self, table: Any) -> Any:
        union = table.BuiltinOptions()
        kind = getattr(self.schema, self.options_types.get(table.BuiltinOptionsType(), ""), None)
        if union is None or kind is None:
            return None
        attributes = kind()
        attributes.Init(union.Bytes, union.Pos)
        return attributes


def _unpacked(raw: np.ndarray, elements: int, shape: tuple[int, ...], place: str) -> np.ndarray:
    """4-bit numbers, two in a byte, the first in the low half."""
    if raw.size != (elements + 1) // 2:
        raise ModelError(f"{place} of shape {shape} INT4 has a buffer of {raw.size} bytes")
    pairs = raw.view(np.int8)
    low, high = (pairs << 4).astype(np.int8) >> 4, pairs >> 4
    return np.stack([low, high], -1).reshape(-1)[:elements].reshape(shape)
