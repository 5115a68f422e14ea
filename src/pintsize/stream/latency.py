"""How long steps took: counted in classes, so an endless run needs no more memory than a short one."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate

_SHORTEST_S = 1e-6
_PER_FACTOR_OF_E = 50  # neighbouring classes are 2 % apart
_CLASSES = 1000


@dataclass(frozen=True)
class Latency:
    """Milliseconds, to within 2 %; longest is exact; None where there was none."""

    count: int
    p50_ms: float | None
    p99_ms: float | None
    longest_ms: float | None


class Latencies:
    """Takes durations, gives their quantiles."""

    def __init__(self) -> None:
        self._counts = [0] * _CLASSES
        self._longest_s = 0.0
        self.count = 0

    def add(self, seconds: float) -> None:
        place = int(_PER_FACTOR_OF_E * math.log(max(seconds, _SHORTEST_S) / _SHORTEST_S))
        self._counts[min(place, _CLASSES - 1)] += 1
        self._longest_s = max(self._longest_s, seconds)
        self.count += 1

    def summary(self) -> Latency:
        if not self.count:
            return Latency(0, None, None, None)
        longest_ms = 1e3 * self._longest_s
        return Latency(self.count, self._quantile_ms(0.5), self._quantile_ms(0.99), round(longest_ms, 4))

    def _quantile_ms(self, share: float) -> float:
        """The upper edge of the class that the quantile lies in, never more than the longest."""
        place = bisect_left(list(accumulate(self._counts)), share * self.count)
        edge_s = _SHORTEST_S * math.exp((place + 1) / _PER_FACTOR_OF_E)
        return round(1e3 * min(edge_s, self._longest_s), 4)
