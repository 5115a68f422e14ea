"""From one rate to another with a polyphase filter of our own.

Output k is the signal at input position k·down/up: y[k] = Σ_j h[k·down − j·up + centre] · x[j], with h a low-pass
filter at the rate up·rate_in. Each output is summed tap by tap, in one order and in float64. So the same samples come
out to the last bit whatever the sizes of the blocks that came in; a matrix product would not promise that.
Source: Crochiere and Rabiner, Multirate Digital Signal Processing, 1983, section 3.3; Kaiser's window.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError

#: zero crossings of the sinc on each side: more make the edge of the band steeper
_CROSSINGS = 16
#: Kaiser's beta: about 70 dB down beyond the edge
_BETA = 7.0
#: where the filter is half: share of the lower Nyquist frequency
_CUTOFF = 0.9
#: coefficients lie on this grid, so that another machine's sine does not change them
_GRID = 2.0**-26
#: the longest filter has this many phases or skips this many inputs
_LARGEST_TERM = 4096
#: a ratio may be approximated this well: what a crystal is off by
_RATIO_ERROR = 5e-5
#: outputs at a time: few enough to stay in the cache, and so that an hour in one block needs little memory
_AT_ONCE = 1 << 8
#: and at least: a sum over the first axis adds row after row, unless there is only one column
_LEAST = 2

_Real = NDArray[np.float64]


def ratio(from_hz: float, to_hz: float) -> Fraction:
    """Outputs per input, exact where the terms are small enough, else to 50 parts in a million.

    Raises DataError for a rate that is not above 0, and where no ratio of small terms comes that near.
    """
    if not (from_hz > 0 and to_hz > 0 and np.isfinite(from_hz) and np.isfinite(to_hz)):
        raise DataError(f"{from_hz:g} Hz to {to_hz:g} Hz: a rate is above 0")
    exact = Fraction(to_hz).limit_denominator(10**6) / Fraction(from_hz).limit_denominator(10**6)
    if _largest_term(exact) <= _LARGEST_TERM:
        return exact
    near = exact.limit_denominator(_LARGEST_TERM)
    if near == 0 or _largest_term(near) > _LARGEST_TERM or abs(float(near / exact) - 1) > _RATIO_ERROR:
        raise DataError(
            f"{from_hz:g} Hz cannot be converted to {to_hz:g} Hz: the ratio {exact} needs terms up to "
            f"{_LARGEST_TERM}. Record at another rate, or convert in two steps"
        )
    return near


def _largest_term(fraction: Fraction) -> int:
    return max(fraction.numerator, fraction.denominator)


@cache
def _bank(up: int, down: int) -> _Real:
    """The filter's coefficients, (taps, up): column p serves the outputs of phase p."""
    wider = max(up, down)
    centre = _CROSSINGS * wider
    offsets = np.arange(-centre, centre + 1)
    low_pass = np.sinc(_CUTOFF * offsets / wider) * np.kaiser(len(offsets), _BETA)
    taps = -(-len(offsets) // up)
    bank = np.zeros(taps * up)
    bank[: len(offsets)] = low_pass
    bank = bank.reshape(taps, up)
    bank /= bank.sum(axis=0)  # a constant stays what it is, in every phase
    return np.round(bank / _GRID) * _GRID


class Resampler:
    """Takes blocks of any size, (n, channels), and gives what can be given; `finish` gives the rest.

    After n inputs there are ⌈n·up/down⌉ outputs, the first at the time of the first input: the filter's delay is
    made up for. Before the first input and after the last the signal is taken as 0.
    """

    def __init__(self, ratio: Fraction, channels: int) -> None:
        self.ratio = ratio
        self._up, self._down = ratio.numerator, ratio.denominator
        self._centre = _CROSSINGS * max(self._up, self._down)
        self._taps = len(_bank(self._up, self._down))
        self._channels = channels
        self._restart()

    @property
    def delay_inputs(self) -> float:
        """How many inputs beyond its own time an output waits for."""
        return self._centre / self._up

    def push(self, inputs: NDArray[np.floating] | NDArray[np.integer]) -> _Real:
        """The outputs that these inputs complete: (m, channels) float64."""
        self._append(np.asarray(inputs, np.float64))
        complete = (self._inputs * self._up - 1 - self._centre) // self._down + 1
        return self._until(max(complete, self._outputs))

    def finish(self) -> _Real:
        """The outputs that are still due, and a fresh start."""
        due = -(-self._inputs * self._up // self._down)
        self._append(np.zeros((self._taps, self._channels)))
        rest = self._until(due)
        self._restart()
        return rest

    def _restart(self) -> None:
        self._inputs = 0
        self._outputs = 0
        self._held = np.zeros((self._taps, self._channels))
        self._first_held = -self._taps  # the input that the first held row is

    def _append(self, inputs: _Real) -> None:
        self._held = np.concatenate([self._held, inputs])
        self._inputs += len(inputs)

    def _until(self, stop: int) -> _Real:
        pieces = [
            self._outputs_between(first, min(first + _AT_ONCE, stop))
            for first in range(self._outputs, stop, _AT_ONCE)
        ]
        self._outputs = max(stop, self._outputs)
        self._forget()
        return np.concatenate(pieces) if pieces else np.zeros((0, self._channels))

    def _outputs_between(self, first: int, stop: int) -> _Real:
        positions = np.arange(first, max(stop, first + _LEAST), dtype=np.int64) * self._down + self._centre
        newest = np.minimum(positions // self._up - self._first_held, len(self._held) - 1)
        taken = self._held.take(newest - np.arange(self._taps)[:, None], axis=0)  # (taps, outputs, channels)
        taken *= _bank(self._up, self._down).take(positions % self._up, axis=1)[:, :, None]
        return taken.sum(axis=0)[: stop - first]

    def _forget(self) -> None:
        oldest = (self._outputs * self._down + self._centre) // self._up - (self._taps - 1)
        spare = min(oldest - self._first_held, len(self._held))
        if spare > 0:
            self._held = self._held[spare:]
            self._first_held += spare
