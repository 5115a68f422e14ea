"""Trains the beat classes and writes the folder that ships.

    python -m pintsize.apps.ecg.classes.training DATA --seed 0             # the shipped weights
    python -m pintsize.apps.ecg.classes.training DATA --folds              # how well patients held out are told

A float network learns the beats of the training patients, and `pintsize.shrink` makes it fit a flash budget. What
confidences mean, and under which nothing is said, is found with training patients held out in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import pintsize
from pintsize.apps.ecg.beats.records import RATE_HZ, read_records, training_records
from pintsize.apps.ecg.classes.card import card_of
from pintsize.apps.ecg.classes.classifier import FACTS, WEIGHTS
from pintsize.apps.ecg.classes.context import ONE
from pintsize.apps.ecg.classes.evaluation import evaluate
from pintsize.apps.ecg.classes.examples import AFTER, BEFORE, Examples, examples_of
from pintsize.apps.ecg.classes.figures import LABELS, class_figures, confusion
from pintsize.apps.ecg.classes.learning import Schedule, learn, logits
from pintsize.apps.ecg.classes.network import Network, taking_codes
from pintsize.apps.ecg.classes.variation import tensors_of, varied
from pintsize.apps.shipping import CARD, ship
from pintsize.apps.training_line import training_line
from pintsize.data import Dataset, Splits
from pintsize.folder import write_file
from pintsize.stream.decision import Calibration, fit_temperature
from pintsize.together import one_thread_each

Watch = Callable[[str], object]

DEVICE = "nrf52840"
#: patients held out together; each group has beats of all kinds
FOLDS = (
    ("101", "106", "119", "209", "230"),
    ("108", "122", "203", "207", "220"),
    ("109", "112", "118", "201", "208", "215"),
    ("114", "115", "116", "124", "205", "223"),
)
#: of the logit of N, what was tried; that with the largest mean of accuracy and the F1 of V and S is taken
BIASES = (0.0, 0.25, 0.5, 0.75, 1.0)
#: the share of the patients' beats that the threshold leaves told, patients held out
TOLD = 0.95


@dataclass(frozen=True)
class Effort:
    """width: of the float network; flash_bytes: that its integers may take; copies: varied beats to shrink it with."""

    width: int = 16
    flash_bytes: int = 15_000
    copies: int = 16_000
    schedule: Schedule = field(default_factory=Schedule)


@dataclass(frozen=True)
class HeldOut:
    """What patients that a network did not learn from tell: figures, what confidences mean, when to say nothing.

    bias: added to the logit of N: an epoch shows fewer of them than life does
    """

    figures: dict[str, float]
    bias: float
    calibration: Calibration
    threshold: float


@one_thread_each()
def train(
    data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """From the folder of data sets to a folder that ships; gives its figures. The same seed, the same bytes.

    Raises DataError where the data is not there.
    """
    how = effort or Effort()
    examples = examples_of(read_records(data, training_records(data)))
    watch(f"{len(examples)} beats of {len({*examples.patient.tolist()})} patients")
    held_out = held_out_of(examples, how, seed, watch)
    teacher = _taught(examples, how, seed, watch)
    with torch.no_grad():
        teacher.classify.bias[LABELS.index("N")] += held_out.bias
    graph, drop = _shrunk(teacher, examples, how, seed)
    facts = {"before": BEFORE, "after": AFTER, "rate_hz": RATE_HZ, "threshold": held_out.threshold}
    return ship(
        graph, out, calibration=held_out.calibration, figures={**held_out.figures, **drop}, facts={FACTS: facts},
        flash_device=DEVICE,
    )  # fmt: skip


def held_out_of(examples: Examples, how: Effort, seed: int, watch: Watch) -> HeldOut:
    """Each group of patients as a network tells them that learnt from the others; of the float networks."""
    outputs = np.zeros((len(examples), len(LABELS)), np.float32)
    for number, patients in enumerate(FOLDS):
        held = np.isin(examples.patient, patients)
        network = _taught(examples.take(~held), how, seed, _nobody)
        outputs[held] = logits(network, examples.take(held))
        watch(f"patients held out: group {number + 1} of {len(FOLDS)}")
    bias = max(BIASES, key=lambda b: float(np.mean([*_three(outputs, examples, b).values()])))
    outputs[:, LABELS.index("N")] += bias
    calibration = fit_temperature(outputs, examples.kind)
    confidence = calibration.probabilities(outputs).max(axis=1)
    figures = {f"held_out_{name}": value for name, value in _three(outputs, examples, 0.0).items()}
    watch(f"bias of N {bias}: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    return HeldOut(figures, bias, calibration, round(float(np.quantile(confidence, 1 - TOLD)), 3))


def _three(outputs: NDArray[np.float32], examples: Examples, bias: float) -> dict[str, float]:
    """The three figures that matter most, with so much more on the logit of N."""
    told = (outputs + bias * (np.array(LABELS) == "N")).argmax(axis=1)
    found = class_figures(confusion(examples.kind, told))
    return {name: found[name] for name in ("accuracy", "v_f1", "s_f1")}


def _taught(examples: Examples, how: Effort, seed: int, watch: Watch) -> Network:
    torch.manual_seed(seed)
    return learn(Network(how.width), examples, how.schedule, seed, watch)


def _shrunk(
    teacher: Network, examples: Examples, how: Effort, seed: int
) -> tuple[pintsize.Graph, dict[str, float]]:
    """The integers that fit, and how they compare with the float network on the samples held back."""
    x, y = varied_copies(examples, how, seed)
    held = np.arange(len(x)) % 5
    train, chosen, last = (Dataset(x[part], y[part], LABELS) for part in (held > 1, held == 0, held == 1))
    report = pintsize.shrink(
        taking_codes(teacher), Splits(train, chosen, last), device=DEVICE, effort="low", seed=seed,
        budget=pintsize.Budget(flash=float(how.flash_bytes)), cores=("cortex-m4",),
    )  # fmt: skip
    drop = {"shrunk_drop": report.figure("drop") or 0.0}
    return replace(report.graph, name="beat_classes", labels=LABELS), drop


def varied_copies(
    examples: Examples, how: Effort, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n, channels, samples) codes and (n,) kinds: half of the draws are of other kinds than N."""
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    normal = np.flatnonzero(examples.kind == 0)
    others = np.flatnonzero(examples.kind != 0)
    index = np.concatenate([random.choice(normal, how.copies // 2), random.choice(others, how.copies // 2)])
    random.shuffle(index)
    x, kind = varied(tensors_of(examples), torch.from_numpy(index), how.schedule.variation, generator)
    return x.numpy() * np.float32(ONE), kind.numpy()


def _nobody(line: str) -> None:
    """Who watches when nobody does."""


def publish(data: Path, out: Path, seed: int, watch: Watch = print) -> dict[str, float]:
    """`train`, then measures the unseen patients and writes the card; gives the metrics."""
    figures = train(data, out, seed=seed, watch=watch)
    evaluation = evaluate(data, out)
    write_file(out / CARD, card_of(evaluation, figures, seed).encode())
    return dict(evaluation.metrics)


def main() -> None:
    """The command line of the shipped classes."""
    parser = training_line("Trains the beat classes that ship.", WEIGHTS)
    parser.add_argument("--folds", action="store_true", help="only tell how well patients held out are told")
    options = parser.parse_args()
    if options.folds:
        examples = examples_of(read_records(options.data, training_records(options.data)))
        print(held_out_of(examples, Effort(), options.seed, print))
        return
    for name, value in publish(options.data, options.out, options.seed).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
