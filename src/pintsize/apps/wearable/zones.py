"""Zones of effort, by share of the highest rate of a person."""

from __future__ import annotations

from dataclasses import dataclass

from pintsize.errors import UserError

#: lowest share of the highest rate → name. Source: American College of Sports Medicine's shares, rounded
ZONES = (
    (0.0, "rest"),
    (0.5, "very light"),
    (0.6, "light"),
    (0.7, "moderate"),
    (0.8, "hard"),
    (0.9, "maximum"),
)
#: how far below its bound a zone is left, beats per minute
_BACK_BPM = 3.0


@dataclass(frozen=True)
class Zones:
    """highest_bpm: of the person; without it 220 less the age, which is a mean over people. Raises UserError."""

    highest_bpm: float = 190.0

    def __post_init__(self) -> None:
        if not 100 <= self.highest_bpm <= 230:
            raise UserError(f"a highest heart rate of {self.highest_bpm:g}: 100 to 230 beats per minute")

    @property
    def bounds(self) -> tuple[tuple[float, str], ...]:
        """(lowest rate, name), from the lowest zone on."""
        return tuple((round(share * self.highest_bpm, 1), name) for share, name in ZONES)

    def of(self, bpm: float, before: str | None = None) -> str:
        """before: the zone until now, which is left downwards only once the rate is clearly below it."""
        found = [name for lowest, name in self.bounds if bpm >= lowest][-1]
        names = [name for _, name in ZONES]
        if before in names and names.index(before) == names.index(found) + 1:
            lowest = {name: lowest for lowest, name in self.bounds}[before]
            return before if bpm > lowest - _BACK_BPM else found
        return found


def zones_of(age: int | None, highest_bpm: float | None) -> Zones:
    """Raises UserError for both, for an age below 10 or above 110, and for a rate that is none."""
    if age is not None and highest_bpm is not None:
        raise UserError("give either the age or the highest heart rate")
    if age is not None and not 10 <= age <= 110:
        raise UserError(f"an age of {age}: 10 to 110 years")
    return Zones(220.0 - age) if age is not None else Zones(highest_bpm or 190.0)
