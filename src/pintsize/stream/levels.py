"""What the values of the samples give away: flat, stuck, clipped, silent, not a number.

Each check carries over what it needs from block to block, so that short blocks hide nothing. Pictures are looked at
as a whole: a blank one is flat.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from pintsize.stream.block import Block, Samples
from pintsize.stream.finding import Finding

#: how far back clipping is counted
CLIP_WINDOW_S = 0.5
#: where the limits are not known, one extreme value again and again over a longer time is taken for one
_TOPS_WINDOW_S = 1.0
_TOPS_SHARE = 0.05
#: fewer different values than this and a sensor is coarse rather than clipped
_COARSE = 16
#: a top is cut rather than round if the signal comes to it by more than these: its resolution, its range
_STEEP_STEPS, _STEEP_SHARE = 3.0, 0.005
#: of a limit: what counts as being at it
AT_LIMIT = 0.999
#: of full scale: a line at no more than this is flat rather than stuck
NEAR_ZERO = 0.01
#: fewer equal samples than this are no line: slow sensors often give one value a few times
_LINE_SAMPLES = 30


def not_a_number(block: Block) -> Finding | None:
    """NaN or infinity among the samples."""
    if block.samples.dtype.kind != "f":
        return None
    bad = int(np.count_nonzero(~np.isfinite(block.samples)))
    if not bad:
        return None
    return Finding("nan", f"{bad} of {block.samples.size} values at {block.start_s:.3f} s are not numbers")


class Flatness:
    """One value for limit_s, in any channel. step: neighbours that differ by no more count as one value."""

    def __init__(self, limit_s: float, step: float, full_scale: float) -> None:
        self._limit_s, self._step = limit_s, step
        self._near_zero = NEAR_ZERO * full_scale + step
        self.restart()

    def restart(self) -> None:
        self._last: Samples | None = None
        self._run: NDArray[np.int64] | None = None

    def see(self, block: Block) -> Finding | None:
        """What is flat or stuck."""
        rows = block.samples.reshape(len(block.samples), -1)
        if block.samples.ndim > 2:  # a picture: blank, or the same as the one before
            return self._see_pictures(block, rows)
        rows = rows.astype(np.float64)
        longest = self._longest_runs(rows)
        channel = int(np.argmax(longest))
        run_s = float(longest[channel]) / block.rate_hz
        if run_s < self._limit_s or longest[channel] < _LINE_SAMPLES:
            return None
        return self._named(channel, float(rows[-1, channel]), run_s)

    def _named(self, channel: int, value: float, run_s: float) -> Finding:
        if abs(value) <= self._near_zero:
            return Finding("flat", f"flat line: channel {channel} has been at {value:g} for {run_s:.2f} s")
        return Finding("stuck", f"channel {channel} has been stuck at {value:g} for {run_s:.2f} s")

    def _longest_runs(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Per channel: the longest run of one value that ends in these rows, with what was before them."""
        if self._last is None or self._run is None:
            before, carried = rows[:1] + np.inf, np.zeros(rows.shape[1], np.int64)
        else:
            before, carried = self._last, self._run
        changes = np.abs(np.diff(rows, axis=0, prepend=before)) > self._step
        index = np.arange(1, len(rows) + 1)[:, None]
        last_change = np.maximum.accumulate(np.where(changes, index, 0), axis=0)
        runs = np.where(last_change == 0, carried + index, index - last_change + 1)
        self._last, self._run = rows[-1:], runs[-1]
        return runs.max(axis=0)

    def _see_pictures(self, block: Block, rows: Samples) -> Finding | None:
        same = self._last is not None and np.array_equal(rows[0], self._last[0])
        count = (int(self._run[0]) if self._run is not None and same else 0) + len(rows)
        self._last, self._run = rows[-1:], np.array([count])
        if int(np.ptp(rows[-1])) <= self._step:
            return Finding("flat", f"the picture at {block.start_s:.3f} s is blank")
        if count / block.rate_hz < self._limit_s or count < 2:
            return None
        return Finding("stuck", f"the same picture for {count / block.rate_hz:.2f} s")


class Repetition:
    """The same samples block after block: a driver that hands out one buffer again and again."""

    def __init__(self, times: int) -> None:
        self._times = times
        self.restart()

    def restart(self) -> None:
        self._last: Samples | None = None
        self._count = 0

    def see(self, block: Block) -> Finding | None:
        """A block that has come as often as is allowed, and not a flat one."""
        same = self._last is not None and np.array_equal(block.samples, self._last)
        self._count = self._count + 1 if same and np.ptp(block.samples) > 0 else 0
        self._last = block.samples
        if self._count < self._times:
            return None
        return Finding(
            "stuck", f"the same {block.duration_s:.3f} s of samples for the {self._count + 1}th time"
        )


class Clipping:
    """Too many samples at the limits, in runs of three and more.

    limits: the lowest and highest value that the sensor gives; None: unknown, then flat tops are looked for
    """

    def __init__(self, share: float, limits: tuple[float, float] | None) -> None:
        self._share = share if limits else max(share, _TOPS_SHARE)
        self._limits = limits
        self.restart()

    def restart(self) -> None:
        self._recent: Samples | None = None
        self._clipped: deque[tuple[int, NDArray[np.int64]]] = deque()

    def see(self, block: Block) -> Finding | None:
        """How much of the last moments is clipped, where that is too much. Pictures are not judged."""
        if block.samples.ndim > 2:
            return None
        share = self._tops(block) if self._limits is None else self._at_limits(block, *self._limits)
        if share <= self._share:
            return None
        return Finding("clip", f"{share:.0%} of the samples up to {block.end_s:.3f} s are clipped")

    def _at_limits(self, block: Block, lowest: float, highest: float) -> float:
        """The largest share over the channels; 0 until there is half of the window."""
        samples = block.samples if self._recent is None else np.concatenate([self._recent, block.samples])
        at_most, at_least = lowest + (1 - AT_LIMIT) * abs(lowest), highest - (1 - AT_LIMIT) * abs(highest)
        clipped = _in_runs((samples >= at_least) | (samples <= at_most))[len(samples) - len(block.samples) :]
        self._recent = samples[-2:]
        self._clipped.append((len(block.samples), clipped.sum(axis=0)))
        window = max(_LINE_SAMPLES, round(CLIP_WINDOW_S * block.rate_hz))
        held = sum(count for count, _ in self._clipped)
        while held - self._clipped[0][0] >= window:
            held -= self._clipped.popleft()[0]
        total = np.sum([clipped for _, clipped in self._clipped], axis=0)
        return float(total.max()) / held if held >= window // 2 else 0.0

    def _tops(self, block: Block) -> float:
        """The largest share over the channels; 0 until the window is full."""
        window = max(_LINE_SAMPLES, round(_TOPS_WINDOW_S * block.rate_hz))
        joined = block.samples if self._recent is None else np.concatenate([self._recent, block.samples])
        self._recent = joined[-window:]
        if len(self._recent) < window:
            return 0.0
        return max(_flat_tops(column.astype(np.float64)) for column in self._recent.T)


def _flat_tops(values: NDArray[np.float64]) -> float:
    """The share at the highest or lowest value, where that cuts the signal off rather than rounds it."""
    different = np.unique(values)
    if len(different) < _COARSE:
        return 0.0
    least = max(_STEEP_STEPS * float(np.diff(different).min()), _STEEP_SHARE * float(np.ptp(different)))
    share = 0.0
    for extreme in (different[0], different[-1]):
        cut = _in_runs(values == extreme)
        edges = np.flatnonzero(cut[1:] != cut[:-1])
        longest = np.diff([-1, *edges.tolist(), len(cut) - 1])[0 if cut[0] else 1 :: 2].max(initial=0)
        if len(edges) < 2 or longest > len(values) / 4:
            continue  # that is a line, for `Flatness` to tell
        if np.median(np.abs(values[edges + 1] - values[edges])) >= least:
            share += np.count_nonzero(cut) / len(values)
    return share


def _in_runs(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those True that stand in runs of three and more along the first axis."""
    if len(mask) < 3 or not mask.any():
        return np.zeros_like(mask)
    edge = np.zeros((2, *mask.shape[1:]), bool)
    middle = np.concatenate([edge, mask[:-2] & mask[1:-1] & mask[2:], edge])
    return middle[:-2] | middle[1:-1] | middle[2:]


class Quiet:
    """Root mean square (about the mean) below a level for limit_s, in every channel."""

    def __init__(self, level: float, limit_s: float) -> None:
        self._level, self._limit_s = level, limit_s
        self.restart()

    def restart(self) -> None:
        self._quiet_s = 0.0

    def see(self, block: Block) -> Finding | None:
        """Silence, once it is long enough."""
        loudest = float(block.samples.reshape(len(block.samples), -1).std(axis=0, dtype=np.float64).max())
        self._quiet_s = self._quiet_s + block.duration_s if loudest < self._level else 0.0
        if self._quiet_s == 0 or self._quiet_s < self._limit_s - 1e-9:
            return None
        return Finding("silence", f"silence for {self._quiet_s:.2f} s")
