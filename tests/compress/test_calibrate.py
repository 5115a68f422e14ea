"""Ranges read off samples: 0 is always exact, outliers cost what the method says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.arithmetic import dequantize, quantize
from pintsize.compress.calibrate import Calibration, Range, calibrate
from pintsize.errors import DataError
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import Relu

METHODS: tuple[Calibration, ...] = ("min_max", "percentile", "mse")
BOUNDS = st.floats(-1e4, 1e4, allow_subnormal=False)


def relu(features: int) -> Graph:
    graph = Graph("g", {"x": Tensor("x", TensorType((features,)))}, (), ("x",), ("y",))
    return rebuild(graph, [Node("relu", Relu(), ("x",), "y")])


def ranges(samples: np.ndarray, method: Calibration) -> dict[str, Range]:
    return calibrate(relu(samples.shape[1]), samples.astype(np.float32), method)[0]


@given(BOUNDS, BOUNDS)
def test_zero_is_exactly_representable(a: float, b: float) -> None:
    scale, zero_point = Range(min(a, b), max(a, b)).grid()
    assert scale > 0
    assert -128 <= zero_point <= 127
    assert dequantize(quantize(np.zeros(1), scale, zero_point), scale, zero_point)[0] == 0.0


@given(BOUNDS, BOUNDS)
def test_the_grid_covers_the_range_to_half_a_step(a: float, b: float) -> None:
    low, high = min(a, b, 0.0), max(a, b, 0.0)
    scale, zero_point = Range(low, high).grid()
    ends = np.array([low, high], np.float32)
    back = dequantize(quantize(ends, scale, zero_point), scale, zero_point)
    assert np.abs(back - ends).max() <= 0.501 * scale + 1e-6


def test_one_sided_ranges_use_all_codes() -> None:
    assert Range(0.0, 25.5).grid() == (pytest.approx(0.1), -128)
    assert Range(-25.5, 0.0).grid() == (pytest.approx(0.1), 127)
    assert Range(3.0, 25.5).grid() == (pytest.approx(0.1), -128)


def test_a_dead_tensor_gets_a_step_of_ordinary_size() -> None:
    """A tiny one would crush the weights of the next layer, whose bias is counted in it."""
    assert Range(0.0, 0.0).grid() == (1 / 256, -128)


def test_min_max_takes_the_extremes() -> None:
    samples = np.random.default_rng(0).normal(0, 1, (300, 50))
    samples[7, 3], samples[150, 4] = 40.0, -30.0
    found = ranges(samples, "min_max")
    assert (found["x"].low, found["x"].high) == (-30.0, 40.0)
    assert (found["y"].low, found["y"].high) == (0.0, 40.0)


def test_percentile_leaves_single_outliers_out() -> None:
    samples = np.random.default_rng(0).normal(0, 1, (300, 50))
    samples[7, 3], samples[150, 4] = 4000.0, -3000.0
    found = ranges(samples, "percentile")["x"]
    assert -5 < found.low < -3
    assert 3 < found.high < 5


@given(st.integers(0, 2**32 - 1), st.floats(1, 30))
def test_mse_is_never_worse_than_min_max(seed: int, outlier: float) -> None:
    samples = np.random.default_rng(seed).normal(0, 1, (200, 20))
    samples[0, 0] = outlier
    values = samples.astype(np.float32).reshape(-1)
    errors = {}
    for method in ("min_max", "mse"):
        scale, zero_point = ranges(samples, method)["x"].grid()
        errors[method] = np.square(
            dequantize(quantize(values, scale, zero_point), scale, zero_point) - values
        ).mean()
    assert errors["mse"] <= errors["min_max"] * 1.0001


def test_mse_clips_where_that_pays() -> None:
    samples = np.random.default_rng(0).normal(0, 1, (2000, 20))
    samples[0, 0] = 15.0
    assert 5.0 < ranges(samples, "mse")["x"].high < 0.95 * 15.0


@pytest.mark.parametrize("method", METHODS)
def test_what_is_already_zero_stays_so(method: Calibration) -> None:
    found = ranges(-np.abs(np.random.default_rng(0).normal(0, 1, (100, 5))), method)["y"]
    assert (found.low, found.high) == (0.0, 0.0)


def test_means_are_per_channel_over_all_samples() -> None:
    samples = np.random.default_rng(0).normal([1.0, -2.0, 3.0], 1, (301, 3)).astype(np.float32)
    _, means = calibrate(relu(3), samples, "min_max", batch=64)
    assert means["x"] == pytest.approx(samples.mean(0), abs=1e-5)
    assert means["y"] == pytest.approx(samples.clip(min=0).mean(0), abs=1e-5)


def test_the_batch_does_not_matter() -> None:
    samples = np.random.default_rng(0).normal(0, 1, (100, 7)).astype(np.float32)
    whole, parts = calibrate(relu(7), samples, "mse"), calibrate(relu(7), samples, "mse", batch=9)
    assert whole[0] == parts[0]


def test_no_sample_is_an_error_that_says_so() -> None:
    with pytest.raises(DataError, match="at least one sample"):
        calibrate(relu(2), np.zeros((0, 2), np.float32), "min_max")


def test_values_are_kept_of_every_channel() -> None:
    """Few values are looked at where there are many; a stride that divides the channels would pass over some."""
    samples = np.random.default_rng(0).normal(0, 1, (2048, 64)).astype(np.float32)
    samples[:, 5] *= 50
    found = ranges(samples, "mse")["x"]
    assert found.high > 100
