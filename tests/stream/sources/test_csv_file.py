"""CSV as people export it: headers, units, times of every kind, gaps, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.errors import DataError, SourceLost
from pintsize.stream.block import Block
from pintsize.stream.health import Health, monitor_of
from pintsize.stream.sources import SourceOptions, open_source
from pintsize.stream.sources.described import Described


def opened(folder: Path, text: str | bytes, options: SourceOptions | None = None) -> Described:
    path = folder / "record.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    source = open_source(str(path), options)
    assert isinstance(source, Described)
    return source


def content(source: Described) -> tuple[list[Block], np.ndarray]:
    blocks = list(source.blocks())
    return blocks, np.concatenate([block.samples for block in blocks])


def judged(source: Described) -> list[Health]:
    monitor = monitor_of(source)
    return [monitor.see(block) for block in source.blocks()]


def table(times: list[str] | list[float], head: str = "time,value") -> str:
    return "\n".join([head, *[f"{time},{index * 7 % 10}" for index, time in enumerate(times)]]) + "\n"


EXPORTS = {
    "plain numbers": ("1.5,2\n2.5,3\n3.5,4\n", None, ("0", "1")),
    "header": ("x,y\n1.5,2\n2.5,3\n3.5,4\n", None, ("x", "y")),
    "pandas index": (",x,y\n0,1.5,2\n1,2.5,3\n2,3.5,4\n", None, ("x", "y")),
    "Excel, decimal comma": ("\ufeffx;y\r\n1,5;2\r\n2,5;3\r\n3,5;4\r\n", None, ("x", "y")),
    "tabs": ("x\ty\n1.5\t2\n2.5\t3\n3.5\t4\n", None, ("x", "y")),
    "comments": ("# OpenSignals {}\n# EndOfHeader\n1.5,2\n2.5,3\n3.5,4\n", None, ("0", "1")),
    "trailing delimiter": ("x,y,\n1.5,2,\n2.5,3,\n3.5,4,\n", None, ("x", "y")),
    "seconds": ("time,x,y\n0.00,1.5,2\n0.02,2.5,3\n0.04,3.5,4\n", 50.0, ("x", "y")),
    "milliseconds": ("time [ms],x,y\n0,1.5,2\n4,2.5,3\n8,3.5,4\n", 250.0, ("x", "y")),
    "epoch in ms": ("timestamp,x,y\n1700000000000,1.5,2\n1700000000020,2.5,3\n1700000000040,3.5,4\n", 50.0, ("x", "y")),
    "ISO": ("t,x,y\n2024-01-01T00:00:00Z,1.5,2\n2024-01-01T00:00:01Z,2.5,3\n2024-01-01T00:00:02Z,3.5,4\n",
            1.0, ("x", "y")),
    "date and time": ("Date,Time,x,y\n2024-01-01,9:59:58,1.5,2\n2024-01-01,9:59:59,2.5,3\n2024-01-01,10:00:00,3.5,4\n",
                      1.0, ("x", "y")),
    "PhysioNet": ("'Elapsed time','MLII','V5'\n'mm:ss.mmm','mV','mV'\n'0:00.000',1.5,2\n'0:00.004',2.5,3\n"
                  "'0:00.008',3.5,4\n", 250.0, ("MLII", "V5")),
    "watch with a preface": ("Name,A. Person\nSample Rate,512.000 hertz\n\nx,y\n1.5,2\n2.5,3\n3.5,4\n",
                             512.0, ("x", "y")),
    "Empatica": ("1544027337.0,1544027337.0\n32.0,32.0\n1.5,2\n2.5,3\n3.5,4\n", 32.0, ("0", "1")),
    "UTF-16": ("x,y\n1.5,2\n2.5,3\n3.5,4\n".encode("utf-16"), None, ("x", "y")),
    "labels beside": ("x,label,y\n1.5,walking,2\n2.5,walking,3\n3.5,sitting,4\n", None, ("x", "y")),
    "a time without seconds in its name": ("T1,T2\n1.5,2\n2.5,3\n3.5,4\n", None, ("T1", "T2")),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPORTS)
def test_exports(tmp_path: Path, kind: str) -> None:
    text, rate_hz, names = EXPORTS[kind]
    source = opened(tmp_path, text, SourceOptions(source_rate_hz=10.0 if rate_hz is None else None))
    assert source.description.channel_names == names
    assert source.rate_hz == (rate_hz or 10.0)
    assert content(source)[1].tolist() == [[1.5, 2.0], [2.5, 3.0], [3.5, 4.0]]


def test_channels_by_name_and_conversion(tmp_path: Path) -> None:
    text = "time,x,y\n" + "".join(f"{at / 50},{at % 7},{at % 5}\n" for at in range(100))
    source = opened(tmp_path, text, SourceOptions(channels=("Y",)))
    assert source.description.channel_names == ("y",)
    with pytest.raises(DataError, match="no channel 'z'; it has x, y"):
        opened(tmp_path, text, SourceOptions(channels=("z",)))
    converted = open_source(str(tmp_path / "record.csv"), SourceOptions(rate_hz=25.0, channels="mean"))
    assert sum(len(block.samples) for block in converted.blocks()) == 50


def test_missing_cells_are_not_numbers_and_health_says_so(tmp_path: Path) -> None:
    source = opened(tmp_path, "x,y\n1,2\n,3\nerror,NA\n4,5\n", SourceOptions(source_rate_hz=10.0))
    assert np.isnan(content(source)[1]).tolist() == [
        [False, False],
        [True, False],
        [True, True],
        [False, False],
    ]
    assert {fault for health in judged(source) for fault in health.faults} == {"nan"}


def test_a_gap_in_the_times(tmp_path: Path) -> None:
    times = [at / 50 for at in range(100)] + [5 + at / 50 for at in range(100)]
    source = opened(tmp_path, table(times))
    blocks, samples = content(source)
    (late,) = [block for block in blocks if block.gap_before_s > 0]
    assert len(samples) == 200
    assert (late.start_s, round(late.gap_before_s, 6)) == (5.0, 3.0)
    assert [health.faults for health in judged(source) if not health.ok] == [("gap",)]


def test_one_lost_sample_is_a_gap_but_jitter_is_not(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0)
    even = np.arange(200) / 50
    late = even + drawn.uniform(0, 0.004, 200)
    late[77] += 0.018  # and those after it catch up
    assert all(health.ok for health in judged(opened(tmp_path, table(late.tolist()))))
    lost = np.delete(even, 77)
    (gap,) = [block for block in content(opened(tmp_path, table(lost.tolist())))[0] if block.gap_before_s > 0]
    assert round(gap.gap_before_s, 6) == 0.02


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        ([*range(50), 49, *range(50, 100)], "duplicate"),
        ([*range(50), 47, *range(50, 100)], "order"),
        ([*range(50), *range(-3650, -3600)], "clock"),
    ],
)
def test_times_that_do_not_go_on(tmp_path: Path, times: list[int], fault: str) -> None:
    """At 50 samples a second, where a step back is far below what drivers jitter by."""
    source = opened(tmp_path, table([time / 50 for time in times]))
    health = judged(source)
    assert {name for judgement in health for name in judgement.faults} == {fault}
    assert len(content(source)[1]) == len(times)
    used = [block for block, judgement in zip(source.blocks(), health, strict=True) if judgement.usable]
    assert sum(len(block.samples) for block in used) == 100


def test_times_of_day_go_on_past_midnight(tmp_path: Path) -> None:
    times = ["23:59:58", "23:59:59", "00:00:00", "00:00:01"]
    assert all(health.ok for health in judged(opened(tmp_path, table(times))))


def test_an_hour_set_back_is_told(tmp_path: Path) -> None:
    times = [f"2024-10-27 02:{at // 60:02}:{at % 60:02}" for at in [*range(3500, 3600), *range(100)]]
    bad = [health for health in judged(opened(tmp_path, table(times))) if not health.ok]
    assert [health.faults for health in bad] == [("clock",)]
    assert "back by 3600.000 s" in (bad[0].reason or "")


def test_times_that_tick_every_fifty_samples(tmp_path: Path) -> None:
    times = [f"2024-01-01 12:00:{at // 50:02}" for at in range(20, 500)]
    source = opened(tmp_path, table(times))
    assert source.rate_hz == 50.0
    assert all(health.ok for health in judged(source))


def test_rounded_times_give_the_true_rate(tmp_path: Path) -> None:
    times = [round(at / 360, 3) for at in range(3600)]
    source = opened(tmp_path, table(times))
    assert source.rate_hz == 360.0
    assert all(health.ok for health in judged(source))


def test_a_file_that_is_cut_within_a_row(tmp_path: Path) -> None:
    source = opened(tmp_path, "x,y\n1,2\n3,4\n5,6\n7", SourceOptions(source_rate_hz=10.0))
    blocks = source.blocks()
    assert next(blocks).samples.tolist() == [[1.0, 2.0]]
    with pytest.raises(SourceLost, match="cut short within its last row, after 3 samples"):
        list(blocks)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04\x00\x00", "zero bytes"),
        (b"a,b\nc,d\n", "no rows of numbers"),
        (b"1,2\n3,4\n", "does not say its rate"),
        (b"x,y\n1,2\n3,4,5\n6,7\n", "has 3 cells where 2 are due"),
        (b"time,x\n0,1\n0,2\n0,3\n", "do not go on"),
        (b"time,x\n2024-01-01,1\nyesterday,2\n2024-01-03,3\n", "'yesterday' of sample 1 cannot be read"),
        (b"time,x\n0,1\n1,2\n50,3\n51,2\n180,1\n999,4\n1200,3\n", "uneven"),
        (b"start,place\n2024-01-01 10:00:00,Bed\n2024-01-01 10:00:01,Door\n", "no column of numbers"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, text: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        opened(tmp_path, text)


def test_uneven_times_with_a_rate_that_is_said(tmp_path: Path) -> None:
    times = [0, 10, 30, 40, 80, 90, 120, 160, 190, 230]
    source = opened(tmp_path, table(times), SourceOptions(source_rate_hz=0.1))
    assert [round(block.gap_before_s) for block in content(source)[0]] == [0, 0, 10, 0, 30, 0, 20, 30, 20, 30]
