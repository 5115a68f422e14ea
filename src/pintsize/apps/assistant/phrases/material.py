"""What a classifier of phrases learns from: labelled clips, their paces, synthesized voices, and what is no phrase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.phrases.features import Features, power_spectra
from pintsize.apps.assistant.phrases.window import Clip, trimmed
from pintsize.apps.sounds import RATE_HZ, at_speed, noise
from pintsize.apps.sounds.synthesis import spoken
from pintsize.errors import DataError

ACCENTS = ("en-us", "en-us", "en-gb", "en-gb-scotland", "en-029", "en-gb-x-rp", "en-us-nyc")
VOICES = (
    "Adam", "Alex", "Alicia", "Andrea", "Andy", "Annie", "Antonio", "Belinda", "Benjamin", "Boris", "Caleb", "David",
    "Denis", "Ed", "Edward", "Gene", "Gustave", "Jacky", "John", "Lee", "Linda", "Marco", "Max", "Michael", "Mike",
    "Paul", "Quincy", "Rob", "Robert", "Steph", "anika", "f1", "f2", "f3", "f4", "f5", "grandma", "grandpa", "klatt",
    "klatt2", "klatt3", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "shelby", "travis", "victor",
)  # fmt: skip
WORDS_PER_MINUTE, PITCHES = (115, 215), (20, 80)
#: of what is no phrase: pieces of other speech, in seconds
PIECE_S = (0.25, 0.95)
NOISES = ("white", "pink", "brown", "hum", "knocks", "wavering")


@dataclass(frozen=True, eq=False)
class Examples:
    """spectra: power spectra of trimmed clips; labels: their indices; weights: how often each is drawn."""

    spectra: list[NDArray[np.float16]]
    labels: list[int]
    weights: list[float]

    def add(self, clips: Sequence[Clip], labels: Sequence[int], share: float, features: Features) -> None:
        """Clips that are drawn in `share` of all draws together; what is silent is left out."""
        for clip, label in zip(clips, labels, strict=True):
            try:
                kept = trimmed(clip)
            except DataError:
                continue
            self.spectra.append(power_spectra(kept, features.bins))
            self.labels.append(label)
            self.weights.append(share / len(clips))


def paced(clips: Sequence[Clip], copies: int, random: np.random.Generator) -> list[Clip]:
    """The clips in order, then `copies` times the clips in order, each at another speed and with it pitch."""
    return [*clips] + [
        at_speed(c, float(np.exp(random.uniform(-0.2, 0.2)))) for _ in range(copies) for c in clips
    ]


def said(texts: Sequence[str], random: np.random.Generator) -> list[Clip]:
    """Each text by a voice of espeak-ng drawn at random. Raises ToolError where it is not installed."""
    return [spoken(text, f"{random.choice(ACCENTS)}+{random.choice(VOICES)}",
                   int(random.integers(*WORDS_PER_MINUTE)), int(random.integers(*PITCHES)))
            for text in texts]  # fmt: skip


def pieces_of(clips: Sequence[Clip], count: int, random: np.random.Generator) -> list[Clip]:
    """Pieces of other speech, from anywhere in it."""
    found: list[Clip] = []
    for _ in range(count if clips else 0):
        clip = clips[int(random.integers(len(clips)))]
        length = min(len(clip), round(float(random.uniform(*PIECE_S)) * RATE_HZ))
        first = int(random.integers(len(clip) - length + 1))
        found.append(clip[first : first + length])
    return found


def noises(count: int, random: np.random.Generator) -> list[Clip]:
    """Sounds that nobody said, of every kind in turn."""
    return [noise(NOISES[i % len(NOISES)], round(float(random.uniform(0.2, 1.0)) * RATE_HZ), random, RATE_HZ)
            for i in range(count)]  # fmt: skip
