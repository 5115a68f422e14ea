"""What is wrong with a block is found and said; what is right is left in peace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.errors import DataError
from pintsize.stream.block import Block, heartbeat
from pintsize.stream.health import Health, HealthLimits, Monitor
from tests.stream.files import tone

RATE_HZ = 1000.0
STEP = 100  # samples a block


def blocks(samples: NDArray[np.generic], start_s: float = 0.0) -> list[Block]:
    rows = samples.reshape(len(samples), -1)
    return [
        Block(rows[first : first + STEP], start_s + first / RATE_HZ, RATE_HZ, index=first // STEP)
        for first in range(0, len(rows), STEP)
    ]


def judged(given: list[Block], limits: HealthLimits | None = None, known: bool = True) -> list[Health]:
    monitor = Monitor(RATE_HZ, 1.0, (-1.0, 1.0) if known else None, limits)
    return [monitor.see(block) for block in given]


def signal(seconds: float = 4.0) -> NDArray[np.float32]:
    return tone(round(seconds * RATE_HZ), RATE_HZ, 7.0).astype(np.float32)


def assert_found(health: list[Health], fault: str, words: str) -> None:
    found = [judgement for judgement in health if fault in judgement.faults]
    assert found, f"no {fault} among {[judgement.faults for judgement in health]}"
    assert all(not judgement.ok and judgement.reason for judgement in found)
    assert words in (found[0].reason or "")


@pytest.mark.parametrize("known", [True, False])
def test_a_good_signal_is_well(known: bool) -> None:
    health = judged(blocks(signal()), HealthLimits(silence_level=0.01, repeats=1), known)
    assert all(judgement.ok and judgement.usable and not judgement.reset for judgement in health)
    assert {judgement.reason for judgement in health} == {None}


def test_a_gap_resets_what_has_state() -> None:
    given = blocks(signal())
    late = [replace(block, start_s=block.start_s + 0.7) for block in given[10:]]
    late[0] = replace(late[0], gap_before_s=0.7)
    health = judged([*given[:10], *late])
    assert_found(health, "gap", "0.700 s are missing before 1.700 s")
    assert [judgement.reset for judgement in health].index(True) == 10
    assert health[10].usable
    assert health[11].ok
    assert not health[11].reset


@pytest.mark.parametrize(
    ("jump_s", "words"), [(3600.0, "ahead by 3600.000 s"), (-3600.0, "back by 3600.000 s")]
)
def test_a_clock_that_jumps(jump_s: float, words: str) -> None:
    given = blocks(signal())
    health = judged([*given[:10], *[replace(block, start_s=block.start_s + jump_s) for block in given[10:]]])
    assert_found(health, "clock", words)
    assert health[10].reset
    assert all(judgement.ok for judgement in health[11:])


def test_a_time_that_comes_twice_is_not_used_twice() -> None:
    given = blocks(signal())
    health = judged([*given[:10], given[9], *given[10:]])
    assert_found(health, "duplicate", "came twice")
    assert not health[10].usable
    assert health[11].ok
    assert not health[11].reset


def test_blocks_out_of_order() -> None:
    given = blocks(signal())
    health = judged([*given[:8], given[9], given[8], *given[10:]])
    assert [judgement.faults for judgement in health[8:11]] == [("clock",), ("order",), ()]
    assert not health[9].usable


@pytest.mark.parametrize("true_hz", [500.0, 1100.0, 2000.0])
def test_samples_at_another_rate_than_was_said(true_hz: float) -> None:
    given = [replace(block, start_s=index * STEP / true_hz) for index, block in enumerate(blocks(signal()))]
    health = judged(given)
    assert_found(health, "rate", f"at about {true_hz:.4g} Hz where 1000 Hz was said")
    assert not any(judgement.ok or judgement.usable for judgement in health[10:])


def test_a_rate_that_changes_is_refused() -> None:
    given = blocks(signal())
    health = judged([*given[:5], replace(given[5], rate_hz=500.0), *given[6:]])
    assert_found(health, "rate", "500 Hz where 1000 Hz")
    assert health[6].reset


def test_what_is_no_number() -> None:
    samples = signal()
    samples[1005] = np.nan
    samples[1010] = np.inf
    health = judged(blocks(samples))
    assert_found(health, "nan", "2 of 100 values")
    assert not health[10].usable
    assert health[11].reset  # what came before is missing to what follows


def test_a_flat_line_and_a_stuck_sensor() -> None:
    flat, stuck = signal(), signal()
    flat[1000:3000] = 0
    stuck[1000:3000] = 0.3
    assert_found(judged(blocks(flat)), "flat", "channel 0 has been at 0")
    health = judged(blocks(stuck))
    assert_found(health, "stuck", "stuck at 0.3")
    assert [judgement.ok for judgement in health].index(False) == 19  # after a second of it
    assert health[30].ok


def test_one_dead_channel_among_two() -> None:
    both = np.stack([signal(), np.full(4000, -0.25, np.float32)], axis=1)
    assert_found(judged(blocks(both)), "stuck", "channel 1")


def test_a_flat_line_is_found_in_blocks_of_one_sample() -> None:
    samples = np.zeros((1500, 1), np.float32)
    monitor = Monitor(RATE_HZ)
    health = [monitor.see(Block(samples[at : at + 1], at / RATE_HZ, RATE_HZ)) for at in range(len(samples))]
    assert [judgement.ok for judgement in health].index(False) == 999


@pytest.mark.parametrize("known", [True, False])
def test_clipping(known: bool) -> None:
    samples = np.clip(signal() * (4 if known else 1), -1, 1) if known else np.clip(signal(), -0.2, 0.2)
    assert_found(judged(blocks(samples), known=known), "clip", "clipped")


def test_silence_is_only_a_fault_where_asked() -> None:
    samples = signal()
    samples[1000:] *= 0.001
    assert all(judgement.ok for judgement in judged(blocks(samples)))
    assert_found(judged(blocks(samples), HealthLimits(silence_level=0.01)), "silence", "silence for 1.00 s")


def test_a_buffer_that_is_handed_out_again_and_again() -> None:
    same = np.tile(signal(0.1), 20)
    assert_found(judged(blocks(same), HealthLimits(repeats=3)), "stuck", "for the 4th time")


def test_a_dead_sensor() -> None:
    given = blocks(signal(1.0))
    dead = [replace(heartbeat(1, RATE_HZ, np.float32), start_s=3.0 + 2 * index) for index in range(2)]
    resumed = [replace(block, start_s=block.start_s + 6.0) for block in given]
    resumed[0] = replace(resumed[0], gap_before_s=5.0)
    health = judged([*given, *dead, *resumed])
    assert_found(health, "dead", "no samples for 2.0 s, since 1.000 s")
    assert health[12].reset
    assert "no samples yet" in (judged(dead)[0].reason or "")


def test_a_new_clip_starts_anew_and_is_no_fault() -> None:
    first = [replace(block, origin="a") for block in blocks(signal(1.0))]
    second = [replace(block, origin="b", gap_before_s=1.0) for block in blocks(signal(1.0), 2.0)[:1]]
    health = judged([*first, *second])
    assert health[10].ok
    assert health[10].reset
    assert not any(judgement.reset for judgement in health[:10])


def test_pictures() -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (40, 6, 8, 3), dtype=np.uint8)
    shown = [Block(picture[None], index / 25, 25.0, index=index) for index, picture in enumerate(drawn)]
    monitor = Monitor(25.0, 255.0, (0.0, 255.0), HealthLimits(gap_s=0.5))
    assert all(monitor.see(block).ok for block in shown)
    frozen = [replace(shown[-1], start_s=(40 + index) / 25) for index in range(30)]
    health = [monitor.see(block) for block in frozen]
    assert_found(health, "stuck", "the same picture")
    dark = Block(np.zeros((1, 6, 8, 3), np.uint8), 70 / 25, 25.0)
    assert "blank" in (monitor.see(dark).reason or "")


def test_a_camera_may_lose_pictures() -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), dtype=np.uint8)
    monitor = Monitor(25.0, 255.0, None, HealthLimits(gap_s=0.5))
    assert monitor.see(Block(drawn[:1], 0.0, 25.0)).ok
    assert monitor.see(Block(drawn[1:2], 0.2, 25.0, gap_before_s=0.16)).ok
    assert not monitor.see(Block(drawn[2:3], 5.2, 25.0, gap_before_s=4.9)).ok


def test_limits_that_mean_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="flat_s"):
        HealthLimits(flat_s=-1.0)
