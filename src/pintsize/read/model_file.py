"""A model in a file, whatever its format: a saved Graph, .tflite or .onnx."""

from __future__ import annotations

from pathlib import Path

from pintsize.errors import ModelError
from pintsize.graph import Graph
from pintsize.read.layout import Layout
from pintsize.read.reading import Reading
from pintsize.read.saved import read_saved

#: a .tflite file has these bytes at place 4
TFLITE_MARK = b"TFL3"


FORMATS = (".tflite", ".onnx")


def is_model_file(path: Path) -> bool:
    """Whether the name is that of a format that is read here without torch's help."""
    return path.suffix in FORMATS or path.is_dir() or path.name == "graph.json"


def read_model(path: Path, shape: tuple[int, ...] | None = None) -> Graph:
    """The Graph in a folder that pintsize wrote, in its graph.json, in a .tflite or in a .onnx file.

    shape: of one input without the batch, in the file's own order of axes, where the file leaves it open.
    Raises ModelError for a file that cannot be read, UnsupportedOp with every op that has no meaning here.
    """
    return read_file(path, shape).graph


def read_file(path: Path, shape: tuple[int, ...] | None = None) -> Reading:
    """The same, with how the file's input and output lie in the Graph."""
    if path.is_dir() or path.name == "graph.json":
        return Reading(read_saved(path if path.is_dir() else path.parent), Layout.PLAIN, Layout.PLAIN)
    if not path.is_file():
        raise ModelError(
            f"{path}: no such file; a .tflite or .onnx file, or a folder of pintsize, is read here"
        )
    if path.suffix == ".onnx":
        from pintsize.read.onnx import read_onnx

        return read_onnx(path, shape=shape)
    with path.open("rb") as stream:
        head = stream.read(8)
    if path.suffix == ".tflite" or head[4:] == TFLITE_MARK:
        from pintsize.read.tflite import read_tflite

        graph = read_tflite(path, shape=None if shape is None else (1, *shape))
        return Reading(graph, Layout.PLAIN, Layout.PLAIN)
    raise ModelError(f"{path} is neither .tflite nor .onnx, nor a folder of pintsize: it cannot be read here")
