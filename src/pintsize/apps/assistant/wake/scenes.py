"""The sounds that rates are measured on: each clip of a word after a second of a quiet room, and hours of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.wake.hearing import hear
from pintsize.apps.assistant.wake.parts import Material
from pintsize.apps.assistant.wake.rates import Background, Spoken
from pintsize.apps.assistant.wake.words import WakeWords
from pintsize.apps.sounds import RATE_HZ, Labelled, active_span, hours_of, noise, with_loudness

Clip = NDArray[np.float32]

BEFORE_S, AFTER_S = 1.0, 0.8
ROOM_DB = -75.0


def alone(clip: Clip, seed: int) -> Clip:
    """The clip as it is, in a quiet room that is heard before and after it."""
    samples = round(BEFORE_S * RATE_HZ) + len(clip) + round(AFTER_S * RATE_HZ)
    room = with_loudness(noise("pink", samples, np.random.default_rng(seed)), ROOM_DB)
    first = round(BEFORE_S * RATE_HZ)
    room[first : first + len(clip)] += clip
    return room


def spoken_words(wake: WakeWords, words: Sequence[Labelled]) -> list[Spoken]:
    """Every clip of a word, heard alone."""
    found: list[Spoken] = []
    for number, one in enumerate(words):
        begin_s, end_s = active_span(one.clip, RATE_HZ)
        heard = hear(wake, alone(one.clip, number))
        found.append(Spoken(one.label, heard, BEFORE_S + begin_s, BEFORE_S + end_s))
    return found


def backgrounds(wake: WakeWords, material: Material, hours: float, seed: int) -> Iterator[Background]:
    """Hours of all speech of the material, words and others, varied, with noise; where a word is said is marked."""
    everything = [*material.others, *material.words]
    words = {n: clip.label for n, clip in enumerate(everything) if n >= len(material.others)}
    voices = [clip.clip for clip in material.others]
    made = hours_of([clip.clip for clip in everything], hours, seed, voices=voices)
    for track in made.tracks():
        said = tuple((words[s.index], s.start_s, s.end_s) for s in track.said if s.index in words)
        yield Background(hear(wake, track.clip), len(track.clip) / RATE_HZ, said)
