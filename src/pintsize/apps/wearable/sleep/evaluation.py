"""The honest metrics of the shipped sleep stages, on people of whom nothing was learnt.

`sleep_kappa`: wake against sleep over all epochs of all nights together, as the forest was measured that it is compared
with;
`sleep_kappa_night`: the mean of the nights' own; `sleep_kappa_stages`: of wake, light, deep and rem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.evidence import Answers, Evaluation, bootstrap
from pintsize.apps.wearable.sleep.agreement import kappa, specificity
from pintsize.apps.wearable.sleep.nights import TEST, Recorded, night_of, unseen
from pintsize.apps.wearable.sleep.sleep import SleepModel, load_sleep


@dataclass(frozen=True, eq=False)
class Scored:
    """told, right: (epochs,) indices; sure: (epochs,) probability of what was told of wake against sleep."""

    person: str
    told: NDArray[np.int64]
    right: NDArray[np.int64]
    sure: NDArray[np.float64]

    @property
    def kappa(self) -> float:
        return kappa(np.minimum(self.told, 1), np.minimum(self.right, 1), 2)


def evaluate(data: Path, weights: Path | None = None) -> Evaluation:
    """data: the folder of data sets; deterministic, without torch. Raises DataError where the nights are not there."""
    model = load_sleep(weights)
    people = unseen(data)
    nights = [scored(model, night_of(data, person)) for person in people]
    flash = model.artifact.manifest.content.get("figures", {}).get("flash_bytes", float("nan"))
    found = _joined(nights)
    answers = Answers(
        "sleep: wake or asleep",
        found.sure,
        np.minimum(found.told, 1) == np.minimum(found.right, 1),
        _whose(nights),
    )
    intervals = {
        name: bootstrap(lambda rows, of=of: of(found, rows), _whose(nights)) for name, of in METRICS.items()
    }
    of_night = {f"sleep_kappa_{night.person}": night.kappa for night in nights}
    wake_of_night = {
        f"sleep_wake_specificity_{night.person}": specificity(night.told, night.right) for night in nights
    }
    metrics = {
        **{name: interval.value for name, interval in intervals.items()},
        "sleep_kappa_night": float(np.nanmean(list(of_night.values()))),
        **of_night,
        **wake_of_night,
        "sleep_people": float(len(people)),
        "wearable_sleep_flash_bytes": float(flash),
    }
    return Evaluation(metrics, intervals, (answers,), _notes(people))


def scored(model: SleepModel, night: Recorded) -> Scored:
    """What the model says of a night."""
    found = model.score(night.features)
    told = np.array([model.labels.index(stage) if stage else 1 for stage in found.stages], np.int64)
    sure = np.where(told == 0, found.wake, 1 - found.wake)
    return Scored(night.person, told, night.stages, np.nan_to_num(sure))


def _joined(nights: Sequence[Scored]) -> Scored:
    told, right, sure = (
        np.concatenate([getattr(n, name) for n in nights]) for name in ("told", "right", "sure")
    )
    return Scored("all", told, right, sure)


def _whose(nights: Sequence[Scored]) -> list[str]:
    return [night.person for night in nights for _ in night.told]


def _kappa(found: Scored, rows: NDArray[np.intp]) -> float:
    return kappa(np.minimum(found.told[rows], 1), np.minimum(found.right[rows], 1), 2)


def _stages(found: Scored, rows: NDArray[np.intp]) -> float:
    return kappa(found.told[rows], found.right[rows], 4)


def _specificity(found: Scored, rows: NDArray[np.intp]) -> float:
    return specificity(found.told[rows], found.right[rows])


def _accuracy(found: Scored, rows: NDArray[np.intp]) -> float:
    return float((np.minimum(found.told[rows], 1) == np.minimum(found.right[rows], 1)).mean())


METRICS = {
    "sleep_kappa": _kappa,
    "sleep_kappa_stages": _stages,
    "sleep_wake_specificity": _specificity,
    "sleep_accuracy": _accuracy,
}


def _notes(people: Sequence[str]) -> tuple[str, ...]:
    which = "kept out of training" if set(people) <= set(TEST) else "beyond the twelve that are known"
    return (
        f"Sleep: nights of {len(people)} people {which}; an epoch is judged by the quarter hours around it.",
    )
