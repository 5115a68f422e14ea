"""Rate, channels and scale: as asked, the same for blocks of any size, and refused where that cannot be."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pintsize.errors import DataError
from pintsize.stream.block import Block, heartbeat
from pintsize.stream.convert import Conversion, Converter, as_int16
from pintsize.stream.sources import SourceOptions, open_source
from tests.stream.files import write_wav

NOISE = (np.random.default_rng(1).normal(size=(900, 2)) * 6000).astype(np.int16)


def cut(samples: NDArray[np.generic], rate_hz: float, cuts: list[int]) -> list[Block]:
    """A recording as blocks that end at these samples."""
    edges = [0, *cuts, len(samples)]
    spans = [(first, stop) for first, stop in pairwise(edges) if stop > first]
    return [
        Block(samples[first:stop], first / rate_hz, rate_hz, index=index)
        for index, (first, stop) in enumerate(spans)
    ]


def converted(blocks: list[Block], wanted: Conversion, full_scale: float = 32768.0) -> list[Block]:
    converter = Converter(blocks[0].rate_hz, blocks[0].samples.shape[1], full_scale, wanted)
    return [made for block in blocks for made in converter.push(block)] + converter.finish()


def pushed(blocks: list[Block], channels: int, wanted: Conversion) -> None:
    converter = Converter(blocks[0].rate_hz, channels, 32768.0, wanted)
    for block in blocks:
        converter.push(block)


def joined(blocks: list[Block]) -> NDArray[np.generic]:
    return np.concatenate([block.samples for block in blocks])


conversions = st.builds(
    Conversion,
    rate_hz=st.sampled_from([None, 8000.0, 16000.0, 44100.0, 48000.0]),
    channels=st.sampled_from(["all", "mean", (1,), (1, 0)]),
    scale=st.sampled_from(["source", "real", "int16"]),
)


@settings(max_examples=30, deadline=None)
@given(conversion=conversions, cuts=st.lists(st.integers(0, len(NOISE)), max_size=8), real=st.booleans())
def test_blocks_of_any_size_give_the_same_samples(
    conversion: Conversion, cuts: list[int], real: bool
) -> None:
    samples = (NOISE / 32768).astype(np.float32) if real else NOISE
    full_scale = 1.0 if real else 32768.0
    whole = converted(cut(samples, 16000, []), conversion, full_scale)
    pieces = converted(cut(samples, 16000, sorted(cuts)), conversion, full_scale)
    assert np.array_equal(joined(pieces), joined(whole))
    assert joined(pieces).dtype == joined(whole).dtype
    ends = [block.end_s for block in pieces[:-1]]
    assert np.allclose(ends, [block.start_s for block in pieces[1:]], atol=1e-9)
    assert pieces[0].start_s == 0.0
    assert [block.index for block in pieces] == list(range(len(pieces)))


def test_scales() -> None:
    edge = np.array([[-32768], [0], [16384], [32767]], np.int16)
    real = converted(cut(edge, 8000, []), Conversion(scale="real"))[0].samples
    assert real[:, 0].tolist() == [-1.0, 0.0, 0.5, 32767 / 32768]
    loud = np.array([[-2.0], [0.5 / 32768], [1.5 / 32768], [1.0], [np.nan]], np.float32)
    short = converted(cut(loud, 8000, []), Conversion(scale="int16"), 1.0)[0].samples
    assert short[:, 0].tolist() == [-32768, 0, 2, 32767, 0]
    assert as_int16(np.array([np.inf, -np.inf])).tolist() == [32767, -32768]


def test_the_limits_follow_the_scale(tmp_path: Path) -> None:
    write_wav(tmp_path / "clip.wav", 0.1)
    with open_source(str(tmp_path / "clip.wav"), SourceOptions(scale="real")) as source:
        assert (source.full_scale, source.saturates_at) == (1.0, (-1.0, 32767 / 32768))


def test_channels() -> None:
    assert np.array_equal(
        joined(converted(cut(NOISE, 8000, []), Conversion(channels=(1,))))[:, 0], NOISE[:, 1]
    )
    mean = joined(converted(cut(NOISE, 8000, []), Conversion(channels="mean")))
    assert np.array_equal(mean[:, 0], np.rint(NOISE.mean(axis=1)).astype(np.int16))


def test_what_is_not_asked_for_is_not_touched() -> None:
    made = converted(cut(NOISE, 8000, [100]), Conversion())
    assert made[0].samples.dtype == np.int16
    assert np.array_equal(joined(made), NOISE)


def test_a_gap_starts_anew_and_is_passed_on() -> None:
    first, second = cut(NOISE, 8000, [400])
    late = replace(second, start_s=second.start_s + 5, gap_before_s=5.0)
    made = converted([first, late], Conversion(rate_hz=16000))
    after = [block for block in made if block.start_s >= 5]
    assert after[0].gap_before_s == 5.0
    assert after[0].start_s == late.start_s
    alone = converted([replace(late, gap_before_s=0.0)], Conversion(rate_hz=16000))
    assert np.array_equal(joined(after), joined(alone))


def test_the_clock_is_followed() -> None:
    """Blocks come 0.1 % later than the samples count: after a hundred of them the times still agree."""
    blocks = [Block(NOISE[:800], 0.1001 * index, 8000.0, index=index) for index in range(100)]
    made = converted(blocks, Conversion(rate_hz=16000))
    assert abs(made[-1].end_s - blocks[-1].end_s) < 0.001


def test_heartbeats_pass() -> None:
    beat = replace(heartbeat(2, 8000.0, np.int16), start_s=3.0)
    made = converted([*cut(NOISE, 8000, []), beat], Conversion(rate_hz=16000, channels="mean"))
    assert any(block.start_s == 3.0 and block.samples.shape == (0, 1) for block in made)


@pytest.mark.parametrize(
    ("blocks", "wanted", "said"),
    [
        (cut(NOISE, 8000, []), Conversion(channels=(2,)), "channel 2"),
        (
            [replace(cut(NOISE, 8000, [])[0], rate_hz=8000.0), replace(cut(NOISE, 9000, [])[0])],
            Conversion(),
            "9000",
        ),
        ([*cut(NOISE, 8000, []), *cut(NOISE[:, :1], 8000, [])], Conversion(), "1 channels"),
        ([Block(np.zeros((1, 4, 4, 3), np.uint8), 0.0, 25.0)], Conversion(), "pictures"),
    ],
)
def test_what_cannot_be_is_refused(blocks: list[Block], wanted: Conversion, said: str) -> None:
    channels = blocks[0].samples.shape[1] if blocks[0].samples.ndim == 2 else 3
    with pytest.raises(DataError, match=said):
        pushed(blocks, channels, wanted)


def test_another_scale_than_was_said_is_refused() -> None:
    with pytest.raises(DataError, match="full_scale"):
        converted(cut(NOISE.astype(np.float32), 8000, []), Conversion(scale="int16"), 1.0)


@pytest.mark.parametrize(
    "wrong", [{"rate_hz": 0.0}, {"rate_hz": float("nan")}, {"channels": ()}, {"scale": "loud"}]
)
def test_options_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DataError):
        Conversion(**wrong)  # type: ignore[arg-type]
