"""Privacy that is tested: a hook that no socket gets past, and a namespace without any network.

The hook sees what Python itself does. What a C library or another program does with sockets of its own it does not
see; the namespace holds those too, and is Linux's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

from pintsize.errors import PrivacyError, ToolError

_EVENTS = "socket."
#: as any user; as root where users have no namespaces of their own
_WAYS = (("unshare", "--user", "--map-root-user", "--net", "--"), ("unshare", "--net", "--"))


class _Guard:
    """Python's audit hooks cannot be taken away again: one is added once, and looks only while it is armed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._added = False
        self._armed = 0
        self.tried: list[str] = []

    def arm(self) -> None:
        with self._lock:
            if not self._armed:
                self.tried = []
            self._armed += 1
            if not self._added:
                sys.addaudithook(self._hook)
                self._added = True

    def disarm(self) -> None:
        with self._lock:
            self._armed -= 1

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._armed and event.startswith(_EVENTS):
            said = f"{event}{tuple(a for a in arguments if isinstance(a, (str, int, tuple)))}"
            self.tried.append(said)
            raise PrivacyError(f"{said}: a socket, where nothing may leave this device")


_guard = _Guard()


@contextmanager
def no_sockets() -> Iterator[None]:
    """Within it, in every thread, whatever Python does with a socket raises PrivacyError.

    One that was swallowed by whoever tried is raised at the end. Looking up an address counts, and so does a socket
    to this very device. Imports are not looked at: it is the use of sockets that is refused.
    """
    _guard.arm()
    try:
        yield
    finally:
        _guard.disarm()
    if _guard.tried:
        raise PrivacyError(f"sockets were tried: {'; '.join(_guard.tried)}")


def why_not_isolated() -> str | None:
    """None when commands can be run without any network here, else the reason."""
    found = _way()
    return found if isinstance(found, str) else None


@cache
def _way() -> tuple[str, ...] | str:
    """What to put before a command, or why nothing helps."""
    if not sys.platform.startswith("linux"):
        return f"network namespaces are Linux's, this is {sys.platform}"
    if shutil.which("unshare") is None:
        return "unshare (util-linux) is not installed"
    said = ""
    for way in _WAYS:
        tried = subprocess.run([*way, "true"], capture_output=True, text=True, timeout=30)
        if tried.returncode == 0:
            return way
        said = tried.stderr.strip() or f"status {tried.returncode}"
    return f"this system allows no network namespace: {said}"


def run_without_network(
    command: Sequence[str],
    timeout_s: float = 600,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a command where there is no network at all, not even to this machine. Its output is text.

    environment: in place of this program's. Raises ToolError where that is not possible, or when it takes too long.
    """
    way = _way()
    if isinstance(way, str):
        raise ToolError(f"nothing can be run without a network here: {way}")
    try:
        return subprocess.run(
            [*way, *command], capture_output=True, text=True, timeout=timeout_s, cwd=folder,
            env=None if environment is None else dict(environment),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{command[0]} did not end within {timeout_s:g} s") from error
