"""A model in a file, whatever its format: a saved Graph, .tflite or .onnx."""

from __future__ import annotations

from pathlib import Path

from pintsize.errors import ModelError
from pintsize.graph import Graph
from pintsize.read.saved import read_saved

#: a .tflite file has these bytes at place 4
TFLITE_MARK = b"TFL3"


def read_model(path: Path, shape: tuple[int, ...] | None = None) -> Graph:
    """The Graph in a folder that pintsize wrote, in its graph.json, in a .tflite or in a .onnx file.

    shape: of one input without the batch, in the file's own order of axes, where the file leaves it open.
    Raises ModelError for a file that cannot be read, UnsupportedOp with every op that has no meaning here.
    """
    if path.is_dir() or path.name == "graph.json":
        return read_saved(path if path.is_dir() else path.parent)
    if not path.is_file():
        raise ModelError(f"{path}: no such file; a .tflite or .onnx file, or a folder of pintsize, is read here")
    if path.suffix == ".onnx":
        from pintsize.read.onnx import read_onnx

        return read_onnx(path, shape=shape).graph
    with path.open("rb") as stream:
        head = stream.read(8)
    if path.suffix == ".tflite" or head[4:] == TFLITE_MARK:
        from pintsize.read.tflite import read_tflite

        return read_tflite(path, shape=shape)
    raise ModelError(f"{path} is neither .tflite nor .onnx, nor a folder of pintsize: it cannot be read here")
