"""A user's own words: clips in a folder for each, divided so that the levels are not chosen on what was learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.wake.parts import Material
from pintsize.apps.assistant.wake.sentences import EVERYDAY
from pintsize.apps.assistant.wake.words import OTHER
from pintsize.apps.sounds import RATE_HZ, Labelled, can_speak, labelled_folder, said_by_many, share_of
from pintsize.errors import DataError

#: whether the n-th clip of its label is
Wanted = Callable[[int], bool]

LEAST_CLIPS = 3
#: of a word's clips one in so many chooses the level
ONE_IN = 5
#: longer clips hold more than a wake word
LONGEST_S = 2.5
SHORTEST_S = 0.2
#: folders whose clips are none of the words
OTHERS = (OTHER, "others", "unknown", "background", "_background_noise_", "noise", "negative")
_PIECE_S = (0.06, 0.18)


def own_material(clips: Path, seed: int) -> tuple[Material, Material]:
    """(what is learnt, what chooses the levels) of `clips/<word>/<file>`; `clips/other/` may hold other speech.

    Without other speech a synthesizer's stands in where there is one; clips cut into pieces and shuffled always help.
    Raises DataError for fewer than three clips of a word, or clips that cannot be one.
    """
    words, given = usable_clips(clips)
    shuffled = _all_shuffled(words, seed)
    synthesized = _synthesized(seed) if not given else []
    others = [*given, *synthesized, *shuffled]
    return _divided(words, others, lambda n: n % ONE_IN != 0), _divided(
        words, others, lambda n: n % ONE_IN == 0
    )


def usable_clips(clips: Path) -> tuple[list[Labelled], list[Labelled]]:
    """Those of words, and those of other speech. Raises DataError as `own_material` does."""
    found = labelled_folder(clips)
    words = [c for c in found if c.label.lower() not in OTHERS]
    _require_usable(words, clips)
    return words, [c for c in found if c.label.lower() in OTHERS]


def _require_usable(words: Sequence[Labelled], folder: Path) -> None:
    counts = {label: sum(c.label == label for c in words) for label in sorted({c.label for c in words})}
    if not counts:
        raise DataError(f"{folder} holds no word: {', '.join(OTHERS)} are names of what is none")
    few = [f"{label} ({count})" for label, count in counts.items() if count < LEAST_CLIPS]
    if few:
        raise DataError(
            f"{folder}: fewer than {LEAST_CLIPS} clips of {', '.join(few)}; record more, 20 are a good start"
        )
    for clip in words:
        seconds = len(clip.clip) / RATE_HZ
        if not SHORTEST_S <= seconds <= LONGEST_S:
            raise DataError(
                f"{folder / clip.origin} is {seconds:.1f} s long: a wake word alone takes {SHORTEST_S} to {LONGEST_S} s"
            )


def _divided(words: Sequence[Labelled], others: Sequence[Labelled], wanted: Wanted) -> Material:
    return Material(_nth(words, wanted), _nth(others, wanted))


def _nth(clips: Sequence[Labelled], wanted: Wanted) -> tuple[Labelled, ...]:
    """Of each label's clips, in an order that only their names decide, those whose number is wanted."""
    by_label: dict[str, list[Labelled]] = {}
    for clip in sorted(clips, key=lambda c: share_of(c.origin)):
        by_label.setdefault(clip.label, []).append(clip)
    return tuple(c for label in sorted(by_label) for n, c in enumerate(by_label[label]) if wanted(n))


def _all_shuffled(words: Sequence[Labelled], seed: int) -> list[Labelled]:
    random = np.random.default_rng([seed, 7])
    return [
        replace(c, clip=_shuffled(c.clip, random), label="shuffled", origin=f"shuffled/{c.origin}")
        for c in words
    ]


def _shuffled(clip: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """The clip in pieces of a sound or two, in another order: this voice and microphone, no word."""
    cuts = np.cumsum(np.round(random.uniform(*_PIECE_S, 1 + len(clip) // 800) * RATE_HZ).astype(np.int64))
    pieces = np.split(clip, cuts[cuts < len(clip)])
    return np.concatenate([pieces[n] for n in random.permutation(len(pieces))])


def _synthesized(seed: int) -> list[Labelled]:
    if not can_speak():
        return []
    return [
        Labelled(clip, "synthesized", "", f"synthesized/{n}", {})
        for n, clip in enumerate(said_by_many(EVERYDAY, seed + 11, times=2))
    ]
