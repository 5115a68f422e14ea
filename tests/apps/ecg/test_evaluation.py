"""The figures of the whole, on drawn records whose rhythm is known; and the shipped weights on real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.ecg import evaluation
from pintsize.apps.ecg.evaluation import annotated, decision_load, stream, whole
from pintsize.apps.ecg.pieces import SHIPPED, Pieces, load_pieces
from pintsize.apps.ecg.triage import triage
from pintsize.errors import UserError
from tests.apps.ecg.hearts import counts, heart, steady
from tests.apps.ecg.playing import Leads, played

DATA = Path(__file__).parents[4] / "shared" / "data" / "ecg_mitbih"


def saved(path: Path, beats: list[tuple[str, float]], rhythm: str) -> Path:
    at = np.rint(np.cumsum([interval for _, interval in beats]) * 180).astype(np.int32)
    np.savez(
        path, ecg=counts(heart(beats, int(path.stem))), fs=180, beat_pos=at,
        beat_class=np.array([kind for kind, _ in beats]), rhythm_pos=np.array([0]), rhythm=np.array([rhythm]),
    )  # fmt: skip
    return path


def test_the_whole_is_measured_against_the_annotations(hearts: Pieces, tmp_path: Path) -> None:
    drawn = np.random.default_rng(0)
    wild = [("N", float(interval)) for interval in drawn.uniform(0.6, 1.0, 90)]
    even = [*steady(60), *[("V", 0.4)] * 4, ("N", 1.2), *steady(20)]
    streamed = [stream(saved(tmp_path / "1.npz", wild, "(AFIB"), hearts)]
    streamed.append(stream(saved(tmp_path / "2.npz", even, "(N"), hearts))
    found = whole(streamed, hearts, "test")
    metrics = found.metrics
    assert metrics["irregular_sp"] == 1.0
    assert 0.0 <= metrics["irregular_se"] <= 1.0
    assert metrics["triage_agreement"] >= 0.5
    assert streamed[1].study.triage.name == triage(streamed[1].annotated).name == "urgent"
    assert metrics["rate_mae_bpm"] < 0.5
    assert metrics["quality_rejected"] < 0.03
    assert metrics["beat_decision_late_s_99_percent"] < 2.0
    assert found.intervals["triage_agreement"].groups == 2
    assert "2 urgent (urgent)" in found.notes[0]


def test_what_the_annotators_saw_needs_no_classifier(hearts: Pieces, tmp_path: Path) -> None:
    streamed = stream(
        saved(tmp_path / "3.npz", [*steady(30), ("V", 0.5), ("V", 0.5), ("N", 1.0)], "(N"), hearts
    )
    recorded = annotated(streamed.record)
    assert recorded.counts.classes == [38, 0, 2, 0]
    assert recorded.counts.couplets == 1
    assert triage(recorded).name == "refer"


def test_data_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        evaluation.evaluate(tmp_path / "nothing")


@pytest.fixture(scope="module")
def shipped() -> Pieces:
    missing = [piece for piece in ("beats", "classes") if not (SHIPPED / piece / "manifest.json").is_file()]
    if missing:
        pytest.skip(f"no weights of {', '.join(missing)} are in this copy")
    return load_pieces()


def test_a_decision_on_a_microcontroller_is_within_its_bounds(shipped: Pieces) -> None:
    load = decision_load(shipped)
    assert load["beat_decision_ms"] < 20
    assert load["beat_decision_mj"] < 0.2
    assert load["ecg_flash_bytes"] <= 15_000 + 4_000


@pytest.mark.parametrize(("name", "from_s", "level"), [("103", 0, "normal"), ("221", 720, "urgent")])
def test_real_patients_are_told_apart(name: str, from_s: int, level: str, shipped: Pieces) -> None:
    """Minutes of patients that no training saw: one with a steady heart, one whose ventricles run."""
    if not (DATA / f"{name}.npz").is_file():
        pytest.skip(f"no {DATA}")
    with np.load(DATA / f"{name}.npz") as content:
        samples = content["ecg"][from_s * 180 : (from_s + 200) * 180]
    done = played(Leads(samples), shipped)
    assert done.triage == level, done.of("triage")
    assert done.study.rate_bpm is not None
