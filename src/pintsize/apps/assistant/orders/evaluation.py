"""The honest metrics of the shipped orders, on recordings that neither training nor any choice heard.

`orders_exact`: the share of orders with every slot right, whether it is sure or not; `orders_slots_f1`: over all slots
of all orders, a slot with another value is both missed and wrong. Told beside them: how many it tells, and how many of
those are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pintsize.apps.assistant.orders.menu import slots_of
from pintsize.apps.assistant.orders.orders import Orders
from pintsize.apps.assistant.orders.parts import FOLDER, Recorded, recorded
from pintsize.apps.sounds import as_codes
from pintsize.errors import DataError


def evaluate(data: Path, weights: Path | None = None) -> dict[str, float]:
    """data: the folder of data sets; deterministic, without torch. Raises DataError where the orders are not there."""
    orders = Orders.load(weights)
    clips = recorded(data, "test")
    if not clips:
        raise DataError(f"{data / FOLDER} has no recording of the test part")
    figures = orders.artifact.manifest.content.get("figures", {})
    return {
        **of_recordings(orders, clips),
        "orders_flash_bytes": float(figures.get("flash_bytes", float("nan"))),
    }


def of_recordings(orders: Orders, clips: Sequence[Recorded]) -> dict[str, float]:
    """Of recorded orders."""
    guessed = [dict(slots_of(orders.chosen(as_codes(c.clip))[0])) for c in clips]
    told = [orders.understand(as_codes(c.clip)) for c in clips]
    exact = [found == c.slots for found, c in zip(guessed, clips, strict=True)]
    sure = [dict(t.slots) == c.slots for t, c in zip(told, clips, strict=True) if t.intent is not None]
    return {
        "orders_exact": float(np.mean(exact)),
        "orders_slots_f1": slots_f1(guessed, [c.slots for c in clips]),
        "orders_told": len(sure) / len(clips),
        "orders_exact_of_told": float(np.mean(sure)) if sure else 0.0,
        "orders_clips": float(len(clips)),
    }


def slots_f1(found: Sequence[dict[str, str]], right: Sequence[dict[str, str]]) -> float:
    """Micro-averaged over slots with their values; 1 where there are none."""
    hits = sum(len(f.items() & r.items()) for f, r in zip(found, right, strict=True))
    both = sum(map(len, found)) + sum(map(len, right))
    return 2 * hits / both if both else 1.0
