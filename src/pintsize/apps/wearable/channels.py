"""Which column of a recording is what, by its name as common exports have it.

| export | heart rate | accelerometer | pulse wave |
|---|---|---|---|
| Bluetooth strap (`ble:`, `.ble`) | heart_rate, contact | | |
| Empatica E4, one file each, no names | HR.csv | ACC.csv (1/64 g) | BVP.csv |
| Fitbit (`heartrate_seconds_merged.csv`) | Value | | |
| Garmin, from FIT | heart_rate | | |
| Polar Flow | HR (bpm) | | |
| Polar Sensor Logger | HR [bpm] | X [mg], Y [mg], Z [mg] | channel 0 |
| phyphox, Sensor Logger | | Acceleration x (m/s^2), x, y, z | |
| Apple Health, one kind as a table | value in a file named after heart | | |
| PhysioNet and others | HR, bpm, pulse | acc_x, ax, … | PPG, PLETH, BVP |

A column named `value`, or without a name, is told by the name of its file. Names are compared without case, spaces,
units in brackets and punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pintsize.errors import DataError

_RATES = {"heartrate", "hr", "bpm", "heartratebpm", "hrbpm", "pulse", "pulserate", "beatsperminute"}
_CONTACTS = {"contact", "skincontact", "sensorcontact"}
_PULSES = {
    "ppg",
    "bvp",
    "pleth",
    "plethysmogram",
    "pulsewave",
    "ppggreen",
    "green",
    "ppgir",
    "ir",
    "channel0",
}
_ECGS = {"ecg", "ekg", "ecgmv", "leadi", "leadii", "ii", "mlii", "ecgii"}
_ACCELERATIONS = ("acc", "accel", "acceleration", "accelerometer", "a", "", "axis")
_TURNINGS = ("gyro", "gyr", "gyroscope", "rotationrate", "rotation", "g", "w")
_AXES = ("x", "y", "z")
#: a word in the file's name → what a column without a name is
_FILES = (
    ("heart", "rate"),
    ("hr", "rate"),
    ("bvp", "ppg"),
    ("ppg", "ppg"),
    ("ecg", "ecg"),
    ("acc", "acceleration"),
)
_UNIT = re.compile(r"\(.*?\)|\[.*?\]")


@dataclass(frozen=True)
class Channels:
    """Which channels of a source are what; None where it has none.

    rate, contact: of a sensor that tells a heart rate itself; ppg, ecg: signals; acceleration, turning: x, y, z
    turning_in_degrees: its unit, as its names say it
    """

    rate: int | None = None
    contact: int | None = None
    ppg: int | None = None
    ecg: int | None = None
    acceleration: tuple[int, int, int] | None = None
    turning: tuple[int, int, int] | None = None
    turning_in_degrees: bool = False

    @property
    def heart(self) -> str | None:
        """What the heart rate comes from: an electrocardiogram before a pulse wave before a sensor's own rate."""
        known = (("ecg", self.ecg), ("ppg", self.ppg), ("rate", self.rate))
        return next((name for name, channel in known if channel is not None), None)


def recognised(names: Sequence[str], source: str = "") -> Channels:
    """source: the source's name, a path. Raises DataError where no channel is known, with those that are there."""
    bare = [_bare(name) for name in names]
    turning = _axes(bare, _TURNINGS)
    found = Channels(
        _first(bare, _RATES),
        _first(bare, _CONTACTS),
        _first(bare, _PULSES),
        _first(bare, _ECGS),
        _axes(bare, _ACCELERATIONS),
        turning,
        turning is not None and bool(re.search(r"deg|dps|°", names[turning[0]].casefold())),
    )
    if found.heart is None and found.acceleration is None:
        found = _by_file(bare, PurePath(source).stem.casefold())
    if found.heart is None and found.acceleration is None:
        raise DataError(
            f"{source or 'the source'}: no channel is known; it has {', '.join(names)}. Known are heart_rate, ppg, "
            "ecg, acc_x, acc_y, acc_z and how common exports call them (see the how-to)"
        )
    return found


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", _UNIT.sub("", name).casefold())


def _first(bare: Sequence[str], known: set[str]) -> int | None:
    return next((at for at, name in enumerate(bare) if name in known), None)


def _axes(bare: Sequence[str], words: Sequence[str]) -> tuple[int, int, int] | None:
    """Where x, y and z are, all named in one way."""
    for word in words:
        for made in (lambda axis, w=word: w + axis, lambda axis, w=word: axis + w):
            named = [made(axis) for axis in _AXES]
            if all(name in bare for name in named):
                return bare.index(named[0]), bare.index(named[1]), bare.index(named[2])
    return None


def _by_file(bare: Sequence[str], stem: str) -> Channels:
    """Of columns called `value`, or numbered because they have no names."""
    unnamed = [at for at, name in enumerate(bare) if name == "value" or name.isdigit()]
    kind = next((kind for word, kind in _FILES if word in stem), None)
    if kind == "acceleration" and len(unnamed) == 3:
        return Channels(acceleration=(unnamed[0], unnamed[1], unnamed[2]))
    if kind is None or kind == "acceleration" or len(unnamed) != 1:
        return Channels()
    one = unnamed[0]
    return Channels(rate=one if kind == "rate" else None, ppg=one if kind == "ppg" else None,
                    ecg=one if kind == "ecg" else None)  # fmt: skip
