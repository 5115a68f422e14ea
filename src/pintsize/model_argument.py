"""Models as the command line names them: `model.py:function` with weights, or a `.pt2`, `.onnx` or `.tflite` file."""

from __future__ import annotations

import importlib.util
import pickle
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pintsize.deferred import torch
from pintsize.errors import ModelError, UserError

if TYPE_CHECKING:
    from torch import nn


def load_model(argument: str, weights: Path | None) -> nn.Module | Path:
    """The model that the argument names. Raises ModelError, with the user's own line where their code fails."""
    name, colon, function = argument.rpartition(":")
    if not colon:
        if weights is not None:
            raise UserError("--weights goes with model.py:function; a file has its own weights")
        return _archive(Path(argument))
    model = _call(Path(name), function)
    if weights is not None:
        _load_weights(model, weights)
    return model


def read_shape(text: str | None, option: str = "--sample-shape") -> tuple[int, ...] | None:
    """ "1,49,10" → (1, 49, 10). Raises UserError."""
    if text is None:
        return None
    try:
        shape = tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise UserError(f"{option} {text!r} is not a shape; write it as 1,49,10")
    return shape


def _archive(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(
            f"{path}: no such file; a model is named as model.py:function or as a .pt2, .onnx or .tflite file"
        )
    return path


def _call(path: Path, function: str) -> nn.Module:
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    module = _import(path)
    make = getattr(module, function, None)
    if not callable(make):
        raise ModelError(f"{path} has no function {function!r}")
    try:
        model = make()
    except Exception as error:
        raise ModelError(f"{path}:{function}() failed: {_last_line(error)}") from error
    if not isinstance(model, torch.nn.Module):
        raise ModelError(f"{path}:{function}() gave a {type(model).__name__}, not a torch.nn.Module")
    return model


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.absolute()))
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ModelError(f"{path} cannot be imported: {_last_line(error)}") from error
    finally:
        sys.path.pop(0)
    return module


def _last_line(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"


def _load_weights(model: nn.Module, path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{path} is no state dict that torch.save wrote: {str(error).splitlines()[0]}"
        ) from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} holds a {type(state).__name__}, not a state dict: save model.state_dict()")
    try:
        model.load_state_dict(state.get("state_dict", state))
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ModelError(f"{path} does not fit the model: {' '.join(str(error).split())}") from error
