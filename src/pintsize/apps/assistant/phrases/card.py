"""The card that lies beside a user's own phrases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def own_card(counts: Mapping[str, int], figures: Mapping[str, Any], seed: int) -> str:
    """Markdown. counts: clips of each phrase; figures: on clips held back."""
    phrases = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
    return f"""# Own phrases

One int8 model on a window of raw samples at 16 kHz; it tells which phrase was said, or `other`.

| phrase | clips |
|---|---|
{phrases}

Copies were varied in vocal tract, pace, colour, room and noise; seed {seed}. {rows_of(figures)}
The clips held back are of the same recordings' speakers: a new voice may be heard less well.
"""


def rows_of(figures: Mapping[str, Any]) -> str:
    """Markdown, a table of figures."""
    rows = "\n".join(f"| {name} | {_told(value)} |" for name, value in figures.items())
    return f"\n\n| figure | |\n|---|---|\n{rows}\n"


def _told(value: Any) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, (int, float)) else str(value)
