"""Reads an ONNX model: real numbers to a float Graph, QuantizeLinear and DequantizeLinear to an integer one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pintsize.errors import ModelError
from pintsize.read.onnx_file import load
from pintsize.read.onnx_walk import OnnxWalk
from pintsize.read.reading import Reading


def read_onnx(source: str | Path | bytes, shape: Sequence[int] | None = None) -> Reading:
    """The model as a Graph, with how ONNX's input and output (channels first) lie in it.

    A model of real numbers gives a float Graph, trainable like one of PyTorch. One whose tensors all pass through
    QuantizeLinear and DequantizeLinear gives an integer Graph. uint8 codes become int8 codes 128 lower.

    Args:
        source: the path of a file, or its bytes (then without external data).
        shape: of one input without the batch, in the file's order of axes, where the file leaves it open.

    Raises:
        ModelError: the file is damaged, too large, of another opset than 13 to 21, or has not one input and one
            output.
        UnsupportedOp: names all ops that pintsize does not read.
        MissingExtra: the package onnx is not installed.
    """
    given = source if isinstance(source, bytes) else Path(source)
    model, folder = load(given)
    name = "model" if isinstance(given, bytes) else given.stem
    try:
        with np.errstate(all="ignore"):  # a constant that is not finite is refused where it is used
            return Reading(*OnnxWalk(model, folder, name, shape).run())
    except (UnicodeDecodeError, MemoryError, RecursionError) as error:
        raise ModelError(f"model '{name}' is damaged ({type(error).__name__})") from error
