"""Libraries that are only needed by one kind of source, imported when one is opened."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pintsize.errors import UserError, missing_extra


def library(module: str) -> Any:
    """The module. Raises MissingExtra where it is not installed, UserError where what it rests on is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        raise missing from error
    except OSError as error:  # sounddevice without PortAudio, soundfile without libsndfile
        raise UserError(
            f"{module} is installed, but what it rests on is not: {error}{_HINTS.get(module, '')}"
        ) from error


_HINTS = {"sounddevice": ". On Debian and Raspberry Pi OS: sudo apt install libportaudio2"}
