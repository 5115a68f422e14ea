"""Trains a classifier of phrases and writes the folder that ships: for digits, and for a user's own orders.

train_phrases(folder, out, seed=0, watch=print)      # folder/<phrase>/<clip>.wav, folder/other/ if you like
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize.apps.assistant.phrases.card import own_card
from pintsize.apps.assistant.phrases.classifier import FACTS, OTHER
from pintsize.apps.assistant.phrases.features import HOP, Features
from pintsize.apps.assistant.phrases.learning import Schedule, Watch, answers, as_integers, learn
from pintsize.apps.assistant.phrases.material import Examples, noises, paced, pieces_of, said
from pintsize.apps.assistant.phrases.network import WordNetwork
from pintsize.apps.assistant.phrases.tolerance import tolerant
from pintsize.apps.assistant.phrases.variation import Spectra, Variation
from pintsize.apps.assistant.phrases.window import Clip, centred, trimmed
from pintsize.apps.shipping import ship
from pintsize.apps.sounds import RATE_HZ, Labelled, as_codes, can_speak, labelled_folder, share_of
from pintsize.errors import DataError
from pintsize.stream.decision import Calibration, fit_temperature
from pintsize.together import one_thread_each

#: clips of a phrase, at least
FEWEST_CLIPS = 3
LONGEST_S = 4.0
HELD_BACK = 0.15
CALIBRATING = 256
#: of what is told, this share must be right on clips held back
RIGHT = 0.98
#: said by synthesized voices as what is no phrase
EVERYDAY = (
    "the kettle is on", "look out of the window", "when does the train leave", "it rained all morning", "thank you",
    "hello", "good night", "what time is it", "music", "kitchen", "weather", "yesterday", "please stop", "computer",
    "left", "right", "yes", "no", "maybe later", "turn around", "again", "water", "garden", "thirteen", "hundred",
)  # fmt: skip


@dataclass(frozen=True)
class Effort:
    """copies: varied ones that are made of all examples together; width: of the network."""

    copies: int = 60_000
    width: int = 56
    schedule: Schedule = field(default_factory=Schedule)


@dataclass(frozen=True, eq=False)
class Learnt:
    """A network with what makes its answers honest: temperature, and the least probability that is told."""

    network: WordNetwork
    features: Features
    labels: tuple[str, ...]
    calibration: Calibration
    least: float
    figures: dict[str, float]


def train_phrases(
    folder: Path, out: Path, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """One's own phrases from `folder/<phrase>/<clip>`; `folder/other/` may hold other speech. Gives the figures.

    Raises DataError for fewer than two phrases, for a phrase with fewer than three clips, and for phrases too long.
    """
    clips, features = usable_phrases(folder)
    labels = tuple(sorted({c.label for c in clips} - {OTHER}))
    counts = {label: sum(c.label == label for c in clips) for label in labels}
    kept, held = _divided(clips, seed)
    random = np.random.default_rng(seed)
    examples = Examples([], [], [])
    add_phrases(examples, kept, labels, 1.0, features, random)
    others = [c.clip for c in kept if c.label == OTHER] or [c.clip for c in kept]
    add_others(examples, others, len(labels), 0.25, features, random)
    learnt = learnt_of(examples, held, (*labels, OTHER), features, seed, watch, effort or Effort())
    return shipped(learnt, [c.clip for c in kept], out, "phrases", own_card(counts, learnt.figures, seed))


def usable_phrases(folder: Path) -> tuple[list[Labelled], Features]:
    """The clips, and a window that holds their phrases. Raises DataError as `train_phrases` does."""
    clips = labelled_folder(folder)
    labels = sorted({c.label for c in clips} - {OTHER})
    few = [label for label in labels if sum(c.label == label for c in clips) < FEWEST_CLIPS]
    if len(labels) < 2 or few:
        raise DataError(
            f"{folder}: {few or 'fewer than two phrases'}: two phrases or more, each with {FEWEST_CLIPS} clips or more "
            "in a folder of its own, are needed"
        )
    return clips, Features(_window_s([c.clip for c in clips if c.label in labels], folder), 40, 7000.0)


def add_phrases(
    examples: Examples, clips: Sequence[Labelled], labels: Sequence[str], share: float, features: Features,
    random: np.random.Generator, copies: int = 3,
) -> None:  # fmt: skip
    """Recorded phrases, and these at other speeds; every phrase is drawn as often as the others."""
    for index, label in enumerate(labels):
        made = paced([c.clip for c in clips if c.label == label], copies, random)
        examples.add(made, [index] * len(made), share / len(labels), features)


def add_others(
    examples: Examples, clips: Sequence[Clip], label: int, share: float, features: Features,
    random: np.random.Generator,
) -> None:  # fmt: skip
    """Pieces of other speech, everyday words of synthesized voices where there are any, and noises."""
    made = [*pieces_of(clips, 400, random), *noises(60, random)]
    if can_speak():
        made += said(EVERYDAY * 4, random)
    examples.add(made, [label] * len(made), share, features)


def learnt_of(
    examples: Examples, held: Sequence[Labelled], labels: tuple[str, ...], features: Features, seed: int, watch: Watch,
    effort: Effort,
) -> Learnt:  # fmt: skip
    """The network after training, and its temperature and threshold from varied copies of the clips held back."""
    with one_thread_each():
        return _learnt(examples, held, labels, features, seed, watch, effort)


def shipped(
    learnt: Learnt, clips: Sequence[Clip], out: Path, name: str, card: str, others: Sequence[Clip] = ()
) -> dict[str, Any]:
    """Writes the folder and gives its figures.

    clips: recorded ones, from which the integers' ranges are read; others: speech that is no phrase and was not heard
    in training: `other` is told as seldom as that allows (`tolerant`).
    """
    chosen = [clips[int(i)] for i in np.linspace(0, len(clips) - 1, min(CALIBRATING, len(clips)))]
    samples = np.stack([as_codes(centred(trimmed(c), learnt.features.samples)) for c in chosen])
    with one_thread_each():
        graph = as_integers(learnt.network, learnt.features, samples)
    if others:
        windows = audible_windows(others, learnt.features)
        graph = tolerant(graph, windows, learnt.labels.index(OTHER), learnt.calibration, learnt.least)
    return ship(
        replace(graph, name=name, labels=learnt.labels), out, calibration=learnt.calibration, figures=learnt.figures,
        facts={FACTS: {"least": learnt.least}}, card=card,
    )  # fmt: skip


def audible_windows(clips: Sequence[Clip], features: Features) -> NDArray[np.int16]:
    """(n, window) of those that are not silent."""
    found: list[NDArray[np.int16]] = []
    for clip in clips:
        try:
            found.append(as_codes(centred(trimmed(clip), features.samples)))
        except DataError:
            continue
    return np.stack(found)


def _learnt(
    examples: Examples, held: Sequence[Labelled], labels: tuple[str, ...], features: Features, seed: int, watch: Watch,
    effort: Effort,
) -> Learnt:  # fmt: skip
    random = np.random.default_rng(seed)
    spectra = Spectra.of(examples.spectra, features)
    odds = np.asarray(examples.weights) / np.sum(examples.weights)
    rows = random.choice(len(odds), effort.copies, p=odds)
    watch(f"1 of 3: {effort.copies} varied copies of {len(odds)} sounds")
    x = Variation(spectra, features, seed).copies(rows)
    y = torch.tensor(examples.labels)[torch.from_numpy(rows)]
    torch.manual_seed(seed)
    network = WordNetwork(features.bands, len(labels), effort.width)
    watch("2 of 3: learning from them")
    learn(network, x, y, np.ones(len(x)), _loss, effort.schedule, seed, watch)
    watch("3 of 3: judging, integers, writing the program and proving it on emulated cores")
    judged = Examples([], [], [])
    judged.add([c.clip for c in held], [labels.index(c.label) for c in held], 1.0, features)
    twice = np.repeat(np.arange(len(judged.labels)), 4)
    outputs = answers(
        network, Variation(Spectra.of(judged.spectra, features), features, seed + 1).copies(twice)
    )
    right = np.asarray(judged.labels)[twice]
    calibration = fit_temperature(outputs, right)
    least = least_told(calibration.probabilities(outputs), right, labels.index(OTHER))
    figures = {"accuracy_on_varied_copies_held_back": float((outputs.argmax(1) == right).mean())}
    return Learnt(network, features, labels, calibration, least, figures)


def least_told(probabilities: NDArray[np.float64], right: NDArray[np.int64], other: int) -> float:
    """The least of 0.40, 0.45 … 0.95 at which enough of what is told is right."""
    best, confidence = probabilities.argmax(1), probabilities.max(1)
    for least in np.arange(40, 96, 5) / 100:
        told = (best != other) & (confidence >= least)
        if told.any() and (best == right)[told].mean() >= RIGHT:
            return float(least)
    return 0.95


def _loss(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(outputs, y, label_smoothing=0.1)


def _divided(clips: Sequence[Labelled], seed: int) -> tuple[list[Labelled], list[Labelled]]:
    """Those to learn from, and of each label the share held back by a hash of its name, one at least."""
    held: list[Labelled] = []
    for label in sorted({c.label for c in clips}):
        own = sorted((c for c in clips if c.label == label), key=lambda c: share_of(c.origin, f"held {seed}"))
        held += own[: max(1, round(HELD_BACK * len(own)))]
    names = {c.origin for c in held}
    return [c for c in clips if c.origin not in names], held


def _window_s(clips: Sequence[Clip], folder: Path) -> float:
    """A window that holds nearly all of the phrases, and some of the pace at which others say them."""
    seconds = float(np.quantile([len(trimmed(c)) / RATE_HZ for c in clips], 0.95))
    if seconds > LONGEST_S:
        raise DataError(f"{folder}: phrases of {seconds:.1f} s; up to {LONGEST_S:.0f} s are allowed")
    frames = int(np.ceil(max(1.0, 1.15 * seconds) * RATE_HZ / HOP))
    return frames * HOP / RATE_HZ
