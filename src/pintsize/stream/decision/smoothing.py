"""Probabilities smoothed over time; a break is never smoothed over."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.stage import AT_THE_END, SourceTime, passed, require_positive

Numbers = NDArray[np.float64]


def as_scores(value: ArrayLike | None) -> Numbers | None:
    """One vector of finite numbers, or None: NaN is no value."""
    if value is None:
        return None
    scores = np.atleast_1d(np.asarray(value, np.float64))
    return scores if np.isfinite(scores).all() else None


class ExponentialSmoothing:
    """A low-pass filter of first order with the step's own length, so uneven steps weigh as long as they last.

    time_constant_s: after it, 63 % of a change is taken on
    timeout_s: a break longer than that starts anew with the next value
    """

    def __init__(self, time_constant_s: float, timeout_s: float) -> None:
        require_positive("smoothing", time_constant_s=time_constant_s, timeout_s=timeout_s)
        self.time_constant_s, self.timeout_s = time_constant_s, timeout_s
        self._time = SourceTime()
        self._smooth: Numbers | None = None
        self._last_s = 0.0

    @property
    def idle(self) -> bool:
        return self._smooth is None

    def update(self, time_s: float, value: ArrayLike | None) -> Numbers | None:
        """value: (classes,). Gives the smoothed ones; None, and forgets, where there is no valid value."""
        scores = as_scores(value)
        if self._time.advance(time_s) or scores is None:
            self._smooth = None
        if scores is None:
            return None
        if (
            self._smooth is None
            or passed(self.timeout_s, self._last_s, time_s)
            or len(self._smooth) != len(scores)
        ):
            self._smooth = scores
        else:
            taken = 1.0 - math.exp((self._last_s - time_s) / self.time_constant_s)
            self._smooth = self._smooth + taken * (scores - self._smooth)
        self._last_s = time_s
        return self._smooth

    def reset(self, reason: str) -> Decision | None:
        self._smooth = None
        return None

    def finish(self, time_s: float) -> Decision | None:
        return self.reset(AT_THE_END)


class MeanSmoothing:
    """The mean of the last values. Source: Chen et al., "Small-footprint keyword spotting", 2014 (posterior handling).

    window_s: values older than that do not count; it is the timeout too
    """

    def __init__(self, window_s: float) -> None:
        require_positive("smoothing", window_s=window_s)
        self.window_s = self.timeout_s = window_s
        self._time = SourceTime()
        self._kept: deque[tuple[float, Numbers]] = deque()

    @property
    def idle(self) -> bool:
        return not self._kept

    def update(self, time_s: float, value: ArrayLike | None) -> Numbers | None:
        """value: (classes,). Gives the mean; None, and forgets, where there is no valid value."""
        scores = as_scores(value)
        if self._time.advance(time_s) or scores is None or self._other_length(scores):
            self._kept.clear()
        if scores is None:
            return None
        self._kept.append((time_s, scores))
        while passed(self.window_s, self._kept[0][0], time_s):
            self._kept.popleft()
        return np.mean([kept for _, kept in self._kept], axis=0)

    def reset(self, reason: str) -> Decision | None:
        self._kept.clear()
        return None

    def finish(self, time_s: float) -> Decision | None:
        return self.reset(AT_THE_END)

    def _other_length(self, scores: Numbers) -> bool:
        return bool(self._kept) and len(self._kept[0][1]) != len(scores)
