"""Replies spoken by espeak-ng, a program on this device."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from pintsize.errors import SinkError, UserError
from pintsize.stream.decision import Decision

PROGRAM = "espeak-ng"
TIMEOUT_S = 30.0


class SpokenSink:
    """Speaks what `reply` makes of a decision; None or "" of it is not spoken.

    voice: of espeak-ng; arguments: further ones, such as ("-s", "150").
    Raises UserError where the program is not installed.
    """

    name = "speech"
    leaves_device = False
    waits = True

    def __init__(
        self,
        reply: Callable[[Decision], str | None],
        voice: str = "en",
        arguments: tuple[str, ...] = (),
        program: str = PROGRAM,
    ) -> None:
        path = shutil.which(program)
        if path is None:
            raise UserError(
                f"{program} is not installed, so nothing can be spoken. Run: apt install {PROGRAM}"
            )
        self._reply = reply
        self._command = [path, "-v", voice, *arguments, "--stdin"]

    def send(self, decision: Decision, number: int) -> None:
        text = self._reply(decision)
        if not text:
            return
        try:
            subprocess.run(
                self._command, input=text.encode(), check=True, capture_output=True, timeout=TIMEOUT_S
            )
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()[-200:]
            raise SinkError(f"{PROGRAM} ended with status {error.returncode}: {said}") from error
        except (subprocess.TimeoutExpired, OSError) as error:
            raise SinkError(f"{PROGRAM} could not speak: {error}") from error

    def close(self) -> None:
        """Nothing is held."""


def can_speak(program: str = PROGRAM) -> bool:
    return shutil.which(program) is not None
