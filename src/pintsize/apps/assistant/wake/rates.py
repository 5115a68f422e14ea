"""False rejects and false accepts of a detector, at its own level or at one that gives a wanted rate."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pintsize.apps.assistant.wake.hearing import Heard, detections
from pintsize.errors import DataError
from pintsize.stream.decision import Decision, Detection

#: levels are looked for on this grid of log-odds, from 5 % to 99.9 %
_LEVELS = 1.0 / (1.0 + np.exp(-np.linspace(-2.9, 6.9, 197)))
#: a word counts as heard when it is told from its beginning until so long after its end
LATEST_S = 0.6


@dataclass(frozen=True, eq=False)
class Spoken:
    """A sound in which a word is said once, from begin_s to end_s."""

    word: str
    heard: Heard
    begin_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class Background:
    """A sound that must not wake: it lasts `seconds`; said: (word, from, to) where a word of the model is said in it.

    Telling a word where it is said is right; telling another word there is not.
    """

    heard: Heard
    seconds: float
    said: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True)
class Rates:
    """Of one word at one level. latencies_s: from the end of the word to its decision, one per word that was heard."""

    word: str
    level: float
    false_reject: float
    false_accepts_per_hour: float
    latencies_s: tuple[float, ...]


def hours_without(word: str, backgrounds: Sequence[Background]) -> float:
    """Hours in which the word is not said."""
    said = sum(end - begin for b in backgrounds for w, begin, end in b.said if w == word)
    return (sum(b.seconds for b in backgrounds) - said) / 3600.0


def rates_at(
    word: str, level: float, spoken: Sequence[Spoken], backgrounds: Sequence[Background],
    labels: Sequence[str], rule: Detection,
) -> Rates:  # fmt: skip
    """Both rates of a word at a level. Raises DataError where the word is never said, or there is no background."""
    own, hours = [s for s in spoken if s.word == word], hours_without(word, backgrounds)
    if not own or not hours > 0:
        raise DataError(f"{word}: {len(own)} clips of it and {hours:.2f} hours without it: both are needed")
    late = [_latency_s(s, detections(s.heard, labels, word, rule, level)) for s in own]
    heard = tuple(x for x in late if x is not None)
    accepts = false_accepts(word, level, backgrounds, labels, rule)
    return Rates(word, level, 1.0 - len(heard) / len(own), accepts / hours, heard)


def false_accepts(
    word: str, level: float, backgrounds: Sequence[Background], labels: Sequence[str], rule: Detection
) -> int:
    """How often the word is told where it was not said."""
    return sum(
        not _was_said(d, b, word) for b in backgrounds for d in detections(b.heard, labels, word, rule, level)
    )


def level_for(
    word: str, per_hour: float, backgrounds: Sequence[Background], labels: Sequence[str], rule: Detection
) -> float:
    """The lowest level, on a grid of log-odds, from which on no more false accepts come than `per_hour` allows."""
    allowed = int(np.floor(per_hour * hours_without(word, backgrounds)))
    return _first(lambda on: false_accepts(word, on, backgrounds, labels, rule) <= allowed)


def highest_level(
    word: str, most_rejected: float, spoken: Sequence[Spoken], labels: Sequence[str], rule: Detection
) -> float:
    """The level up to which at most this share of the word's clips is rejected, on the same grid; else its lowest."""
    own = [s for s in spoken if s.word == word]
    allowed = int(np.floor(most_rejected * len(own)))

    def too_high(on: float) -> bool:
        return sum(_latency_s(s, detections(s.heard, labels, word, rule, on)) is None for s in own) > allowed

    return _first(too_high)


def _first(holds: Callable[[float], bool]) -> float:
    """The lowest level of the grid from which on it holds, the highest where it never does."""
    return float(_LEVELS[min(bisect_left(_LEVELS, True, key=lambda on: holds(float(on))), len(_LEVELS) - 1)])


def _latency_s(spoken: Spoken, told: Sequence[Decision]) -> float | None:
    """None where the word was not told in its time."""
    times = [d.time_s for d in told if spoken.begin_s <= d.time_s <= spoken.end_s + LATEST_S]
    return times[0] - spoken.end_s if times else None


def _was_said(decision: Decision, background: Background, word: str) -> bool:
    return any(w == word and begin <= decision.time_s <= end + LATEST_S for w, begin, end in background.said)
