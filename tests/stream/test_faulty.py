"""Every fault in every kind of signal: found by the monitor, the same for the same seed, and nothing crashes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pintsize.errors import UserError
from pintsize.stream.block import Block
from pintsize.stream.convert import Conversion, Converter
from pintsize.stream.faults import FAULTS, parse_faults
from pintsize.stream.faulty import Faulty
from pintsize.stream.health import Health, monitor_of
from pintsize.stream.sources.described import Described, Description
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.replay import held
from tests.stream.files import tone

#: what the monitor may call a fault: a stuck value near 0 is a flat line, and a slow signal at its limit is stuck
FOUND_AS = {name: {name} for name in FAULTS} | {
    "flatline": {"flat"}, "stuck": {"stuck", "flat"}, "clip": {"clip", "stuck"},
}  # fmt: skip


def source(kind: str) -> Described:
    """A signal as sound, as a float record in physical units, as two channels of a slow sensor."""
    if kind == "sound":
        samples = np.round(tone(96000, 8000) * 32767).astype(np.int16)[:, None]
        description = Description(kind, 8000.0, ("0",), 32768.0, (-32768.0, 32767.0))
        return held(description, samples, SourceOptions())
    if kind == "record":
        samples = (3 + 2 * tone(2400, 180, 5.0)).astype(np.float32)[:, None]
        return held(Description(kind, 180.0, ("lead",)), samples, SourceOptions())
    slow = np.stack([20 + tone(600, 1, 0.013), 50 + tone(600, 1, 0.021)], axis=1).astype(np.float32)
    return held(Description(kind, 1.0, ("temperature", "humidity")), slow, SourceOptions())


def judged(faulty: Faulty) -> list[tuple[Block, Health]]:
    monitor = monitor_of(faulty)
    return [(block, monitor.see(block)) for block in faulty.blocks()]


@pytest.mark.parametrize("kind", ["sound", "record", "slow"])
def test_without_faults_all_is_well(kind: str) -> None:
    given = judged(Faulty(source(kind), ()))
    assert all(health.ok for _, health in given)
    assert sum(len(block.samples) for block, _ in given) == sum(
        len(block.samples) for block in source(kind).blocks()
    )


@pytest.mark.parametrize("kind", ["sound", "record", "slow"])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_and_said(fault: str, kind: str) -> None:
    given = judged(Faulty(source(kind), (fault,), seed=3))
    found = {name for _, health in given for name in health.faults}
    assert found & FOUND_AS[fault]
    assert all(health.reason for _, health in given if not health.ok)
    assert any(health.ok for _, health in given)
    assert [block.index for block, _ in given] == list(range(len(given)))


@pytest.mark.parametrize("kind", ["sound", "record", "slow"])
def test_the_same_seed_gives_the_same_faults(kind: str) -> None:
    def content(seed: int) -> list[tuple[float, float, bytes]]:
        faulty = Faulty(source(kind), tuple(FAULTS), seed)
        return [(block.start_s, block.gap_before_s, block.samples.tobytes()) for block in faulty.blocks()]

    assert content(1) == content(1)
    assert content(1) != content(2)


@pytest.mark.parametrize("fault", FAULTS)
def test_usable_blocks_with_a_fault_are_converted_to_finite_samples(fault: str) -> None:
    faulty = Faulty(source("record"), (fault,), seed=1)
    converter = Converter(180.0, 1, 1.0, Conversion(rate_hz=90.0))
    made = [piece for block, health in judged(faulty) if health.usable for piece in converter.push(block)]
    assert made
    assert all(np.isfinite(piece.samples).all() for piece in made)


def test_pictures_and_heartbeats_pass_through_every_fault() -> None:
    class Camera(Described):
        def blocks(self) -> Iterator[Block]:
            drawn = np.random.default_rng(0)
            for index in range(200):
                picture = drawn.integers(0, 256, (1, 6, 8, 3), dtype=np.uint8)
                yield Block(picture[:0] if index == 50 else picture, index / 25, 25.0, index=index)

    description = Description("camera", 25.0, ("red", "green", "blue"), 255.0, (0.0, 255.0), lossless=False)
    given = judged(Faulty(Camera(description), tuple(FAULTS), seed=0))
    assert sum("dead" in health.faults for _, health in given) == 1
    assert {"gap", "duplicate"} <= {name for _, health in given for name in health.faults}


def test_names_of_faults() -> None:
    assert parse_faults("nan, gap") == tuple(name for name in FAULTS if name in ("nan", "gap"))
    assert parse_faults("all") == tuple(FAULTS)
    for wrong in ("", "gap,earthquake"):
        with pytest.raises(UserError, match="known are"):
            parse_faults(wrong)
    with pytest.raises(UserError, match="earthquake"):
        Faulty(source("slow"), ("earthquake",))
