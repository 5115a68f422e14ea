"""Hours of what a detector must stay silent on, of minutes of speech: each pass over the clips says them differently.

A track is minutes of clips in a random order, each varied, with pauses between them, over a background that changes
from track to track; every so many tracks one is noise alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.sounds.augmentation import Augmentation, Recipe
from pintsize.apps.sounds.clip import RATE_HZ
from pintsize.apps.sounds.level import loudness_db
from pintsize.errors import UserError

Clip = NDArray[np.float32]

TRACK_S = 60.0
#: every so many tracks one has no speech in it
NOISE_EVERY = 6
_PAUSE_S = (0.1, 1.2)
_SILENCE_DB = -90.0
_BACKGROUND_DB = (-75.0, -35.0)
#: noise that is all there is, is louder by so much
_NOISE_ALONE_DB = 25.0
#: milder than for training: as recordings are, not as far as they may be
AS_HEARD = Recipe(
    speed=(0.93, 1.08), tilt=(-0.2, 0.2), room_share=0.3, noise_share=0.0, loudness_db=(-38.0, -15.0)
)


@dataclass(frozen=True)
class Said:
    """Where in a track a clip lies: its index among the clips, from when to when."""

    index: int
    start_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class Track:
    """Float32 (track_s · 16 kHz,), and what is said in it in order; nothing in a track of noise."""

    clip: Clip
    said: tuple[Said, ...]


@dataclass(frozen=True)
class Hours:
    """What `hours_of` makes: `count` tracks of `track_s` seconds each.

    voices: what babble is made of; None: the clips
    """

    clips: Sequence[Clip]
    count: int
    seed: int
    recipe: Recipe = AS_HEARD
    track_s: float = TRACK_S
    voices: Sequence[Clip] | None = None

    @property
    def hours(self) -> float:
        return self.count * self.track_s / 3600.0

    @property
    def distinct_s(self) -> float:
        """Of speech that went in; the rest are other renderings of it, and noise."""
        return sum(map(len, self.clips)) / RATE_HZ

    def tracks(self) -> Iterator[Track]:
        """One track after the other."""
        order = _endless(_sounding(self.clips), np.random.default_rng([self.seed, 0]))
        for number in range(self.count):
            yield self._track(number, order)

    def _track(self, number: int, order: Iterator[int]) -> Track:
        voices = self.clips if self.voices is None else self.voices
        varied = Augmentation(
            self.seed + 1000 * (number + 1), self.recipe, [voices[n] for n in _sounding(voices)]
        )
        random = np.random.default_rng([self.seed, number + 1])
        samples = round(self.track_s * RATE_HZ)
        level = float(random.uniform(*_BACKGROUND_DB))
        if number % NOISE_EVERY == NOISE_EVERY - 1:
            return Track(varied.background(samples, level + _NOISE_ALONE_DB), ())
        track, said, at = varied.background(samples, level), list[Said](), 0
        while at < samples:
            index = next(order)
            clip = varied.apply(self.clips[index])[: samples - at]
            track[at : at + len(clip)] += clip
            said.append(Said(index, at / RATE_HZ, (at + len(clip)) / RATE_HZ))
            at += len(clip) + round(float(random.uniform(*_PAUSE_S)) * RATE_HZ)
        return Track(np.clip(track, -1.0, 1.0), tuple(said))


def hours_of(
    clips: Sequence[Clip],
    hours: float,
    seed: int = 0,
    recipe: Recipe = AS_HEARD,
    voices: Sequence[Clip] | None = None,
) -> Hours:
    """At least `hours` of tracks made of the clips.

    voices: of people speaking in the background, where nothing marks what they say: no word that is to be detected may
    be among them; None: the clips.
    Raises UserError without clips that sound, or for no time at all.
    """
    count = len(_sounding(clips))
    if not count or not hours > 0:
        raise UserError(
            f"{count} clips that sound, {hours} hours: at least one clip and some time are needed"
        )
    return Hours(clips, int(np.ceil(hours * 3600.0 / TRACK_S)), seed, recipe, voices=voices)


def _sounding(clips: Sequence[Clip]) -> list[int]:
    """Which clips are more than silence."""
    return [number for number, clip in enumerate(clips) if loudness_db(clip) > _SILENCE_DB]


def _endless(numbers: Sequence[int], random: np.random.Generator) -> Iterator[int]:
    """Every one once, in an order of its own, again and again."""
    while True:
        yield from (numbers[int(place)] for place in random.permutation(len(numbers)))
