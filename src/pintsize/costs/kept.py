"""Measurements of kernels on disk, named by what was asked for, the kernels' sources and the compiler.

So the same network gives the same table on every machine, whatever else was measured there before.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pintsize.costs.counting import Code, Count, Counted
from pintsize.costs.specimen import Shape
from pintsize.errors import OutputError
from pintsize.folder import write_file
from pintsize.version import VERSION


def cache_folder() -> Path:
    """Where measurements are kept: below XDG_CACHE_HOME, else in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pintsize" / "kernels"


def file_name(core: str, isa: str, shapes: Sequence[Shape]) -> str:
    """Of the measurement of these shapes."""
    text = json.dumps([VERSION, _sources(), _compiler(), core, isa, [[s.kind, s.widths] for s in shapes]])
    return f"{core}-{isa}-{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"


@cache
def _sources() -> str:
    """A hash of the kernels, so that a changed one is measured anew."""
    digest = hashlib.sha256()
    for name, text in sorted(_texts(files("pintsize.write.c") / "kernels", "")):
        digest.update(f"{name}\n{text}".encode())
    return digest.hexdigest()


def _texts(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        name = f"{prefix}/{entry.name}"
        if entry.is_dir():
            found += _texts(entry, name)
        elif entry.name.endswith(".c"):
            found.append((name, entry.read_text(encoding="utf-8")))
    return found


@cache
def _compiler() -> str:
    try:
        return version("ziglang")
    except PackageNotFoundError:
        return "none"


def keep(path: Path, found: Sequence[Counted]) -> None:
    """Kept where it can be: a cache that cannot be written costs time alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, json.dumps([_plain(part) for part in found]).encode())
    except (OSError, OutputError):
        return


def _plain(part: Counted) -> dict[str, object]:
    code = part.code
    return {
        "which": part.which,
        "layers": [[c.instructions, c.cycles, c.taken_branches] for c in part.layers],
        "own": [[key[0], list(key[1]), bytes_, sorted(code.needs[key])] for key, bytes_ in code.own.items()],
        "support": dict(sorted(code.support.items())),
        "base": code.base, "stub": code.stub, "stack": part.stack_bytes,
    }  # fmt: skip


def read(path: Path) -> list[Counted] | None:
    """What was kept; None where nothing was, or nothing that can be read."""
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        return [_counted(part) for part in parts]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _counted(part: Mapping[str, list]) -> Counted:
    own = {(f, tuple(ls)): bytes_ for f, ls, bytes_, _ in part["own"]}
    needs = {(f, tuple(ls)): frozenset(names) for f, ls, _, names in part["own"]}
    code = Code(own, dict(part["support"]), needs, int(part["base"]), int(part["stub"]))  # type: ignore[arg-type]
    return Counted(part["which"], [Count(*row) for row in part["layers"]], code, int(part["stack"]))  # type: ignore[arg-type]
