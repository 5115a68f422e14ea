"""Trains the activities and writes the folder that ships.

    python -m pintsize.apps.wearable.activity.training DATA --seed 0

Two wide networks learn first and teach a narrower one; `pintsize.shrink` makes that as small as it must be. Whatever
is chosen is chosen on three of the fourteen people of training, of whom nothing is learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import pintsize
from pintsize import Graph, frontend
from pintsize.apps.shipping import CARD, FLASH_DEVICE, ship
from pintsize.apps.training_line import training_line
from pintsize.apps.wearable.activity.activity import (
    CHANNELS,
    FACTS,
    RATE_HZ,
    WEIGHTS,
    ActivityModel,
    load_activity,
)
from pintsize.apps.wearable.activity.card import card_of
from pintsize.apps.wearable.activity.evaluation import evaluate, of_people, smoothed, stream_of
from pintsize.apps.wearable.activity.learning import (
    DELAY,
    UNIT,
    Schedule,
    Watch,
    decided,
    learn,
    material_of,
)
from pintsize.apps.wearable.activity.network import STRIDE, WINDOW, Network, OfWindow, Teacher
from pintsize.apps.wearable.activity.recordings import Recording, labels_of, people_of, recordings_of
from pintsize.apps.wearable.activity.smoothing import Rule
from pintsize.apps.wearable.activity.truth import JUDGED, macro_f1, middles
from pintsize.apps.wearable.activity.variation import Variation
from pintsize.apps.wearable.activity.windows import copies_of, windows_of
from pintsize.data import Dataset, Splits
from pintsize.folder import write_file
from pintsize.stream.decision import fit_temperature
from pintsize.together import one_thread_each

#: of the people of training, those that choices are made on
CHOOSING = ("s05", "s13", "s17")
TEACHERS = 2
HALF_RANGE = 1 << 15
#: what the front-end and the states of a stream add to a program of windows is kept free of 23 kB
FLASH = 20_900
SMOOTHINGS = (1, 2, 3, 4, 5)
#: outputs after a break before anything is told: a window of two seconds
WARM = JUDGED // STRIDE
#: share of validation's decisions that are held for unsure
UNSURE = 0.05


@dataclass(frozen=True)
class Effort:
    """Widths and lengths of the trainings; copies: varied ones of each window that the shrinker is given."""

    teacher_width: int = 72
    width: int = 36
    teachers: Schedule = field(default_factory=lambda: Schedule(steps=650))
    student: Schedule = field(default_factory=lambda: Schedule(steps=700))
    copies: int = 2


@one_thread_each()
def train(
    data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """From the folder of data sets to a folder that ships; gives its figures. Raises DataError without the data."""
    how = effort or Effort()
    people = [person for person in people_of(data).get("train", ()) if person not in CHOOSING]
    learning, choosing = recordings_of(data, people), recordings_of(data, CHOOSING)
    labels = labels_of(data)
    teacher, student = _taught(learning, len(labels), seed, watch, how)
    floats = {
        f"validation_macro_f1_{name}": _macro_f1_of(network, choosing)
        for name, network in {"teacher": teacher, "student": student}.items()
    }
    watch(str(floats))
    graph = replace(
        _shrunk(teacher, student, learning, choosing, labels, seed, how), name="activity", labels=labels
    )
    plain = {FACTS: _facts(Rule(1, WARM, 0))}
    ship(graph, out, stream=STRIDE, facts=plain, card="")
    rule, temperature, figures = chosen(load_activity(out), choosing)
    return ship(
        graph,
        out,
        stream=STRIDE,
        calibration=temperature,
        facts={FACTS: _facts(rule)},
        figures=floats | figures,
        card="",
    )


def _taught(
    learning: Sequence[Recording], labels: int, seed: int, watch: Watch, how: Effort
) -> tuple[Teacher, Network]:
    variation = Variation()
    material = material_of(learning, variation.warp)
    networks: list[Network] = []
    for number in range(TEACHERS):
        torch.manual_seed(seed + number)
        networks.append(Network(labels, how.teacher_width, products=number % 2 == 1))
        learn(networks[-1], material, variation, how.teachers, seed + number, watch)
    teacher = Teacher(*networks).eval()
    torch.manual_seed(seed + TEACHERS)
    student = Network(labels, how.width, dropout=0.0)
    learn(student, material, variation, how.student, seed + TEACHERS, watch, teacher)
    return teacher, student


def _macro_f1_of(network: nn.Module, recordings: Sequence[Recording]) -> float:
    """Of real numbers, not smoothed."""
    told, right = [], []
    for recording in recordings:
        at, truth = middles(recording.doing, STRIDE, DELAY)
        told.append(decided(network, recording)[at])
        right.append(truth)
    outputs = np.concatenate(told)
    return macro_f1(outputs.argmax(1), np.concatenate(right), outputs.shape[1])


def _shrunk(
    teacher: Teacher, student: Network, learning: Sequence[Recording], choosing: Sequence[Recording],
    labels: tuple[str, ...], seed: int, how: Effort,
) -> Graph:  # fmt: skip
    """The student as integers that take raw samples."""
    x, y = windows_of(learning)
    varied = copies_of(x, how.copies, Variation(), seed)
    held = Dataset(*windows_of(choosing), labels)
    report = pintsize.shrink(
        OfWindow(student).eval(),
        Splits(Dataset(varied, np.tile(y, 1 + how.copies), labels), held, held),
        device=FLASH_DEVICE, budget=pintsize.Budget(flash=FLASH), effort="low", activation_bits=8, seed=seed,
        teaching=pintsize.Teaching(teacher=OfWindow(teacher).eval(), metric=_metric),
    )  # fmt: skip
    return frontend.chain(frontend.raw((WINDOW, CHANNELS), HALF_RANGE / UNIT), report.graph)


def _metric(outputs: NDArray[np.float32], labels: NDArray[np.int64] | None) -> float:
    found = np.asarray(outputs)
    return 0.0 if labels is None else macro_f1(found.argmax(1), np.asarray(labels), found.shape[1])


def chosen(model: ActivityModel, choosing: Sequence[Recording]) -> tuple[Rule, Any, dict[str, float]]:
    """The rule, the temperature and the figures of validation."""
    streams = [stream_of(model, recording) for recording in choosing]
    labels = len(model.labels)

    def judged(decisions: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        means, right = [], []
        for codes, recording in zip(streams, choosing, strict=True):
            at, truth = middles(recording.doing, STRIDE, _back(decisions))
            means.append(smoothed(codes, decisions)[at])
            right.append(truth)
        return np.concatenate(means), np.concatenate(right)

    found = {n: macro_f1(judged(n)[0].argmax(1), judged(n)[1], labels) for n in SMOOTHINGS}
    decisions = max(SMOOTHINGS, key=lambda n: found[n])
    means, right = judged(decisions)
    temperature = fit_temperature(means * model.artifact.output.scale, right)
    two = np.sort(means, axis=1)[:, -2:]
    least = int(np.quantile(two[:, 1] - two[:, 0], UNSURE))
    figures = {
        "validation_macro_f1": found[decisions],
        "validation_accuracy": float((means.argmax(1) == right).mean()),
        "validation_macro_f1_raw": found[1],
    }
    return Rule(decisions, WARM, least), temperature, figures


def _back(decisions: int) -> int:
    """Samples that the middle of so many outputs' meaning lies behind the newest one."""
    return DELAY + STRIDE * (decisions - 1) // 2


def _facts(rule: Rule) -> dict[str, Any]:
    return {**asdict(rule), "delay_s": _back(rule.decisions) / RATE_HZ, "raw_delay_s": DELAY / RATE_HZ}


def main(given: Sequence[str] | None = None) -> None:
    parser = training_line("Trains the activities that ship.", WEIGHTS)
    options = parser.parse_args(given)
    figures = train(options.data, options.out, seed=options.seed)
    found = evaluate(options.data, options.out)
    known = of_people(load_activity(options.out), options.data, CHOOSING)
    write_file(options.out / CARD, card_of(found, known, figures, options.seed).encode())
    print({**figures, **found.metrics})


if __name__ == "__main__":
    main()
