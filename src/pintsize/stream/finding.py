"""What a check of health found."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """kind: one of the faults in `health`; reason: for a person to read, with the figures"""

    kind: str
    reason: str
