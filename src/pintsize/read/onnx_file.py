"""An ONNX file as protobuf, and its tensors as arrays: sizes are checked before memory is taken.

External data is read only from inside the model's own folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np

from pintsize.errors import ModelError, missing_extra

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

#: of the file, of all external data, and of all arrays made from them
MODEL_BYTES_MAX = 2**28
#: numbers in one tensor
ELEMENTS_MAX = 2**24
NODES_MAX = 5_000
OPSETS = range(13, 22)

#: ONNX's data type → (numpy's, the field that holds it where raw_data does not)
TYPES: dict[int, tuple[str, str]] = {
    1: ("<f4", "float_data"), 2: ("u1", "int32_data"), 3: ("i1", "int32_data"), 4: ("<u2", "int32_data"),
    5: ("<i2", "int32_data"), 6: ("<i4", "int32_data"), 7: ("<i8", "int64_data"), 9: ("?", "int32_data"),
    10: ("<f2", "int32_data"), 11: ("<f8", "double_data"), 12: ("<u4", "uint64_data"), 13: ("<u8", "uint64_data"),
}  # fmt: skip
UINT4, INT4 = 21, 22
FLOAT16 = 10


def load(source: Path | bytes) -> tuple[ModelProto, Path | None]:
    """The model and the folder it lies in (None for bytes). Raises ModelError, MissingExtra."""
    try:
        from onnx import ModelProto
    except ModuleNotFoundError as error:
        raise missing_extra(error) or error from error
    from google.protobuf.message import DecodeError

    content = source if isinstance(source, bytes) else _content(source)
    model = ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RuntimeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{_told(source)} is no ONNX model, or a damaged one ({error})") from error
    if not model.graph.node:
        raise ModelError(f"{_told(source)} is no ONNX model, or an empty one: it has no nodes")
    if len(model.graph.node) > NODES_MAX:
        raise ModelError(
            f"{_told(source)} has {len(model.graph.node)} nodes; at most {NODES_MAX} are allowed"
        )
    if not all(isinstance(word, str) for word in _words(model)):
        raise ModelError(f"{_told(source)} is a damaged ONNX model: a name in it is no text")
    return model, None if isinstance(source, bytes) else source.parent


def _words(model: ModelProto) -> Iterator[object]:
    """All names; protobuf gives those that are not UTF-8 as bytes."""
    graph = model.graph
    yield from (entry.domain for entry in model.opset_import)
    yield from (value.name for value in (*graph.input, *graph.output, *graph.initializer))
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
        yield from (attribute.t.name for attribute in node.attribute)
    tensors = (*graph.initializer, *(a.t for n in graph.node for a in n.attribute))
    yield from (word for t in tensors for entry in t.external_data for word in (entry.key, entry.value))


def _told(source: Path | bytes) -> str:
    return "the given model" if isinstance(source, bytes) else str(source)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    size = path.stat().st_size
    if size > MODEL_BYTES_MAX:
        raise ModelError(f"{path} has {size} bytes; at most {MODEL_BYTES_MAX} are allowed")
    return path.read_bytes()


def opset_of(model: ModelProto) -> int:
    """The version of ONNX's own operators. Raises ModelError outside 13..21."""
    version = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 1)
    if version not in OPSETS:
        raise ModelError(
            f"the model is of opset {version}; {OPSETS[0]} to {OPSETS[-1]} are read. "
            "Convert it: onnx.version_converter.convert_version(model, 17)"
        )
    return version


class Tensors:
    """Decodes tensors and counts their bytes."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.bytes = 0

    def array(self, tensor: TensorProto) -> np.ndarray:
        """The numbers in their shape. Raises ModelError where the file does not hold what it declares."""
        shape, kind = tuple(tensor.dims), tensor.data_type
        if kind not in TYPES and kind not in (UINT4, INT4):
            raise ModelError(f"tensor {_named(tensor)} has ONNX's data type {kind}, which is not read")
        if any(n < 0 for n in shape) or len(shape) > 8 or prod(shape) > ELEMENTS_MAX:
            raise ModelError(f"tensor {_named(tensor)} of shape {_short(shape)}: too large, or not a shape")
        self._count(prod(shape) * (1 if kind in (UINT4, INT4) else np.dtype(TYPES[kind][0]).itemsize), tensor)
        return self._four_bits(tensor, shape) if kind in (UINT4, INT4) else self._whole(tensor, shape)

    def _count(self, size: int, tensor: TensorProto) -> None:
        self.bytes += size
        if self.bytes > MODEL_BYTES_MAX:
            raise ModelError(
                f"with tensor {_named(tensor)} the model's constants exceed {MODEL_BYTES_MAX} bytes"
            )

    def _whole(self, tensor: TensorProto, shape: tuple[int, ...]) -> np.ndarray:
        kind, field = TYPES[tensor.data_type]
        dtype = np.dtype(kind)
        raw = self._raw(tensor, prod(shape) * dtype.itemsize)
        if raw is not None:
            return np.frombuffer(raw, dtype).reshape(shape)
        numbers: Any = getattr(tensor, field)
        if len(numbers) != prod(shape):
            raise _wrong_size(tensor, shape)
        if tensor.data_type == FLOAT16:
            return np.array(numbers, np.int64).astype(np.uint16).view(np.float16).reshape(shape)
        return np.array(numbers).astype(dtype).reshape(shape)

    def _four_bits(self, tensor: TensorProto, shape: tuple[int, ...]) -> np.ndarray:
        size = -(-prod(shape) // 2)
        raw = self._raw(tensor, size)
        if raw is None and len(tensor.int32_data) != size:
            raise _wrong_size(tensor, shape)
        packed = np.array(tensor.int32_data, np.uint8) if raw is None else np.frombuffer(raw, np.uint8)
        codes = np.stack([packed & 15, packed >> 4], -1).reshape(-1)[: prod(shape)].reshape(shape)
        return codes if tensor.data_type == UINT4 else (codes ^ 8).astype(np.int8) - np.int8(8)

    def _raw(self, tensor: TensorProto, size: int) -> bytes | None:
        """Its bytes; None where it keeps numbers in a field of their own type."""
        if tensor.data_location == 1:
            return self._external(tensor, size)
        if not tensor.HasField("raw_data"):
            return None
        if len(tensor.raw_data) != size:
            raise _wrong_size(tensor, tuple(tensor.dims))
        return tensor.raw_data

    def _external(self, tensor: TensorProto, size: int) -> bytes:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        path = self._inside(tensor, entries.get("location", ""))
        try:
            offset, length = int(entries.get("offset", 0)), int(entries.get("length", size))
        except ValueError as error:
            raise ModelError(f"tensor {_named(tensor)}: its place in {path.name} is no number") from error
        if offset < 0 or length != size or offset + size > path.stat().st_size:
            raise ModelError(
                f"tensor {_named(tensor)} needs {size} bytes at {offset} of {path.name}: they are not there"
            )
        with path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(size)

    def _inside(self, tensor: TensorProto, location: str) -> Path:
        """The file of external data. Raises ModelError where it does not lie in the model's folder."""
        if self.folder is None:
            raise ModelError(
                f"tensor {_named(tensor)} lies in another file: give the model's path, not its bytes"
            )
        parts = (*PurePosixPath(location).parts, *PureWindowsPath(location).parts)
        absolute = PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor
        if not location or "\0" in location or absolute or ".." in parts:
            raise ModelError(
                f"tensor {_named(tensor)}: {location[:80]!r} is no path inside the model's folder"
            )
        path = (self.folder / location).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise ModelError(f"tensor {_named(tensor)}: {location[:80]!r} leads out of the model's folder")
        if not path.is_file():
            raise ModelError(f"tensor {_named(tensor)}: {location[:80]!r} is not beside the model")
        return path


def _named(tensor: TensorProto) -> str:
    return repr(tensor.name[:80])


def _short(shape: tuple[int, ...]) -> str:
    return str(shape[:8])


def _wrong_size(tensor: TensorProto, shape: tuple[int, ...]) -> ModelError:
    return ModelError(
        f"tensor {_named(tensor)} declares shape {_short(shape)}, but does not hold that many numbers"
    )
