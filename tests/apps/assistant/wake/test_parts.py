"""Parts share no clip, a data set's own test clips stay there, and what is missing is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.assistant.wake.parts import Material, part_of, public_material
from pintsize.apps.sounds import Labelled
from pintsize.errors import DataError


def test_what_a_data_set_holds_back_is_never_learnt() -> None:
    assert {part_of(split, f"{n}.flac") for n in range(200) for split in ("val", "test", "heldout")} == {
        "test"
    }


def test_training_clips_are_divided_once_and_for_all() -> None:
    parts = [part_of("train", f"{n}.flac") for n in range(2000)]
    assert set(parts) == {"train", "validation"}
    assert 0.14 < parts.count("validation") / 2000 < 0.22
    assert parts == [part_of("train", f"{n}.flac") for n in range(2000)]


def test_clips_without_a_split_are_in_all_three_parts() -> None:
    parts = [part_of("", f"{n}.wav") for n in range(2000)]
    shares = [parts.count(p) / 2000 for p in ("train", "validation", "test")]
    np.testing.assert_allclose(shares, [0.5, 0.15, 0.35], atol=0.04)


def test_missing_data_is_named(tmp_path: Path) -> None:
    (tmp_path / "speech_digits_fsdd").mkdir()
    with pytest.raises(DataError, match="wakewords_picovoice, spoken_orders_picovoice"):
        public_material(tmp_path, "test")


def test_a_material_tells_its_words_and_minutes() -> None:
    clips = tuple(Labelled(np.zeros(16_000, np.float32), label, "", "", {}) for label in ("b", "a", "b"))
    material = Material(clips, clips[:1])
    assert material.labels == ("a", "b")
    assert material.minutes == (pytest.approx(3 / 60), pytest.approx(1 / 60))


def test_the_public_parts_share_no_clip() -> None:
    data = Path(__file__).parents[4].parent / "shared" / "data"
    if not (data / "wakewords_picovoice").is_dir():
        pytest.skip(f"{data} has no wakewords_picovoice")
    parts = public_material(data, "train", "validation", "test")
    origins = [{c.origin for c in (*part.words, *part.others)} for part in parts]
    assert not origins[0] & origins[1]
    assert not origins[0] & origins[2]
    assert not origins[1] & origins[2]
    assert all(len(part.labels) == 6 for part in parts)
    assert {c.split for c in parts[2].words} == {"val"}
