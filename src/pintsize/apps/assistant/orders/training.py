"""Trains the spoken orders and writes the folder that ships; or a user's own phrases.

    python -m pintsize.apps.assistant.orders.training DATA --seed 0     # the shipped weights, from the public data

The recordings have no transcripts and need none: each value of each slot has an output, whose largest answer over the
window is taken. Most of what is heard is synthesized: orders of the menu by espeak-ng's voices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize import frontend
from pintsize.apps.assistant.orders.card import card_of
from pintsize.apps.assistant.orders.evaluation import evaluate
from pintsize.apps.assistant.orders.menu import GROUPS, INTENT, NEEDED, chosen_of, labels_of, order
from pintsize.apps.assistant.orders.orders import FACTS, WEIGHTS, read_groups
from pintsize.apps.assistant.orders.parts import Recorded, recorded
from pintsize.apps.assistant.phrases.features import Features
from pintsize.apps.assistant.phrases.learning import Schedule, Watch, answers, as_integers, learn
from pintsize.apps.assistant.phrases.material import Examples, noises, paced, said
from pintsize.apps.assistant.phrases.network import SpottingNetwork
from pintsize.apps.assistant.phrases.training import EVERYDAY, train_phrases, usable_phrases
from pintsize.apps.assistant.phrases.training import Effort as PhrasesEffort
from pintsize.apps.assistant.phrases.variation import Spectra, Variation, Variety
from pintsize.apps.assistant.phrases.window import Clip, centred, trimmed
from pintsize.apps.shipping import CARD, ship
from pintsize.apps.sounds import as_codes, labelled_clips
from pintsize.apps.training_line import training_line
from pintsize.errors import DataError
from pintsize.folder import write_file
from pintsize.stream.decision import Calibration
from pintsize.together import one_thread_each

WINDOW_S, HIGH_HZ = 6.0, 6000.0
VARIETY = Variety(
    warp=(0.78, 1.28),
    pace=0.25,
    shift=20.0,
    tilt=2.0,
    curve=1.0,
    noise=(2.0, 18.0),
    room_share=0.4,
    clear_share=0.3,
)
#: of all draws
RECORDED, SYNTHESIZED, NO_ORDER = 0.5, 0.42, 0.08
FLASH_DEVICE = "stm32h7a3"
TEMPERATURES = tuple(np.round(np.geomspace(0.5, 4.0, 13), 3).tolist())
#: of orders that are told, this share has every slot right on validation
RIGHT = 0.8
#: of a user's own orders: minutes on a laptop
OWN = PhrasesEffort(copies=16_000, schedule=Schedule(steps=900, batch=64))
OTHERS = ("speech_digits_fsdd", "wakewords_picovoice")


@dataclass(frozen=True)
class Effort:
    """spoken: synthesized orders; copies: varied ones that are made of all examples together; width: of the network."""

    spoken: int = 1200
    copies: int = 12_000
    width: int = 72
    schedule: Schedule = field(
        default_factory=lambda: Schedule(steps=3000, batch=32, learning_rate=3e-3, hidden=12)
    )


def train(
    data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """From the folder of data sets to a folder that ships; gives its figures. The same seed, the same bytes.

    Raises DataError where the data is not there, ToolError where espeak-ng is not installed.
    """
    effort, features = effort or Effort(), Features(WINDOW_S, 40, HIGH_HZ)
    learnt = recorded(data, "train")
    examples, targets = _examples(learnt, data, effort.spoken, features, seed)
    with one_thread_each():
        network = _network(examples, targets, features, seed, watch, effort)
    calibration, least, figures = _judged(network, recorded(data, "validation"), features)
    samples = np.stack([as_codes(centred(trimmed(r.clip), features.samples)) for r in learnt])
    with one_thread_each():
        graph = as_integers(network, features, samples)
    facts = {"intent": INTENT, "groups": GROUPS, "needed": NEEDED, "least": least}
    return ship(
        replace(graph, name="orders", labels=labels_of(GROUPS)), out, calibration=calibration, figures=figures,
        facts={FACTS: facts}, card=card_of({}, figures, seed), flash_device=FLASH_DEVICE,
    )  # fmt: skip


def train_own(clips: Path, out: Path, *, seed: int = 0, watch: Watch = print) -> dict[str, Any]:
    """One's own orders as whole phrases, from `clips/<order>/<file>`. Raises DataError as `train_phrases` does."""
    return train_phrases(clips, out, seed=seed, watch=watch, effort=OWN)


def require_usable(clips: Path) -> None:
    """Raises DataError as `train_own` does, before anything is trained."""
    usable_phrases(clips)


def _examples(
    learnt: Sequence[Recorded], data: Path, spoken: int, features: Features, seed: int
) -> tuple[Examples, torch.Tensor]:
    """Recorded and synthesized orders and what is none, and the targets of each: (n, groups)."""
    random = np.random.default_rng(seed)
    examples, orders = Examples([], [], []), [r.slots for r in learnt]
    copies = 3
    clips = paced([r.clip for r in learnt], copies, random)
    examples.add(clips, list(range(len(learnt))) * (1 + copies), RECORDED, features)
    made = [order(random) for _ in range(spoken)]
    texts, slots = [text for text, _ in made], [found for _, found in made]
    examples.add(said(texts, random), [len(orders) + i for i in range(spoken)], SYNTHESIZED, features)
    orders += [*slots, {}]
    none = [*_other_speech(data), *noises(30, random), *said(EVERYDAY * 3, random)]
    examples.add(none, [len(orders) - 1] * len(none), NO_ORDER, features)
    every = torch.tensor([target_of(found, GROUPS) for found in orders])
    return examples, every[torch.tensor(examples.labels)]


def target_of(slots: Mapping[str, str], groups: Mapping[str, Sequence[str]]) -> list[int]:
    """Of each group the place of its value, from 1 on; 0 for none."""
    chosen = chosen_of(slots, groups)
    return [
        1 + list(values).index(chosen[group]) if group in chosen else 0 for group, values in groups.items()
    ]


def _other_speech(data: Path) -> list[Clip]:
    found: list[Clip] = []
    for folder in OTHERS:
        try:
            found += [c.clip for c in labelled_clips(data / folder) if c.split == "train"][::8]
        except DataError:
            continue
    return found


def _network(
    examples: Examples, targets: torch.Tensor, features: Features, seed: int, watch: Watch, effort: Effort
) -> SpottingNetwork:
    odds = np.asarray(examples.weights) / np.sum(examples.weights)
    rows = np.random.default_rng(seed).choice(len(odds), effort.copies, p=odds)
    watch(f"{len(odds)} examples, {effort.copies} copies")
    x = Variation(Spectra.of(examples.spectra, features), features, seed, VARIETY).copies(rows)
    torch.manual_seed(seed)
    network = SpottingNetwork(features.bands, len(labels_of(GROUPS)), effort.width)
    y = targets[torch.from_numpy(rows)]
    learn(network, x, y, np.ones(len(x)), group_loss, effort.schedule, seed, watch)
    return network


def group_loss(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Cross-entropy summed over the groups, each with a logit of 0 for none. y: (n, groups)."""
    total, first = outputs.new_zeros(()), 0
    for number, values in enumerate(GROUPS.values()):
        of_group = F.pad(outputs[:, first : first + len(values)], (1, 0))
        total = total + F.cross_entropy(of_group, y[:, number], label_smoothing=0.03)
        first += len(values)
    return total


def _judged(
    network: SpottingNetwork, judged: Sequence[Recorded], features: Features
) -> tuple[Calibration, float, dict[str, float]]:
    """Temperature and least probability from the validation part, and its figures."""
    x = np.stack([_seen(r.clip, features) for r in judged])
    outputs = answers(network, torch.from_numpy(x))
    right = [chosen_of(r.slots, GROUPS) for r in judged]

    def read(temperature: float) -> list[tuple[dict[str, str], float]]:
        return [read_groups(o, GROUPS, Calibration(temperature)) for o in outputs]

    def likelihood(temperature: float) -> float:
        pairs = zip(read(temperature), right, strict=True)
        return sum(np.log(p) if f == r else np.log(max(1.0 - p, 1e-6)) for (f, p), r in pairs)

    temperature = max(TEMPERATURES, key=likelihood)
    found = read(temperature)
    hits = np.array([f == r for (f, _), r in zip(found, right, strict=True)])
    sure = np.array([p for _, p in found])
    figures = {"exact_on_validation": float(hits.mean()), "validation_clips": float(len(hits))}
    return Calibration(temperature), least_told(sure, hits), figures


def least_told(sure: NDArray[np.float64], hits: NDArray[np.bool_]) -> float:
    """The least of 0.10, 0.15 … 0.90 at which enough of what is told is right."""
    for least in np.arange(10, 91, 5) / 100:
        told = sure >= least
        if told.any() and hits[told].mean() >= RIGHT:
            return float(least)
    return 0.9


def _seen(clip: Clip, features: Features) -> NDArray[np.float32]:
    """What the network sees of a recording, (frames, bands)."""
    samples = as_codes(centred(trimmed(clip), features.samples))[None]
    return frontend.features(features.front_end(), samples)[0]


def main(given: Sequence[str] | None = None) -> None:
    parser = training_line("Trains the spoken orders that ship.", WEIGHTS)
    options = parser.parse_args(given)
    figures = train(options.data, options.out, seed=options.seed)
    found = evaluate(options.data, options.out)
    write_file(options.out / CARD, card_of(found, figures, options.seed).encode())
    print({**figures, **found})


if __name__ == "__main__":
    main()
