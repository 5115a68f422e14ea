"""The characteristic 0x2A37 of a strap or watch over Bluetooth: one notification as numbers, nothing made up.

Source: Bluetooth SIG, Heart Rate Service 1.0 and GATT Specification Supplement, "Heart Rate Measurement".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pintsize.errors import DataError

SERVICE = "0000180d-0000-1000-8000-00805f9b34fb"
MEASUREMENT = "00002a37-0000-1000-8000-00805f9b34fb"
#: of an interval between beats
_RR_PER_S = 1024
_WIDE, _DETECTED, _SUPPORTED, _ENERGY, _INTERVALS = 1, 2, 4, 8, 16
#: what sensors send while they have no rate, of 8 and of 16 bits
NO_RATE = (0, 255, 65535)

Contact = Literal["there", "lost", "not said"]


@dataclass(frozen=True)
class Measurement:
    """bpm: as sent, also where it is one of NO_RATE; contact: with the skin; energy_kj: since it was set to 0

    intervals_s: between the beats since the last notification, the oldest first
    """

    bpm: int
    contact: Contact
    energy_kj: int | None
    intervals_s: tuple[float, ...]


def read_measurement(payload: bytes) -> Measurement:
    """Raises DataError for one that is shorter than its flags say, or has a byte too many."""
    if len(payload) < 2:
        raise DataError(f"a heart-rate notification of {len(payload)} bytes: at least 2 are due")
    flags, at = payload[0], 1
    width = 2 if flags & _WIDE else 1
    due = at + width + (2 if flags & _ENERGY else 0)
    rest = len(payload) - due
    if rest < 0 or rest % 2 or (rest and not flags & _INTERVALS):
        raise DataError(
            f"a heart-rate notification {payload.hex(' ')}: its flags 0x{flags:02x} ask for {due} bytes"
            f"{' and pairs behind them' if flags & _INTERVALS else ''}"
        )
    bpm, at = int.from_bytes(payload[at : at + width], "little"), at + width
    energy = int.from_bytes(payload[at : at + 2], "little") if flags & _ENERGY else None
    pairs = [payload[i : i + 2] for i in range(due, len(payload), 2)]
    intervals_s = tuple(int.from_bytes(pair, "little") / _RR_PER_S for pair in pairs)
    return Measurement(bpm, _contact(flags), energy, intervals_s)


def _contact(flags: int) -> Contact:
    if not flags & _SUPPORTED:
        return "not said"
    return "there" if flags & _DETECTED else "lost"
