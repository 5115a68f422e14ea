"""pintsize makes a trained model small enough for a device, proves it still works there, and runs it there."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pintsize.version import VERSION as __version__

if TYPE_CHECKING:
    from pintsize.benching import bench
    from pintsize.budget import Budget
    from pintsize.compiling import compile_model
    from pintsize.compress.factorize import Factorize
    from pintsize.compress.prune import Prune
    from pintsize.compress.quantize import Quantize
    from pintsize.compress.train import Train
    from pintsize.converting import convert
    from pintsize.data import Dataset, Splits, load
    from pintsize.devices import DEVICES, Device
    from pintsize.doctor import Diagnosis, diagnose
    from pintsize.errors import PintsizeError, UserError
    from pintsize.explaining import explain
    from pintsize.graph import Graph
    from pintsize.passes.streaming import Streamed, streamed
    from pintsize.progress import Watcher
    from pintsize.quantizing import quantize
    from pintsize.read.model_file import read_model
    from pintsize.read.saved import read_saved
    from pintsize.read.torch_export import read as read_torch
    from pintsize.report.report import Report
    from pintsize.shrinking import shrink
    from pintsize.teaching import Teaching

#: public name → the module it lives in (and its name there, if another)
#: loaded at first use, so that `import pintsize` needs no torch
_HOMES = {
    "Budget": "budget", "DEVICES": "devices", "Dataset": "data", "Device": "devices", "Diagnosis": "doctor",
    "Factorize": "compress.factorize", "Graph": "graph", "PintsizeError": "errors", "Prune": "compress.prune",
    "Quantize": "compress.quantize", "Report": "report.report", "Splits": "data", "Teaching": "teaching",
    "Train": "compress.train", "UserError": "errors", "Watcher": "progress", "bench": "benching",
    "compile_model": "compiling", "convert": "converting", "diagnose": "doctor", "explain": "explaining",
    "read_model": "read.model_file", "load": "data", "read_torch": "read.torch_export:read",
    "quantize": "quantizing", "read_saved": "read.saved", "shrink": "shrinking", "Streamed": "passes.streaming",
    "streamed": "passes.streaming",
}  # fmt: skip

__all__ = [
    "DEVICES", "Budget", "Dataset", "Device", "Diagnosis", "Factorize", "Graph", "PintsizeError", "Prune", "Quantize",
    "Report", "Splits", "Streamed", "Teaching", "Train", "UserError", "Watcher", "__version__", "bench",
    "compile_model", "convert", "diagnose", "explain", "load", "quantize", "read_model", "read_saved", "read_torch",
    "shrink", "streamed",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pintsize' has no attribute {name!r}")
    from pintsize.errors import missing_extra

    home, _, own_name = _HOMES[name].partition(":")
    try:
        return getattr(import_module(f"pintsize.{home}"), own_name or name)
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        raise missing from error
