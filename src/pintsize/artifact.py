"""A finished folder: read again, and proven again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pintsize.errors import DataError, UserError, VerificationError
from pintsize.folder import EXPLANATION, MARKER
from pintsize.module import run_integers
from pintsize.read.saved import DAMAGE, read_saved
from pintsize.verify import CORES, CoreCheck, Skipped, verify


def read_report(folder: Path) -> dict[str, Any]:
    """report.json of a finished folder, and as `explanation` what `pintsize explain` found, if it was asked.

    Raises UserError where there is no report.
    """
    report = _json(folder, "report.json")
    if (folder / EXPLANATION).is_file():
        report["explanation"] = _json(folder, EXPLANATION)
    return report


def verify_folder(
    folder: Path, cores: tuple[str, ...] = (), on_core: Callable[[CoreCheck | Skipped], None] | None = None
) -> list[CoreCheck]:
    """Checks the files' hashes, the Graph against the golden vectors, and the C program on every core.

    Raises UserError for a folder that is none of ours, VerificationError for anything that differs.
    """
    manifest = _json(folder, MARKER)
    _check_hashes(folder, manifest)
    inputs, outputs = _golden(folder)
    again = run_integers(read_saved(folder), inputs)
    if (again != outputs).any():
        raise VerificationError(
            f"the saved graph gives {int((again != outputs).sum())} other integers than golden.npz"
        )
    files = {
        p.name: p.read_text(encoding="utf-8") for p in sorted(folder.iterdir()) if p.suffix in (".c", ".h")
    }
    checks, _ = verify(files, inputs, outputs, cores or CORES, on_core)
    return checks


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{folder} is no folder that pintsize finished: {name} is missing") from error
    except ValueError as error:
        raise UserError(f"{folder / name} is damaged: {error}") from error


def _check_hashes(folder: Path, manifest: dict[str, Any]) -> None:
    for name, wanted in manifest.get("sha256", {}).items():
        path = folder / name
        if not path.is_file():
            raise VerificationError(f"{name} is missing from {folder}")
        if name != "report.html" and hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            raise VerificationError(f"{name} was changed after pintsize wrote it")


def _golden(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with (folder / "golden.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return archive["inputs"], archive["outputs"]
    except DAMAGE as error:
        raise DataError(f"{folder / 'golden.npz'} cannot be read: {error}") from error
