"""The heart rate of a signal, second by second: band-pass as an artifact, then the integer rule for beats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.wearable.heart_rate.kinds import FINE, KINDS, LONGEST, RAIL, WINDOW_S, Kind
from pintsize.apps.wearable.heart_rate.peaks import Beat, Peaks
from pintsize.apps.wearable.heart_rate.rates import (
    CLIPPED,
    REASONS,
    SHORT,
    Rate,
    first_of_window,
    rate_of,
    surety,
)
from pintsize.errors import DataError, UserError
from pintsize.stream.artifact import Artifact, load

#: the fact of the manifest that says how sure a rate is, by how many intervals agree
CONFIDENCE = "rate_confidence"
WEIGHTS = Path(__file__).parents[1] / "weights"
#: a second with more than one sample in so many at the end of the range is clipped
_RAILS = 20
_LARGEST = 32_767


class HeartRate:
    """Told a second of samples, says the rate of the last 8 s. Not for two signals at a time."""

    def __init__(self, artifact: Artifact, kind: Kind) -> None:
        if artifact.input.elements != kind.rate_hz or artifact.input.dtype != "int16":
            raise UserError(
                f"{artifact.manifest.name} takes {artifact.input.elements} samples of {artifact.input.dtype}: the "
                f"{kind.title} is filtered {kind.rate_hz} int16 samples at a time"
            )
        self.artifact, self.kind = artifact, kind
        self._sure: tuple[float, ...] = tuple(artifact.manifest.content.get(CONFIDENCE, ()))
        self._peaks = Peaks(kind)
        self.reset()

    def reset(self) -> None:
        """What comes next does not follow what was."""
        self.artifact.reset()
        self._peaks.reset()
        self.beats: list[Beat] = []
        self._first: int | None = None
        self._clipped_until = 0

    @property
    def now(self) -> int:
        """Samples since the beginning."""
        return self._peaks.now

    @property
    def upright(self) -> bool:
        """Whether a pulse rises more steeply than it falls, as it should."""
        return self._peaks.upright

    def codes(self, samples: NDArray[np.int16]) -> tuple[int, int]:
        """As C says it: the rate in sixteenths of a beat per minute or 0, and the reason's code."""
        return self._told(samples)[:2]

    def push(self, samples: NDArray[np.int16]) -> Rate:
        """samples: the next second, int16 (rate_hz,). Raises DataError for another number of them."""
        bpm, reason, agree, intervals = self._told(samples)
        agreement = agree / intervals if intervals else 0.0
        sure = self._sure[surety(agreement)] if bpm and self._sure else None
        rate = bpm / FINE if bpm else None
        return Rate(rate, REASONS[reason] or None, len(self.beats), agreement, not self.upright, sure)

    def _told(self, samples: NDArray[np.int16]) -> tuple[int, int, int, int]:
        codes = np.asarray(samples).reshape(-1)
        if len(codes) != self.kind.rate_hz or codes.dtype != np.int16:
            raise DataError(
                f"{codes.dtype} ({len(codes)},): a second of the {self.kind.title} is int16 ({self.kind.rate_hz},)"
            )
        if self.now >= LONGEST:
            self.reset()
        if self._first is None:
            self._first = int(codes[0])
        turned = self._peaks.turned
        band = self.artifact.run(_without(codes, self._first)).reshape(-1)
        found = self._peaks.push(band)
        if self._peaks.turned != turned:
            self.beats = []
        since = first_of_window(self.kind, self.now)
        self.beats = [beat for beat in (*self.beats, *found) if beat.time >= since]
        if _rails(codes) * _RAILS > len(codes):
            self._clipped_until = self.now + WINDOW_S * self.kind.rate_hz
        if self.now < self._clipped_until:
            return 0, CLIPPED, 0, 0
        if self.now < self._peaks.since + self.kind.learn + 4 * self.kind.rate_hz:
            return 0, SHORT, 0, 0
        return rate_of(self.kind, self.beats, self.now, self._peaks.total)


def _without(codes: NDArray[np.int16], first: int) -> NDArray[np.int16]:
    """Less the first sample of the signal, so that the filter does not begin with a step."""
    return np.clip(codes.astype(np.int32) - first, -_LARGEST - 1, _LARGEST).astype(np.int16)


def _rails(codes: NDArray[np.int16]) -> int:
    """How many samples are at either end of the range."""
    return int(np.count_nonzero((codes >= RAIL) | (codes <= -RAIL)))


def load_heart_rate(kind: str, weights: str | Path | None = None) -> HeartRate:
    """kind: "ppg" or "ecg"; weights: the folder that holds `heart_rate_<kind>`, None: the shipped ones.

    Raises UserError for another kind, VerificationError for weights that were changed.
    """
    if kind not in KINDS:
        raise UserError(f"heart rate from {kind!r} is not known: {', '.join(KINDS)}")
    return HeartRate(load(Path(weights or WEIGHTS) / f"heart_rate_{kind}"), KINDS[kind])
