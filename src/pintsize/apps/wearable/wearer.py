"""What a run is told of the person, and which models it uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pintsize.apps.wearable.alerts import AlertRule
from pintsize.apps.wearable.zones import Zones

SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Wearer:
    """zones, alerts: the person's own; rests: the person is known to rest, where there is no accelerometer to see it"""

    zones: Zones = field(default_factory=Zones)
    alerts: AlertRule = field(default_factory=AlertRule)
    rests: bool = False


def weights_of(weights: Path | None, piece: str) -> Path:
    """Where a piece's artifact lies, the user's own or the shipped one."""
    own = None if weights is None else weights / piece
    return own if own is not None and own.is_dir() else SHIPPED / piece
