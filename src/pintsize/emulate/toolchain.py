"""Runs compilers and other programs, and turns what goes wrong into pintsize's errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files as package_files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from pintsize.emulate.cores import Core
from pintsize.errors import MissingExtra, ToolError

COMPILE_TIMEOUT_S = 600
_ERROR_LINES = 12
_MODULES = {"pyelftools": "elftools"}  # where the module is not called like its package

#: no unwind tables and no frame pointer, as a firmware build has it; nothing about this machine's folders
_FIRMWARE_FLAGS = (
    "-g0",
    "-ffunction-sections",
    "-fdata-sections",
    "-fomit-frame-pointer",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-sanitize=undefined",
)


def is_installed(package: str) -> bool:
    return find_spec(_MODULES.get(package, package)) is not None


def require(package: str, extra: str = "mcu") -> None:
    """Raises MissingExtra when the Python package is not installed."""
    if not is_installed(package):
        raise MissingExtra(package, extra)


def compiler_command(compiler: str = "zig") -> list[str]:
    """How to call a C compiler: ``"zig"`` is the one of the ``ziglang`` package, else one on the PATH.

    Raises MissingExtra when ziglang is not installed, ToolError when there is no such program.
    """
    if compiler == "zig":
        require("ziglang")
        return [*_zig(), "cc"]
    path = shutil.which(compiler)
    if path is None:
        raise ToolError(f"there is no compiler {compiler!r} on the PATH. Use 'zig', or install it")
    return [path]


def _zig() -> list[str]:
    """Its own program where that is found: through Python, as the package has it, each start takes longer."""
    found = find_spec("ziglang")
    folders = (found.submodule_search_locations if found else None) or []
    path = shutil.which("zig", path=os.pathsep.join(folders))
    return [path] if path else [sys.executable, "-m", "ziglang"]


def target_flags(core: Core) -> list[str]:
    """The compiler's flags for a core; none for the host."""
    if core.zig_target is None:
        return []
    cpu = [f"-mcpu={core.zig_cpu}"] if core.zig_cpu else []
    # a freestanding target would turn off the built-in memcpy: each 4-byte load would become a call
    return ["-target", core.zig_target, *cpu, "-fhosted", "-isystem", "system", *_FIRMWARE_FLAGS]


def invoke(
    command: Sequence[str], folder: Path, what: str, timeout_s: float = COMPILE_TIMEOUT_S, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program in `folder`. Raises ToolError with its first lines when it fails or takes too long."""
    try:
        done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{what} did not end within {timeout_s:g} s") from error
    except OSError as error:
        raise ToolError(f"{what} cannot be started: {error}") from error
    if done.returncode != 0:
        raise ToolError(f"{what} failed (exit status {done.returncode}):\n{_first_lines(done)}")
    return done


def _first_lines(done: subprocess.CompletedProcess[bytes]) -> str:
    text = (done.stderr + done.stdout).decode(errors="replace").strip()
    return "\n".join(text.splitlines()[:_ERROR_LINES]) or "it said nothing"


def shipped(*path: str) -> str:
    """The text of a C, assembler or linker file that lies beside this module."""
    return package_files("pintsize.emulate").joinpath("/".join(path)).read_text(encoding="utf-8")


@contextmanager
def source_folder(files: Mapping[str, str]) -> Iterator[Path]:
    """A temporary folder that holds `files` and, under ``system``, the headers a bare target lacks."""
    with TemporaryDirectory(prefix="pintsize-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for path, text in {**files, "system/string.h": shipped("firmware", "string.h")}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        yield folder
