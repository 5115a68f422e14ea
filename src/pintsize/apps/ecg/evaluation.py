"""The metrics of the pieces and of the whole, each on the shipped integers and on patients that no training saw.

Of the whole, over the records of the part that the pieces report on, as they are streamed to the decider:

- `irregular_se`, `irregular_sp`: windows of 32 intervals told right where the annotated rhythm is atrial fibrillation
  or flutter, and where it is not
- `triage_agreement`: share of records with the level that the same rules give from the annotated beats
- `quality_rejected`: share of the signal that the gate does not pass: none of it was thought unfit by the annotators
- `rate_mae_bpm`: of the rate told every 10 s, against that of the annotated beats of the same stretch
- `beat_decision_late_s_…`: how long after its R peak a beat was told
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize import DEVICES
from pintsize.apps.application import RunOptions, Said, nobody, require_folder
from pintsize.apps.ecg.application import APPLICATION
from pintsize.apps.ecg.beats.evaluation import evaluate as beats_evaluate
from pintsize.apps.ecg.beats.matching import TOLERANCE_S
from pintsize.apps.ecg.beats.records import FOLDER, Record, read_record, unseen_records
from pintsize.apps.ecg.classes.evaluation import evaluate as classes_evaluate
from pintsize.apps.ecg.pieces import Pieces, load_pieces
from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.rhythm import CLASSES, Rhythm, bpm
from pintsize.apps.ecg.study import Study
from pintsize.apps.ecg.triage import Recorded, triage
from pintsize.apps.evidence import Evaluation, Interval, bootstrap, joined
from pintsize.stream.decision import Decision
from pintsize.stream.manifest import Manifest
from pintsize.stream.sinks import CallbackSink
from pintsize.stream.sources import open_source

FIBRILLATION = ("(AFIB", "(AFL")
#: whose time and energy a decision is told of: a Cortex-M4 at 64 MHz
DEVICE = "nrf52840"


@dataclass(frozen=True, eq=False)
class Streamed:
    """One record as the application told it. windows: (n, 2) of irregularity: whether it is, whether it was told."""

    record: Record
    study: Study
    annotated: Recorded
    rates: NDArray[np.float64]
    windows: NDArray[np.bool_]
    late_s: NDArray[np.float64]


def evaluate(data: Path, said: Said = nobody) -> Evaluation:
    """data: the folder of data sets. Raises DataError where the data is not there."""
    require_folder(data, f"the data sets lie in it, this one in {FOLDER}")
    said("beats …")
    parts = [beats_evaluate(data)]
    said("classes …")
    parts.append(classes_evaluate(data))
    pieces = load_pieces()
    part, names = unseen_records(data)
    streamed: list[Streamed] = []
    for name in names:
        said(f"record {name} …")
        streamed.append(stream(data / FOLDER / f"{name}.npz", pieces))
    return joined([*parts, whole(streamed, pieces, part)])


def stream(path: Path, pieces: Pieces) -> Streamed:
    """A record through the whole application. Raises DataError for one that cannot be read."""
    record = read_record(path)
    heard: list[Decision] = []
    with open_source(str(path)) as source:
        _, study = APPLICATION.studied(source, [CallbackSink(heard.append)], RunOptions(), pieces)
    beats = [decision for decision in heard if decision.kind == "beat" and decision.start_s is not None]
    late = [beat.time_s - beat.start_s for beat in beats if beat.start_s is not None]
    return Streamed(
        record, study, annotated(record), _rates(record, heard), _windows(path, study), np.array(late)
    )


def annotated(record: Record) -> Recorded:
    """What the application would have counted, had it found and named every beat as the annotators did."""
    rhythm = Rhythm()
    for at, kind in zip(record.at.tolist(), record.kinds.tolist(), strict=True):
        rhythm.beat(at, kind if kind in CLASSES else None)
    counts = rhythm.counts
    counts.learning = counts.abstained  # the annotators are sure that these have no class
    samples = len(record.samples)
    return Recorded(counts, samples, samples, len(record.at), 0)


def whole(streamed: Sequence[Streamed], pieces: Pieces, part: str) -> Evaluation:
    """The figures of the whole, those of several records by patient."""
    names = [s.record.name for s in streamed]
    same = np.array([s.study.triage.level == triage(s.annotated).level for s in streamed])
    unfit = np.array(
        [[s.study.recorded.total - s.study.recorded.usable, s.study.recorded.total] for s in streamed]
    )
    intervals = {
        "irregular_se": _windows_share(streamed, True),
        "irregular_sp": _windows_share(streamed, False),
        "triage_agreement": bootstrap(lambda drawn: float(same[drawn].mean()), names),
    }
    rates = np.concatenate([s.rates for s in streamed])
    late_s = np.concatenate([s.late_s for s in streamed])
    beats = sum(s.study.recorded.counts.beats for s in streamed)
    abstained = sum(s.study.recorded.counts.abstained for s in streamed)
    metrics = {
        **{name: interval.value for name, interval in intervals.items()},
        "quality_rejected": float(unfit[:, 0].sum() / unfit[:, 1].sum()),
        "rate_mae_bpm": float(np.abs(rates[:, 0] - rates[:, 1]).mean()) if len(rates) else float("nan"),
        "beats_abstained": abstained / max(beats, 1),
        "beat_decision_late_s_median": float(np.median(late_s)),
        "beat_decision_late_s_99_percent": float(np.quantile(late_s, 0.99)),
        **decision_load(pieces),
    }
    return Evaluation(metrics, intervals, notes=_notes(streamed, part))


def decision_load(pieces: Pieces) -> dict[str, float]:
    """Of one beat's decision on a Cortex-M4 at 64 MHz, estimated: the classifier, and the detector for a second."""
    beats, classes = pieces.beats.artifact.manifest, pieces.classes.artifact.manifest
    steps = RATE_HZ / pieces.beats.hop_samples
    found: dict[str, float] = {}
    asked_ms, step_ms = _latency_ms(classes), _latency_ms(beats)
    if asked_ms is not None and step_ms is not None:
        found["beat_decision_ms"] = asked_ms + steps * step_ms
    asked_mj, step_mj = (_figure(m, "energy_mj") for m in (classes, beats))
    if asked_mj is not None and step_mj is not None:
        found["beat_decision_mj"] = asked_mj + steps * step_mj
    flash = [_figure(m, "flash_bytes") for m in (beats, classes)]
    if None not in flash:
        found["ecg_flash_bytes"] = sum(bytes_ for bytes_ in flash if bytes_ is not None)
    return found


def _latency_ms(manifest: Manifest) -> float | None:
    """The shipped estimate is of another clock of the same core."""
    latency_ms, device = (
        _figure(manifest, "latency_ms"),
        manifest.content.get("figures", {}).get("flash_device"),
    )
    if latency_ms is None or device not in DEVICES:
        return None
    return latency_ms * DEVICES[device].clock_hz / DEVICES[DEVICE].clock_hz


def _figure(manifest: Manifest, name: str) -> float | None:
    value = manifest.content.get("figures", {}).get(name)
    return None if value is None else float(value)


def _rates(record: Record, heard: Sequence[Decision]) -> NDArray[np.float64]:
    """(n, 2): told and annotated, a minute, over the beats that a rate was told of."""
    rows: list[tuple[float, float]] = []
    peaks_s: list[float] = []
    for decision in heard:
        if decision.kind == "beat" and decision.start_s is not None:
            peaks_s.append(decision.start_s)
        if decision.kind != "rate":
            continue
        if isinstance(decision.value, float):
            right = _annotated_rate(record, peaks_s[0], peaks_s[-1])
            rows += [] if right is None else [(decision.value, right)]
        peaks_s = peaks_s[-1:]
    return np.array(rows).reshape(-1, 2)


def _annotated_rate(record: Record, first_s: float, last_s: float) -> float | None:
    near = TOLERANCE_S * RATE_HZ
    inside = record.at[(record.at >= first_s * RATE_HZ - near) & (record.at <= last_s * RATE_HZ + near)]
    return bpm(len(inside) - 1, int(inside[-1] - inside[0])) if len(inside) > 1 else None


def _windows(path: Path, study: Study) -> NDArray[np.bool_]:
    """The rhythm's windows again, beat by beat, beside what the annotators called the rhythm there."""
    with np.load(path, allow_pickle=False) as content:
        if "rhythm_pos" not in content.files:
            return np.zeros((0, 2), bool)
        begins, names = content["rhythm_pos"], content["rhythm"]
    rhythm, rows, before = Rhythm(), [], (0, 0)
    last_s: float | None = None
    for beat in study.beats:
        if last_s is None or beat.interval_s is None:
            rhythm.break_off()
        last_s = beat.time_s
        at = round(beat.time_s * RATE_HZ)
        rhythm.beat(at, beat.label)
        now = (rhythm.counts.irregular_windows, rhythm.counts.regular_windows)
        if now != before:
            place = max(int(np.searchsorted(begins, at, side="right")) - 1, 0)
            is_ = len(names) > 0 and str(names[place]) in FIBRILLATION
            rows.append((is_, now[0] > before[0]))
            before = now
    return np.array(rows, bool).reshape(-1, 2)


def _windows_share(streamed: Sequence[Streamed], irregular: bool) -> Interval:
    """Share of the windows of that kind that were told so; by patient."""
    counts = np.array(
        [
            [int((s.windows[:, 1] == irregular)[kind].sum()), int(kind.sum())]
            for s in streamed
            for kind in [s.windows[:, 0] == irregular]
        ],
        np.float64,
    )

    def share(drawn: NDArray[np.intp]) -> float:
        right, all_ = counts[drawn].sum(0)
        return float(right / all_) if all_ else float("nan")

    return bootstrap(share, [s.record.name for s in streamed])


def _notes(streamed: Sequence[Streamed], part: str) -> tuple[str, ...]:
    pairs = ", ".join(f"{s.record.name} {s.study.triage.name} ({triage(s.annotated).name})" for s in streamed)
    return (
        f"The whole: {len(streamed)} patients of the part {part!r}, streamed. Triage told, and in brackets what the "
        f"same rules say of the annotated beats: {pairs}.",
        f"beat_decision_ms and beat_decision_mj: the classifier for one beat and the detector for one second on "
        f"{DEVICES[DEVICE].title}, estimated.",
    )
