"""The page of a recording: one file that needs nothing else, and says what was found."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.ecg.page import study_page
from pintsize.apps.ecg.pieces import Pieces
from pintsize.apps.ecg.strip import shown
from pintsize.apps.ecg.study import Study, Trace
from tests.apps.ecg.hearts import counts, drawn_pieces, heart, steady
from tests.apps.ecg.playing import Leads, played


@pytest.fixture(scope="module")
def study(heart_folders: dict[str, Path]) -> Study:
    beats = [*steady(12), *[("V", 0.4)] * 4, ("N", 1.2), *steady(8), ("N", 2.6), *steady(5)]
    pieces = drawn_pieces(heart_folders["beats"], heart_folders["classes"])
    return played(Leads(counts(heart(beats))), pieces).study


@pytest.fixture(scope="module")
def page(study: Study) -> str:
    return study_page(study, "<script>alert(1)</script>", ["values are mV"])


def test_it_says_what_should_be_done_and_why(study: Study, page: str) -> None:
    assert "A screening aid, not a diagnosis." in page
    for said in ("urgent", study.triage.reasons[0], "values are mV", "Show this to a doctor now."):
        assert said in page
    assert f"{study.rate_bpm:.1f}" in page
    assert f"{study.recorded.counts.beats:,}" in page


def test_strips_show_what_is_gravest_first_with_their_beats_marked(study: Study, page: str) -> None:
    titles = [title for _, title in shown(study)]
    assert titles[0].startswith("ventricular tachycardia at 12")
    assert any(title.startswith("pause at") for title in titles)
    assert page.count("<svg") == len(titles) + 1
    assert re.search(r">V</text>", page)


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["']?https?:""", page)
    assert "default-src &#x27;none&#x27;" in page


def test_the_same_study_gives_the_same_bytes(study: Study, page: str) -> None:
    assert study_page(study, "<script>alert(1)</script>", ["values are mV"]) == page


def test_a_recording_without_a_beat_has_a_page(hearts: Pieces) -> None:
    page = study_page(played(Leads(np.zeros(40 * 180, np.int16)), hearts).study, "flat")
    assert "repeat" in page
    assert "flat line" in page
    assert "not known" in page


def test_a_trace_keeps_the_last_hour_and_shows_where_it_broke() -> None:
    trace = Trace()
    trace.add(0.0, np.full(180, 200, np.int16))
    trace.add(3.0, np.full(180, 400, np.int16))
    times_s, values_mv = trace.between(0.5, 3.5)
    assert np.isnan(values_mv).sum() == 1
    assert (values_mv[0], values_mv[-1], times_s[-1] < 3.5) == (1.0, 2.0, True)
    for second in range(4000):
        trace.add(10.0 + second, np.zeros(180, np.int16))
    assert trace.pieces[0][0] == pytest.approx(410.0)
