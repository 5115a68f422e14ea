"""The honest metrics of the shipped beat classes, on patients that training did not see.

`accuracy`, `v_f1`, `s_f1`, … are told at the annotated R peaks, as the literature does, of every beat of N, S, V and F
that has a whole window, the first ones of a record included; the most likely class counts, also where the application
would abstain. `…_detected` is of the whole chain: the detector's own peaks give windows and rhythm; a beat that it
misses is a miss of its class, and one that it invents is a false one of the class it is told to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.ecg.beats.evaluation import find
from pintsize.apps.ecg.beats.finder import Beat
from pintsize.apps.ecg.beats.model import BeatModel, load_beats
from pintsize.apps.ecg.beats.records import Record, read_records, unseen_records
from pintsize.apps.ecg.classes.classifier import BeatClassifier, load_classes
from pintsize.apps.ecg.classes.figures import class_figures, confusion
from pintsize.apps.evidence import Answers, Evaluation, Interval, bootstrap, expected_calibration_error

#: what a beat is that has no class: it was not found, or is none
NOTHING = -1
FIGURES = ("accuracy", "v_f1", "s_f1", "n_f1")


@dataclass(frozen=True, eq=False)
class Told:
    """Of one record: (n,) what there is and what was told, indices into the labels or NOTHING; (n,) how surely."""

    name: str
    kinds: NDArray[np.int64]
    told: NDArray[np.int64]
    confidence: NDArray[np.float64]


def evaluate(data: Path, weights: Path | None = None, beats: Path | None = None) -> Evaluation:
    """data: the folder of data sets; weights, beats: folders of other weights than the shipped.

    Deterministic, without torch. Raises DataError where the data is not there.
    """
    classifier, detector = load_classes(weights), load_beats(beats)
    part, names = unseen_records(data)
    at_peaks, detected = [], []
    for record in read_records(data, names):
        at_peaks.append(told_at(classifier, record))
        detected.append(told_of_detected(classifier, detector, record))
    return _evaluation(classifier, at_peaks, detected, part)


def told_at(classifier: BeatClassifier, record: Record) -> Told:
    """The classes of the annotated beats that have a whole window and a class."""
    beats = [Beat(at / classifier.rate_hz, at, 16) for at in record.at.tolist()]
    kinds = _indices(classifier, record.kinds)
    told, confidence = _asked(classifier, record, beats)
    known = (kinds != NOTHING) & (told != NOTHING)
    return Told(record.name, kinds[known], told[known], confidence[known])


def told_of_detected(classifier: BeatClassifier, detector: BeatModel, record: Record) -> Told:
    """The classes of the beats that were found; those that were missed, and those that are none, with NOTHING."""
    found = find(detector, record)
    told, confidence = _asked(classifier, record, found.beats)
    kinds, hits = _indices(classifier, record.kinds), found.matched.hits
    known = kinds != NOTHING
    there = np.where(hits[known] >= 0, told[hits[known]], NOTHING)
    extra = ~found.matched.right & (told != NOTHING)
    return Told(
        record.name,
        np.concatenate([kinds[known], np.full(int(extra.sum()), NOTHING)]),
        np.concatenate([there, told[extra]]),
        np.concatenate([np.where(hits[known] >= 0, confidence[hits[known]], 0.0), confidence[extra]]),
    )


def _asked(
    classifier: BeatClassifier, record: Record, beats: Sequence[Beat]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(beats,) the likeliest class, NOTHING without a whole window, and its confidence."""
    context = classifier.context()
    told, confidence = np.full(len(beats), NOTHING, np.int64), np.zeros(len(beats))
    for index, beat in enumerate(beats):
        context.update(beat)
        begin, end = beat.sample - classifier.window_before, beat.sample + classifier.window_after
        if begin < 0 or end > len(record.samples):
            continue
        chances = classifier.chances(record.samples[begin:end], context)
        context.learn(record.samples[begin:end])
        told[index], confidence[index] = int(chances.argmax()), float(chances.max())
    return told, confidence


def _indices(classifier: BeatClassifier, kinds: NDArray[np.str_]) -> NDArray[np.int64]:
    places = {label: index for index, label in enumerate(classifier.labels)}
    return np.array([places.get(kind, NOTHING) for kind in kinds.tolist()], np.int64)


def _evaluation(
    classifier: BeatClassifier, at_peaks: Sequence[Told], detected: Sequence[Told], part: str
) -> Evaluation:
    figures = classifier.artifact.manifest.content.get("figures", {})
    answers = _answers(classifier, at_peaks)
    surely = answers.confidence >= classifier.threshold
    metrics = {
        **class_figures(_counts_of(at_peaks)),
        **{f"{name}_detected": value for name, value in class_figures(_counts_of(detected)).items()},
        "classes_ece": expected_calibration_error(answers),
        "classes_told": float(surely.mean()),
        "classes_accuracy_of_told": float(answers.right[surely].mean()),
        "class_beats_evaluated": float(len(answers.right)),
        "ecg_classes_flash_bytes": _figure(figures, "flash_bytes"),
        "beat_decision_ms": _figure(figures, "latency_ms"),
        "beat_decision_mj": _figure(figures, "energy_mj"),
    }
    intervals = {
        **{name: _interval(at_peaks, name) for name in FIGURES},
        **{f"{name}_detected": _interval(detected, name) for name in FIGURES},
    }
    told = {name: value for name, value in metrics.items() if np.isfinite(value)}
    return Evaluation(told, intervals, (answers,), _notes(classifier, at_peaks, part))


def _counts(told: Told) -> NDArray[np.int64]:
    """(classes + nothing there, classes + nothing told)."""
    return confusion(told.kinds, told.told)


def _counts_of(told: Sequence[Told]) -> NDArray[np.int64]:
    return np.sum([_counts(each) for each in told], axis=0)


def _interval(told: Sequence[Told], name: str) -> Interval:
    counts = np.stack([_counts(each) for each in told])
    return bootstrap(
        lambda drawn: class_figures(counts[drawn].sum(axis=0))[name], [each.name for each in told]
    )


def _answers(classifier: BeatClassifier, told: Sequence[Told]) -> Answers:
    return Answers(
        "ECG beat classes",
        np.concatenate([each.confidence for each in told]),
        np.concatenate([each.kinds == each.told for each in told]),
        [each.name for each in told for _ in each.kinds],
        classifier.threshold,
    )


def _notes(classifier: BeatClassifier, told: Sequence[Told], part: str) -> tuple[str, ...]:
    kinds = np.concatenate([each.kinds for each in told])
    counts = ", ".join(f"{label} {int((kinds == k).sum()):,}" for k, label in enumerate(classifier.labels))
    return (
        f"Beat classes: {len(told)} patients of the part {part!r} at annotated R peaks ({counts}); Q is left out. "
        "`…_detected` is at the detector's own, misses and inventions counted as errors. What has nothing to divide "
        "by is left out.",
        "beat_decision_ms and beat_decision_mj are modelled: the core's cycle table, and clock and current of the "
        "data sheet of the device named in the manifest.",
    )


def _figure(figures: dict[str, object], name: str) -> float:
    value = figures.get(name)
    return float(value) if isinstance(value, (int, float)) else float("nan")
