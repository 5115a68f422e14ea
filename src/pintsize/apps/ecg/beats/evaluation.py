"""The honest metrics of the shipped beat detector, on patients that no choice of a number saw.

`beat_se`, `beat_pp`: sensitivity and positive predictivity, all beats of all patients together, a beat counting as
found within 150 ms of its annotation. Every annotated beat counts, from the record's first second on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.ecg.beats.finder import Beat
from pintsize.apps.ecg.beats.matching import TOLERANCE_S, Matched, matched
from pintsize.apps.ecg.beats.model import BeatModel, load_beats
from pintsize.apps.ecg.beats.records import Record, read_records, unseen_records
from pintsize.apps.evidence import Evaluation, Interval, bootstrap


@dataclass(frozen=True, eq=False)
class Found:
    """The beats of one record: those found, which of them are right, and how late each could be told."""

    record: Record
    beats: tuple[Beat, ...]
    matched: Matched
    late_s: NDArray[np.float64]


def evaluate(data: Path, weights: Path | None = None) -> Evaluation:
    """data: the folder of data sets; deterministic, without torch. Raises DataError where the data is not there."""
    model = load_beats(weights)
    part, names = unseen_records(data)
    found = [find(model, record) for record in read_records(data, names)]
    figures = model.artifact.manifest.content.get("figures", {})
    intervals = intervals_of(found)
    metrics = {name: interval.value for name, interval in intervals.items()}
    return Evaluation(
        {
            **metrics,
            **_times(model, found),
            "beat_worst_patient_se": min(float((f.matched.hits >= 0).mean()) for f in found),
            "beat_worst_patient_pp": min(float(f.matched.right.mean()) for f in found if f.beats),
            "beats_evaluated": float(sum(len(f.record.at) for f in found)),
            "ecg_beats_flash_bytes": float(figures.get("flash_bytes", float("nan"))),
        },
        intervals,
        notes=(
            f"Beats: {len(found)} patients of the part {part!r}, one-to-one within {TOLERANCE_S * 1e3:.0f} ms, every "
            "annotated beat counted.",
        ),
    )


def find(model: BeatModel, record: Record) -> Found:
    """A record's beats, hop by hop as a device finds them."""
    model.artifact.reset()
    finder, hop = model.finder(), model.hop_samples
    beats: list[Beat] = []
    late_s: list[float] = []
    for end in range(hop, len(record.samples) + 1, hop):
        now_s = end / model.rate_hz
        told = finder.update(now_s, model.run(record.samples[end - hop : end]))
        beats += told
        late_s += [now_s - beat.time_s for beat in told]
    beats += finder.finish(len(record.samples) // hop * hop / model.rate_hz)
    places = [beat.sample for beat in beats]
    return Found(
        record, tuple(beats), matched(places, record.at, TOLERANCE_S * model.rate_hz), np.array(late_s)
    )


def intervals_of(found: Sequence[Found]) -> dict[str, Interval]:
    """Both figures with their intervals by patient."""
    hits = [f.matched.hits >= 0 for f in found]
    right = [f.matched.right for f in found]
    return {"beat_se": _share(found, hits), "beat_pp": _share(found, right)}


def _share(found: Sequence[Found], true: Sequence[NDArray[np.bool_]]) -> Interval:
    """Of what is true; drawn by patient, whose counts are all that matters."""
    counts = np.array([[each.sum(), len(each)] for each in true], np.float64)
    return bootstrap(
        lambda drawn: float(counts[drawn, 0].sum() / max(counts[drawn, 1].sum(), 1.0)),
        [f.record.name for f in found],
    )


def _times(model: BeatModel, found: Sequence[Found]) -> dict[str, float]:
    """How far from the annotation, and how long after the R peak a beat is told."""
    off = [
        (np.array([beat.sample for beat in f.beats])[hits[hits >= 0]] - f.record.at[hits >= 0])
        / model.rate_hz
        for f in found
        for hits in [f.matched.hits]
        if f.beats
    ]
    late = np.concatenate([f.late_s for f in found])
    return {
        "beat_off_ms_mean_absolute": float(np.abs(np.concatenate(off)).mean() * 1e3),
        "beat_late_s_median": float(np.median(late)),
        "beat_late_s_99_percent": float(np.quantile(late, 0.99)),
    }
