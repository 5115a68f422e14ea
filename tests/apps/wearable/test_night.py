"""A night's features in a file to its stages; holes part it, and what is no night is refused or not judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.wearable.night import COLUMNS, EPOCH_S, decisions, read_night, sleep_of
from pintsize.errors import DataError
from tests.apps.wearable.making import MARCH_S

DATA = Path(__file__).parents[4] / "shared" / "data" / "sleep_watch"


def features(epochs: int, seed: int = 0) -> NDArray[np.float64]:
    return np.abs(np.random.default_rng(seed).normal(0, 1, (epochs, COLUMNS)))


def npz(path: Path, given: NDArray[np.float64]) -> Path:
    np.savez(path, accel=given[:, :21], bcg=given[:, 21:32], clock=given[:, 32:])
    return path


def table(path: Path, given: NDArray[np.float64], times: list[float] | None = None) -> Path:
    names = [f"f{number}" for number in range(given.shape[1])]
    rows = [",".join((["time"] if times else []) + names)]
    for at, row in enumerate(given):
        rows.append(",".join(([f"{times[at]}"] if times else []) + [f"{value:.6f}" for value in row]))
    path.write_text("\n".join(rows) + "\n")
    return path


def test_an_npz_and_a_table_are_the_same_night(tmp_path: Path) -> None:
    given = features(60)
    one, other = read_night(npz(tmp_path / "n.npz", given)), read_night(table(tmp_path / "n.csv", given))
    np.testing.assert_allclose(one.features, other.features, atol=1e-5)
    np.testing.assert_array_equal(one.times_s, EPOCH_S * np.arange(60))


def test_every_epoch_gets_a_stage_or_a_reason(tmp_path: Path) -> None:
    slept = sleep_of(npz(tmp_path / "n.npz", features(60)))
    assert sum(span.end_s - span.start_s for span in slept.spans) == 60 * EPOCH_S
    assert all(span.label or span.reason for span in slept.spans)
    assert sum(slept.minutes.values()) + slept.unknown_minutes == 30
    told = decisions(slept)
    assert [d.time_s for d in told] == sorted(d.time_s for d in told)
    assert {d.kind for d in told} == {"sleep"}


def test_a_hole_parts_a_night_and_a_short_part_is_not_judged(tmp_path: Path) -> None:
    times = [MARCH_S + EPOCH_S * at for at in range(60)] + [
        MARCH_S + 20_000 + EPOCH_S * at for at in range(5)
    ]
    slept = sleep_of(table(tmp_path / "n.csv", features(65), times))
    assert slept.spans[-1].label is None
    assert slept.spans[-1].start_s == MARCH_S + 20_000
    assert slept.unknown_minutes >= 2.5


def test_cells_that_are_no_numbers_are_epochs_without_a_stage(tmp_path: Path) -> None:
    given = features(60)
    given[30:33, 4] = np.nan
    slept = sleep_of(npz(tmp_path / "n.npz", given))
    missing = [span for span in slept.spans if span.label is None]
    assert [(span.start_s, span.end_s) for span in missing] == [(900, 990)]
    assert missing[0].reason


def test_the_same_night_is_judged_the_same(tmp_path: Path) -> None:
    path = npz(tmp_path / "n.npz", features(80))
    assert sleep_of(path).spans == sleep_of(path).spans


def test_what_is_no_night_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        read_night(tmp_path / "nothing.npz")
    np.savez(tmp_path / "other.npz", accel=np.zeros((4, 3)))
    with pytest.raises(DataError, match=r"accel \(epochs, 21\)"):
        read_night(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(DataError, match="not an NPZ"):
        read_night(tmp_path / "text.npz")
    with pytest.raises(DataError, match="35 features"):
        read_night(table(tmp_path / "few.csv", features(30)[:, :6]))


def test_a_public_night_has_sleep_in_it() -> None:
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not here")
    nights = sorted(DATA.glob("*.npz"))
    slept = sleep_of(nights[0])
    assert slept.asleep is not None
    assert 0.4 < slept.asleep <= 1.0
