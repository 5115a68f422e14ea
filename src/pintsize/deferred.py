"""torch, loaded when something of it is first used.

Loading torch takes longer than reading a .tflite file and writing its C together. Both need to know the ops, whose
meanings are written in torch, but compute nothing with it. So what lies beneath them takes torch from here instead of
importing it, and a program is already being compiled while torch loads. Such a module must not touch it while it is
itself imported: no base class, no default argument, no table.
"""

from __future__ import annotations

import gc
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pintsize.errors import missing_extra

__all__ = ["F", "torch"]


class _Deferred(ModuleType):
    """Stands for the module of its name, which is imported when an attribute is first asked for."""

    def __getattr__(self, name: str) -> Any:
        try:
            found = getattr(_loaded(self.__name__), name)
        except ModuleNotFoundError as error:
            missing = missing_extra(error)
            if missing is None:
                raise
            raise missing from error
        setattr(self, name, found)  # from now on no slower than the module itself
        return found


def _loaded(name: str) -> ModuleType:
    """The module. Nothing of it is garbage when it has just been made: looking for some takes a tenth of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return import_module(name)
    finally:
        if collects:
            gc.enable()


if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F
else:
    torch = _Deferred("torch")
    F = _Deferred("torch.nn.functional")
