"""Adaptive rounding: sums come out nearer than with every weight at its nearest code, on inputs it has not seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.arithmetic import brief_scales
from pintsize.compress.adaptive_rounding import Fit, adaptive_codes


def correlated(rows: int, width: int, seed: int, groups: int = 1) -> torch.Tensor:
    """Inputs (G, rows, width) of which each is much like its neighbours."""
    draw = torch.Generator().manual_seed(seed)
    mix = torch.randn(groups, width // 3 + 1, width, generator=torch.Generator().manual_seed(99))
    return torch.randn(groups, rows, width // 3 + 1, generator=draw) @ mix


def drawn(seed: int, groups: int, outputs: int, width: int, most: int) -> tuple[torch.Tensor, torch.Tensor]:
    weight = torch.randn(groups, outputs, width, generator=torch.Generator().manual_seed(seed))
    return weight, brief_scales(weight.abs().amax(2, keepdim=True) / most)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 3]), st.integers(1, 12), st.sampled_from([1, 7, 127]))
def test_the_error_is_never_above_that_of_the_nearest_codes(
    seed: int, groups: int, width: int, most: int
) -> None:
    weight, scale = drawn(seed, groups, 4, width, most)
    x = correlated(50, width, seed, groups)
    fit = Fit.of(x, x, weight)
    codes, scales = adaptive_codes(fit, weight, scale, most, torch.full_like(scale, 1e-6))
    assert codes.abs().max() <= most
    assert torch.equal(codes, codes.round())
    nearest = (weight / scale).round() * scale
    assert bool(
        (fit.error(codes * scales) <= fit.error(nearest) + 1e-3 * fit.error(nearest).abs() + 1e-6).all()
    )


@pytest.mark.parametrize("most", [7, 1])
def test_unseen_outputs_come_nearer(most: int) -> None:
    weight, scale = drawn(0, 1, 16, 24, most)
    seen, unseen = correlated(400, 24, 1), correlated(400, 24, 2)
    codes, scales = adaptive_codes(
        Fit.of(seen, seen, weight), weight, scale, most, torch.full_like(scale, 1e-6)
    )
    errors = [
        float((unseen @ (real - weight).transpose(1, 2)).square().mean())
        for real in (codes * scales, (weight / scale).round().clamp(-most, most) * scale)
    ]
    assert errors[0] < errors[1] / 4


def test_dead_inputs_leave_the_nearest_codes() -> None:
    weight, scale = drawn(0, 1, 4, 6, 7)
    x = torch.zeros(1, 20, 6)
    codes, _ = adaptive_codes(Fit.of(x, x, weight), weight, scale, 7, torch.full_like(scale, 1e-6))
    assert torch.equal(codes, (weight / scale).round())


def test_weights_make_up_for_inputs_that_integers_have_smaller() -> None:
    weight, scale = drawn(0, 1, 8, 6, 127)
    x = torch.randn(1, 500, 6, generator=torch.Generator().manual_seed(0))
    codes, scales = adaptive_codes(
        Fit.of(x, 0.8 * x, weight), weight, scale, 127, torch.full_like(scale, 1e-6)
    )
    ratio = (codes * scales / weight)[weight.abs() > 0.3]
    assert np.median(ratio.numpy()) == pytest.approx(1.25, rel=0.03)


def test_no_scale_falls_below_what_its_bias_needs() -> None:
    weight, scale = drawn(0, 1, 8, 6, 7)
    x = torch.randn(1, 100, 6, generator=torch.Generator().manual_seed(0))
    _, scales = adaptive_codes(Fit.of(x, 0.5 * x, weight), weight, scale, 7, scale)
    assert bool((scales >= scale).all())
