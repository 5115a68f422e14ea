from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.stream.latency import Latencies, Latency


@given(st.lists(st.floats(2e-6, 50), min_size=1, max_size=200))
def test_quantiles_are_right_to_within_two_percent(seconds: list[float]) -> None:
    latencies = Latencies()
    for one in seconds:
        latencies.add(one)
    told = latencies.summary()
    for found, share in ((told.p50_ms, 0.5), (told.p99_ms, 0.99)):
        assert found == pytest.approx(
            1e3 * float(np.quantile(seconds, share, method="inverted_cdf")), rel=0.0205, abs=1e-3
        )
    assert told.longest_ms == pytest.approx(1e3 * max(seconds), abs=1e-4)


def test_none_of_none() -> None:
    assert Latencies().summary() == Latency(0, None, None, None)
