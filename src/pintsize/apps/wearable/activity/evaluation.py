"""The honest metrics of the shipped activities, on people of whom nothing was learnt and nothing chosen.

A decision comes every 0.1 s and is about the middle of the last two seconds. `activity_macro_f1`: windows of two
seconds, one each second, against what was done in most of each, as the forest was measured that it is compared with;
phone and watch together, smoothed as the application does. `…_raw`: the network's single outputs on these windows.
`…_each_decision`: every decision from 2 s on, against what was done in the middle of its two seconds. Every decision
counts, unsure ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.evidence import Answers, Evaluation, bootstrap
from pintsize.apps.wearable.activity.activity import RATE_HZ, ActivityModel, load_activity
from pintsize.apps.wearable.activity.recordings import DEVICES, Recording, people_of, recordings_of
from pintsize.apps.wearable.activity.truth import macro_f1, majorities, middles
from pintsize.errors import DataError

#: splits of which nothing was learnt and nothing chosen, the first whose files are there
UNSEEN = ("heldout", "val")
RAREST = "seated"


@dataclass(frozen=True, eq=False)
class Judged:
    """told, right: (n,) labels; sure: (n,) calibrated confidence; person, device: of each; unsure: (n,) not told."""

    told: NDArray[np.int64]
    right: NDArray[np.int64]
    sure: NDArray[np.float64]
    unsure: NDArray[np.bool_]
    person: tuple[str, ...]
    device: NDArray[np.str_]


def evaluate(data: Path, weights: Path | None = None) -> Evaluation:
    """data: the folder of data sets; deterministic, without torch. Raises DataError where the data is not there."""
    people = people_of(data)
    split = next((name for name in UNSEEN if people.get(name)), None)
    if split is None:
        raise DataError(f"{data} has no recordings of the people of {' or '.join(UNSEEN)}")
    return of_people(load_activity(weights), data, people[split], _notes(split, len(people[split])))


def of_people(
    model: ActivityModel, data: Path, people: Sequence[str], notes: tuple[str, ...] = ()
) -> Evaluation:
    """The same of people by name. Raises DataError where their files are not there."""
    recordings = recordings_of(data, people)
    streams = [stream_of(model, recording) for recording in recordings]
    decisions = model.rule.decisions
    main, raw, dense = (
        judged(model, recordings, streams, many, truth)
        for many, truth in (
            (decisions, _majorities(model)),
            (1, _majorities(model)),
            (decisions, _middles(model)),
        )
    )
    count = len(model.labels)
    metrics = {
        "activity_macro_f1": macro_f1(main.told, main.right, count),
        "activity_accuracy": _accuracy(main),
        **_of_devices(main, count),
        **_of_labels(model, main),
        "activity_macro_f1_raw": macro_f1(raw.told, raw.right, count),
        "activity_accuracy_raw": _accuracy(raw),
        "activity_macro_f1_each_decision": macro_f1(dense.told, dense.right, count),
        "activity_accuracy_each_decision": _accuracy(dense),
        "activity_told": float(1 - dense.unsure.mean()),
        "activity_right_of_told": float((dense.told == dense.right)[~dense.unsure].mean()),
        "activity_people": float(len(people)),
        "activity_windows": float(len(main.told)),
        "activity_seated_windows": float((main.right == model.labels.index(RAREST)).sum()),
        "activity_decisions": float(len(dense.told)),
        "wearable_activity_flash_bytes": float(model.artifact.manifest.content["figures"]["flash_bytes"]),
    }
    intervals = {
        f"activity_{name}{end}": bootstrap(partial(of, found, count), found.person)
        for end, found in {"": main, "_each_decision": dense}.items()
        for name, of in {"macro_f1": _macro_f1_of, "accuracy": _accuracy_of}.items()
    }
    answers = Answers("activity", dense.sure, dense.told == dense.right, dense.person)
    return Evaluation(metrics, intervals, (answers,), notes)


def stream_of(model: ActivityModel, recording: Recording) -> NDArray[np.int64]:
    """(decisions, labels) codes of the artifact, from a reset on, less their zero point."""
    hop = model.hop_samples
    model.reset()
    steps = [recording.samples[end - hop : end] for end in range(hop, len(recording.samples) + 1, hop)]
    output = model.artifact.output
    codes = [model.artifact.run(step).reshape(-1).astype(np.int64) - output.zero_point for step in steps]
    model.reset()
    return np.asarray(codes)


def smoothed(codes: NDArray[np.int64], decisions: int) -> NDArray[np.float64]:
    """(n, labels): means of the last `decisions` codes, as `Smoothing` has them."""
    sums = np.cumsum(np.concatenate([np.zeros((1, codes.shape[1]), np.int64), codes]), axis=0)
    end = np.arange(1, len(codes) + 1)
    begin = np.maximum(0, end - decisions)
    return (sums[end] - sums[begin]) / (end - begin)[:, None]


Truth = Callable[[NDArray[np.int64]], tuple[NDArray[np.intp], NDArray[np.int64]]]


def _middles(model: ActivityModel) -> Truth:
    return lambda doing: middles(doing, model.hop_samples, round(model.delay_s * RATE_HZ))


def _majorities(model: ActivityModel) -> Truth:
    return lambda doing: majorities(doing, model.hop_samples, len(model.labels))


def judged(
    model: ActivityModel, recordings: Sequence[Recording], streams: Sequence[NDArray[np.int64]], decisions: int,
    truth: Truth,
) -> Judged:  # fmt: skip
    """Everything that is told of the recordings, against the truth."""
    found = [truth(recording.doing) for recording in recordings]
    means = np.concatenate([smoothed(s, decisions)[at] for s, (at, _) in zip(streams, found, strict=True)])
    counts = [len(at) for at, _ in found]
    two = np.sort(means, axis=1)[:, -2:]
    return Judged(
        means.argmax(1),
        np.concatenate([right for _, right in found]),
        model.calibration.probabilities(means * model.artifact.output.scale).max(1),
        two[:, 1] - two[:, 0] < model.rule.least,
        tuple(r.person for r, n in zip(recordings, counts, strict=True) for _ in range(n)),
        np.repeat([r.device for r in recordings], counts),
    )


def _macro_f1_of(found: Judged, labels: int, rows: NDArray[np.intp]) -> float:
    return macro_f1(found.told[rows], found.right[rows], labels)


def _accuracy_of(found: Judged, labels: int, rows: NDArray[np.intp]) -> float:
    return float((found.told == found.right)[rows].mean())


def _accuracy(found: Judged) -> float:
    return float((found.told == found.right).mean())


def _of_devices(found: Judged, labels: int) -> dict[str, float]:
    of: dict[str, float] = {}
    for device in DEVICES:
        rows = found.device == device
        of[f"activity_macro_f1_{device}"] = macro_f1(found.told[rows], found.right[rows], labels)
        of[f"activity_accuracy_{device}"] = float((found.told == found.right)[rows].mean())
    return of


def _of_labels(model: ActivityModel, found: Judged) -> dict[str, float]:
    of: dict[str, float] = {}
    for index, label in enumerate(model.labels):
        hits = int(((found.told == index) & (found.right == index)).sum())
        of[f"activity_f1_{label.replace(' ', '_')}"] = (
            2 * hits / max(1, int((found.told == index).sum() + (found.right == index).sum()))
        )
    return of


def _notes(split: str, people: int) -> tuple[str, ...]:
    return (
        f"Activity: {people} people of the split {split!r}, of whom nothing was learnt and nothing chosen.",
        "Activity: transitions last about 1.3 s, so most windows of 2 s hold two activities; seated is there for a "
        "fraction of a second at the begin and end of a recording.",
    )
