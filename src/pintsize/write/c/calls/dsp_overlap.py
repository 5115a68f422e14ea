"""How far a layer may run over its own input: a replay of what a kernel reads and writes, in order."""

from __future__ import annotations

from collections.abc import Iterable


def distance(steps: Iterable[tuple[int, int]]) -> int:
    """Bytes by which the input must begin after the output at least.

    steps: in order, (end of what is written, start of what is read afterwards), each from its buffer's start; the last
    step reads nothing more.
    """
    found = list(steps)
    return max((written - unread for written, unread in found[:-1]), default=-(1 << 30))
