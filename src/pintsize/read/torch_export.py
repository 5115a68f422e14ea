"""Reads a PyTorch model: an nn.Module, a torch.export program, or a .pt2 archive of one."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from pintsize.errors import ModelError
from pintsize.read.reading import Reading
from pintsize.read.walk import Walk
from pintsize.silence import silent

#: what a user's forward and torch's tracer raise; anything else is our bug
MODEL_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
ARCHIVE_FAULTS = (*MODEL_FAULTS, EOFError, OSError, zipfile.BadZipFile)
REASON_LINES = 2


def read(
    model: nn.Module | ExportedProgram | str | Path,
    sample_shape: Sequence[int] | None = None,
    example: torch.Tensor | None = None,
    name: str = "model",
) -> Reading:
    """The model as a Graph, in eval mode.

    Args:
        model: a module (it is left as it was), an exported program, or the path of a `.pt2` archive.
        sample_shape: the shape of one input without the batch, such as (3, 32, 32). A module needs it, or
        example: one input with the batch, (1, *shape).
        name: what to call the model.

    Raises:
        ModelError: torch cannot export it, it has not one input and one output, or the file is no archive.
        UnsupportedOp: names all ops that pintsize does not read, each with its module and source line.
    """
    shape = tuple(example.shape[1:]) if example is not None else sample_shape
    if isinstance(model, nn.Module):
        program = _exported(model, _example(model, shape, name), name)
    else:
        program = model if isinstance(model, ExportedProgram) else load(Path(model))
    reading = Reading(*Walk(program, name).run())
    _check_shape(reading, shape, name)
    return reading


def _check_shape(reading: Reading, shape: Sequence[int] | None, name: str) -> None:
    found = reading.graph.type(reading.graph.inputs[0]).shape
    if shape is not None and reading.input_layout.graph_shape(tuple(shape)) != found:
        raise ModelError(
            f"model '{name}' was exported for another input: it takes {found}, channels last, not {shape}"
        )


def load(path: Path) -> ExportedProgram:
    """The program in a `.pt2` archive. Raises ModelError when there is none in it."""
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        with silent():  # it prints tracebacks of what it also raises; our error says it once
            return torch.export.load(path)
    except ARCHIVE_FAULTS as error:
        raise ModelError(
            f"{path}: not an archive that torch.export.save wrote, or a damaged one ({_reason(error)})"
        ) from error


def _example(model: nn.Module, shape: Sequence[int] | None, name: str) -> torch.Tensor:
    if shape is None:
        raise ModelError(
            f"model '{name}': give the shape of one input without the batch, such as (3, 32, 32)"
        )
    if not shape or not all(n > 0 for n in shape):
        raise ModelError(f"model '{name}': an input of shape {tuple(shape)} holds no numbers")
    parameter = next(model.parameters(), torch.zeros(()))
    return torch.zeros((2, *shape), dtype=parameter.dtype, device=parameter.device)


def _exported(model: nn.Module, example: torch.Tensor, name: str) -> ExportedProgram:
    """The program for real numbers; for token ids where the model takes only those."""
    try:
        return _export(model, example, name)
    except ModelError:
        if not any(isinstance(m, nn.Embedding) for m in model.modules()):
            raise
        return _export(model, example.long(), name)


def _export(model: nn.Module, example: torch.Tensor, name: str) -> ExportedProgram:
    try:
        with _evaluating(model), silent(), torch.no_grad():
            return torch.export.export(model, (example,), dynamic_shapes=({0: Dim.AUTO},))
    except MODEL_FAULTS as error:
        raise ModelError(
            f"torch.export cannot export model '{name}' for an input of shape {tuple(example.shape[1:])}: "
            f"{_reason(error)}"
        ) from error


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """In eval mode; afterwards every submodule is in the mode it was in."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def _reason(error: BaseException) -> str:
    """The first lines of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join([type(error).__name__ + ":", *lines[:REASON_LINES]])
