"""What the network learns from: three seconds of features each, made by the device's integers, and where a word is.

A clip of a word is varied and put somewhere into silence, often with other speech before or after it; now and then only
one half of it is, and that is no word. Other speech fills as much time again. Loudness and noise are not in here:
energies add up, so `learning` adds them anew in every epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.wake.front import FrontEnd, compiled_front_end
from pintsize.apps.sounds import RATE_HZ, Augmentation, Labelled, Recipe, active_span, as_codes, hours_of

Clip = NDArray[np.float32]

SECONDS = 3.0
SAMPLES = round(SECONDS * RATE_HZ)
#: the loudness here is the same for all, `learning` varies it
LOUDNESS_DB = (-30.0, -20.0)
VARIED = Recipe(speed=(0.84, 1.2), loudness_db=LOUDNESS_DB, room_share=0.35, noise_share=0.0)
VARIED_OTHERS = Recipe(speed=(0.8, 1.25), loudness_db=(-32.0, -18.0), room_share=0.35, noise_share=0.0)
NOISE_DB = -26.0
#: in which a word ends
_ENDS_S = (1.5, 2.75)
_SHARE_WITH_SPEECH, _SHARE_OF_HALVES, _HALF_AT = 0.4, 0.15, (0.35, 0.55)
_FADE_SAMPLES = 160


@dataclass(frozen=True, eq=False)
class Examples:
    """features: float16 (n, frames, mels); word: (n,) index of the word, -1 for none; begin_s, end_s: (n,) of the word.

    noise: float16 (m, frames, mels), of noises and other voices at -26 dB.
    """

    features: NDArray[np.float16]
    word: NDArray[np.int64]
    begin_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    noise: NDArray[np.float16]


@dataclass
class _Collected:
    """The features of sounds, and where in each a word is."""

    front: FrontEnd
    rows: list[tuple[int, float, float]] = field(default_factory=list)
    _made: list[NDArray[np.float16]] = field(default_factory=list)

    def add(self, sound: Clip, word: int = -1, begin_s: float = 0.0, end_s: float = 0.0) -> None:
        self.rows.append((word, begin_s, end_s))
        self._made.append(self.front(as_codes(sound)).astype(np.float16))

    def features(self) -> NDArray[np.float16]:
        return np.stack(self._made)


def examples(
    words: Sequence[Labelled],
    labels: Sequence[str],
    others: Sequence[Clip],
    copies: int,
    noises: int,
    seed: int,
    watch: Callable[[str], object] = print,
) -> Examples:
    """`copies` examples of each clip of a word, and about as many of other speech; labels: the words in their order."""
    with compiled_front_end(SECONDS) as front:
        collected = _Collected(front)
        placing = _Placing(others, seed)
        for number in range(copies):
            watch(f"copy {number + 1} of {copies} of every clip")
            for one in words:
                placing.put(one, list(labels).index(one.label), collected, first=number == 0)
        watch("other speech")
        for sound in _other_speech(others, len(collected.rows), seed):
            collected.add(sound)
        noise = _noises(others, noises, seed, front)
    word, begin_s, end_s = np.array(collected.rows, np.float64).T
    return Examples(collected.features(), word.astype(np.int64), begin_s, end_s, noise)


class _Placing:
    """Puts varied copies of words into three seconds."""

    def __init__(self, others: Sequence[Clip], seed: int) -> None:
        self._random = np.random.default_rng([seed, 1])
        self._varied = Augmentation(seed + 1, VARIED, others)
        self._varied_others = Augmentation(seed + 2, VARIED, others)
        self._others = others

    def put(self, one: Labelled, word: int, into: _Collected, first: bool) -> None:
        """One example of a clip, and at times one of half of it; the first copy is at the clip's own speed."""
        speed = 1.0 if first else float(self._random.uniform(*VARIED.speed))
        begin_s, end_s = (s / speed for s in active_span(one.clip, RATE_HZ))
        self._varied.recipe = replace(VARIED, speed=(speed, speed))
        clip = _faded(self._varied.apply(one.clip))
        ends_s = float(self._random.uniform(*_ENDS_S))
        sound = np.zeros(SAMPLES, np.float32)
        _add(sound, clip, round((ends_s - end_s) * RATE_HZ))
        self._surround(
            sound, round((ends_s - end_s + begin_s - 0.05) * RATE_HZ), round((ends_s + 0.15) * RATE_HZ)
        )
        into.add(sound, word, ends_s - end_s + begin_s, ends_s)
        if self._random.uniform() < _SHARE_OF_HALVES:
            into.add(self._half(clip, begin_s, end_s))

    def _surround(self, sound: Clip, before: int, after: int) -> None:
        if self._random.uniform() < _SHARE_WITH_SPEECH and before > 0:
            other = self._other()[-before:]
            _add(sound, other, before - len(other))
        if self._random.uniform() < _SHARE_WITH_SPEECH:
            _add(sound, self._other(), after)

    def _other(self) -> Clip:
        return _faded(self._varied_others.apply(self._others[int(self._random.integers(len(self._others)))]))

    def _half(self, clip: Clip, begin_s: float, end_s: float) -> Clip:
        cut = round((begin_s + (end_s - begin_s) * self._random.uniform(*_HALF_AT)) * RATE_HZ)
        half = clip[:cut] if self._random.uniform() < 0.5 else clip[cut:]
        sound = np.zeros(SAMPLES, np.float32)
        _add(sound, _faded(half), round(self._random.uniform(0.2, 1.2) * RATE_HZ))
        return sound


def _other_speech(others: Sequence[Clip], count: int, seed: int) -> Iterator[Clip]:
    """About `count` times three seconds of other speech."""
    made = hours_of(others, max(count, 20) * SECONDS / 3600.0, seed + 3, VARIED_OTHERS)
    for track in made.tracks():
        for first in range(0, len(track.clip) - SAMPLES + 1, SAMPLES):
            yield track.clip[first : first + SAMPLES]


def _noises(others: Sequence[Clip], count: int, seed: int, front: FrontEnd) -> NDArray[np.float16]:
    made, collected = Augmentation(seed + 4, VARIED, others), _Collected(front)
    for _ in range(count):
        collected.add(made.background(SAMPLES, NOISE_DB))
    return collected.features()


def _faded(clip: Clip) -> Clip:
    """Without a click at either end."""
    count = min(_FADE_SAMPLES, len(clip) // 2)
    faded = clip.copy()
    rising = np.linspace(0.0, 1.0, count, dtype=np.float32)
    faded[:count] *= rising
    faded[len(faded) - count :] *= rising[::-1]
    return faded


def _add(sound: Clip, clip: Clip, at: int) -> None:
    """Adds the clip from sample `at` on, as much of it as lies within the sound."""
    part = clip[max(0, -at) : max(0, len(sound) - at)]
    sound[max(0, at) : max(0, at) + len(part)] += part
