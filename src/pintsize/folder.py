"""Writing results: everything is written under a temporary name and renamed at the end, so nothing is half-written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pintsize.errors import OutputError

#: a folder with this file in it is one that pintsize wrote, and may be replaced
MARKER = "manifest.json"
#: what `pintsize explain` adds to it
EXPLANATION = "explanation.json"


def check_writable(folder: Path) -> None:
    """Raises OutputError unless the folder can be made, or is one of ours that may be replaced."""
    if folder.is_file():
        raise OutputError(f"{folder} is a file; --out needs a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise OutputError(f"{folder} is not empty and was not written by pintsize; choose another folder")
    parent = folder.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from error
    if not os.access(parent, os.W_OK) or (folder.is_dir() and not os.access(folder, os.W_OK)):
        raise OutputError(f"{folder} cannot be written: no permission in {parent}")


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Puts the folder in place with exactly these files. Raises OutputError; then the old folder is untouched."""
    check_writable(folder)
    fresh = folder.with_name(folder.name + ".new")
    old = folder.with_name(folder.name + ".old")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error


def write_file(path: Path, content: bytes) -> None:
    """One file, whole or not at all. Raises OutputError."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
