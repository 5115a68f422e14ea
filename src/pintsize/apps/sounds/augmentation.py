"""Varied copies of a clip: other speed and timbre, a room, another loudness, noise and other voices, another moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.sounds.clip import RATE_HZ
from pintsize.apps.sounds.level import loudness_db, with_loudness
from pintsize.apps.sounds.noise import NOISES, babble, noise
from pintsize.apps.sounds.room import in_room, room_response
from pintsize.apps.sounds.speed import at_speed, tilted
from pintsize.errors import UserError

Clip = NDArray[np.float32]
Range = tuple[float, float]


@dataclass(frozen=True)
class Recipe:
    """What is drawn for each copy: evenly from ranges (low, high), or done in a share (0 … 1) of the copies.

    speed: times as fast, with the pitch; tilt: see `tilted`; room_share, decay_s, direct_db: see `room_response`
    loudness_db: of the copy, below full scale; None: as it was
    noise_share, snr_db: speech over noise; babble_share: of the noisy ones with other voices, where there are any
    shift_s: moved so far, filled with silence
    Raises UserError for ranges out of order and shares beyond 0 … 1.
    """

    speed: Range = (0.85, 1.18)
    tilt: Range = (-0.4, 0.4)
    loudness_db: Range | None = (-45.0, -12.0)
    room_share: float = 0.4
    decay_s: Range = (0.1, 0.6)
    direct_db: Range = (-3.0, 12.0)
    noise_share: float = 0.7
    snr_db: Range = (3.0, 35.0)
    babble_share: float = 0.3
    shift_s: Range = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("speed", "tilt", "loudness_db", "decay_s", "direct_db", "snr_db", "shift_s"):
            given = getattr(self, name)
            if given is not None and not given[0] <= given[1]:
                raise UserError(f"{name}={given}: (low, high) in order is needed")
        for name in ("room_share", "noise_share", "babble_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise UserError(f"{name}={getattr(self, name)}: a share is from 0 to 1")
        if self.speed[0] <= 0 or self.decay_s[0] <= 0 or max(map(abs, self.tilt)) > 0.9:
            raise UserError("speed and decay_s must be above 0, tilt within -0.9 … 0.9")


class Augmentation:
    """Makes varied copies, one after the other; the same seed and the same calls give the same copies.

    babble: clips of other speech, for voices in the background
    """

    def __init__(
        self,
        seed: int = 0,
        recipe: Recipe | None = None,
        babble: Sequence[Clip] = (),
        rate_hz: float = RATE_HZ,
    ) -> None:
        self.recipe = recipe or Recipe()
        self.rate_hz = rate_hz
        self._random = np.random.default_rng(seed)
        self._voices = tuple(babble)

    def apply(self, clip: Clip) -> Clip:
        """A varied copy of float32 (n,) in ±1, clipped there; its length is divided by the speed."""
        recipe = self.recipe
        varied = tilted(at_speed(clip, self._drawn(recipe.speed)), self._drawn(recipe.tilt))
        if self._happens(recipe.room_share):
            response = room_response(
                self._random, self._drawn(recipe.decay_s), self._drawn(recipe.direct_db), self.rate_hz
            )
            varied = in_room(varied, response)
        varied = self._shifted(varied)
        if recipe.loudness_db is not None:
            varied = with_loudness(varied, self._drawn(recipe.loudness_db))
        if self._happens(recipe.noise_share):
            varied = varied + self._background(varied)
        return np.clip(varied, -1.0, 1.0).astype(np.float32)

    def background(self, samples: int, loudness: float) -> Clip:
        """Noise of a kind drawn at random, or other voices, at this mean power in dB."""
        if self._voices and self._happens(self.recipe.babble_share):
            made = babble(self._voices, samples, self._random, int(self._random.integers(2, 7)))
        else:
            kind = tuple(NOISES)[int(self._random.integers(len(NOISES)))]
            made = noise(kind, samples, self._random, self.rate_hz)
        return with_loudness(made, loudness)

    def _background(self, clip: Clip) -> Clip:
        return self.background(len(clip), loudness_db(clip) - self._drawn(self.recipe.snr_db))

    def _shifted(self, clip: Clip) -> Clip:
        shift = round(self._drawn(self.recipe.shift_s) * self.rate_hz)
        moved = np.zeros_like(clip)
        if shift >= 0:
            moved[shift:] = clip[: max(0, len(clip) - shift)]
        else:
            moved[:shift] = clip[-shift:]
        return moved

    def _drawn(self, bounds: Range) -> float:
        return float(self._random.uniform(*bounds))

    def _happens(self, share: float) -> bool:
        return float(self._random.uniform()) < share
