"""A signal in any unit comes to codes that use the range; anew once it leaves it."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.wearable.heart_rate.scaling import WANTED, Scaling


def pushed(scaling: Scaling, samples: np.ndarray) -> tuple[np.ndarray, int]:
    """What comes out of it second by second at 50 Hz, and how often it began anew."""
    told = [scaling.push(samples[i : i + 50]) for i in range(0, len(samples), 50)]
    return np.concatenate([shares for shares, _ in told]), sum(anew for _, anew in told)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("middle", [0.0, 1e3])
def test_the_spread_is_brought_to_the_codes_wanted(unit: float, middle: float) -> None:
    signal = (np.sin(np.arange(1000) / 8) + middle) * unit
    shares, anew = pushed(Scaling(50.0), signal)
    assert len(shares) == 1000  # what it learnt from comes out too
    assert anew == 1
    assert WANTED <= np.ptp(shares) * 32768 <= 2.2 * WANTED


def test_a_flat_line_is_waited_for() -> None:
    shares, anew = pushed(Scaling(50.0), np.concatenate([np.full(500, 7.0), 7 + np.sin(np.arange(500) / 8)]))
    assert anew == 1
    assert len(shares) < 700


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_a_signal_of_another_size_begins_anew(factor: float) -> None:
    wave = np.sin(np.arange(2000) / 8)
    shares, anew = pushed(Scaling(50.0), np.concatenate([wave, factor * wave]))
    assert anew == 2
    assert 0.8 * WANTED <= np.ptp(shares[-400:]) * 32768 <= 2.5 * WANTED
