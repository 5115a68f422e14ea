"""Whether anything may be said about the signal: a gate before every answer, in integers, so that C decides the same.

Samples are counts of 5 µV at 180 Hz. They are judged by blocks of 0.2 s, over the last ten of them:

| fault | when |
|---|---|
| begun | fewer than 5 blocks since the signal began or broke |
| flat | 5 blocks in a row within FLAT counts: the lead is off, or the sensor is stuck |
| scale | more than LARGEST from peak to peak: no heart gives that; the unit is wrong |
| clipped | flat tops: four and more samples at the extreme that the signal jumps to and from |
| hum 50, 60 | that frequency has an amplitude of HUM at least in 8 blocks of 10 |
| noise | even in the third quietest block the second differences are NOISE on average: muscles, a loose electrode |
| motion | the blocks' means lie more than MOTION apart |
| small | no block of the last 10 s spans SMALL: the lead is nearly off, or the unit is wrong |

Hum is a correlation of each block with 36 values of a cosine, 2^-14 each: 50 and 60 Hz turn 10 and 12 times in a block.
The figures leave 99 % and more of each of the training patients' recordings; see CARD.md of the beats.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 180
#: one count
UV_PER_COUNT = 5
COUNTS_PER_MV = 1000 // UV_PER_COUNT
#: samples of a block, blocks of a window, and with how many a judgement begins
BLOCK, WINDOW_BLOCKS, LEAST_BLOCKS = 36, 10, 5
FLAT, FLAT_BLOCKS = 3, 5
LARGEST = 15 * COUNTS_PER_MV
HUM = 20
NOISE = 48
MOTION = 3 * COUNTS_PER_MV
SMALL = 30
SMALL_BLOCKS = 50
#: of blocks in a full window: how many quieter ones do not count against hum and noise
SPARED_BLOCKS = 2
#: a top: so many samples, within the signal's range over 2^7 of its extreme, entered and left by its range over 2^4
TOP_SAMPLES, TOP_WITHIN_BITS, TOP_STEP_BITS = 4, 7, 4
#: so many samples of tops in a window are clipping; signals of a smaller range are too coarse to tell
CLIPPED_SAMPLES, LEAST_RANGE = 8, 40
COSINE_BITS = 14
COSINES: NDArray[np.int64] = np.rint(
    np.cos(2 * np.pi * np.arange(BLOCK) / BLOCK) * (1 << COSINE_BITS)
).astype(np.int64)
TURNS = {50: 10, 60: 12}


class Fault(IntEnum):
    """What is wrong, in the order in which it is told; C has the same numbers."""

    NONE = 0
    BEGUN = 1
    FLAT = 2
    SCALE = 3
    CLIPPED = 4
    HUM_50 = 5
    HUM_60 = 6
    NOISE = 7
    MOTION = 8
    SMALL = 9
    BROKEN = 10


REASONS = {
    Fault.BEGUN: "the signal has only begun",
    Fault.FLAT: "flat line: lead off or no contact",
    Fault.SCALE: "more than 15 mV from peak to peak: the unit is wrong, or the lead is off",
    Fault.CLIPPED: "clipped: the signal is cut off at its limits",
    Fault.HUM_50: "50 Hz hum from the mains",
    Fault.HUM_60: "60 Hz hum from the mains",
    Fault.NOISE: "noise: muscles tense or electrodes loose",
    Fault.MOTION: "motion: the baseline moves",
    Fault.SMALL: "less than 0.15 mV for 10 s: lead off, or the unit is wrong",
    Fault.BROKEN: "the signal broke",
}


class Block(NamedTuple):
    """What is kept of 0.2 s."""

    least: int
    largest: int
    total: int
    roughness: int
    hum: tuple[bool, bool]


def block_of(samples: NDArray[np.int64]) -> Block:
    """samples: (BLOCK,)."""
    rough = int(np.abs(np.diff(samples, 2)).sum())
    hum = tuple(_hums(samples, turns) for turns in TURNS.values())
    return Block(int(samples.min()), int(samples.max()), int(samples.sum()), rough, (hum[0], hum[1]))


def _hums(samples: NDArray[np.int64], turns: int) -> bool:
    """Whether the amplitude at so many turns in a block is HUM or more."""
    at = np.arange(BLOCK) * turns
    real = int((samples * COSINES[at % BLOCK]).sum()) >> COSINE_BITS
    imaginary = int((samples * COSINES[(at + 3 * BLOCK // 4) % BLOCK]).sum()) >> COSINE_BITS
    return real * real + imaginary * imaginary >= (HUM * BLOCK // 2) ** 2


class Gate:
    """Judges sample after sample; `verdict` is of the last two seconds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """What comes next does not follow what was."""
        self._blocks: deque[Block] = deque(maxlen=WINDOW_BLOCKS)
        self._window: NDArray[np.int64] = np.zeros(0, np.int64)
        self._left: NDArray[np.int64] = np.zeros(0, np.int64)
        self._small_blocks = 0
        self.verdict = Fault.BEGUN

    def see(self, samples: NDArray[np.int16]) -> None:
        """samples: (n,) counts. The verdict is new after every whole block."""
        self._left = np.concatenate([self._left, samples.reshape(-1).astype(np.int64)])
        while len(self._left) >= BLOCK:
            self._take(self._left[:BLOCK])
            self._left = self._left[BLOCK:]

    def _take(self, samples: NDArray[np.int64]) -> None:
        block = block_of(samples)
        self._blocks.append(block)
        self._window = np.concatenate([self._window, samples])[-BLOCK * WINDOW_BLOCKS :]
        small = block.largest - block.least < SMALL
        self._small_blocks = self._small_blocks + 1 if small else 0
        self.verdict = self._judge()

    def _judge(self) -> Fault:
        blocks = self._blocks
        if len(blocks) < LEAST_BLOCKS:
            return Fault.BEGUN
        least, largest = min(b.least for b in blocks), max(b.largest for b in blocks)
        if self._is_flat():
            return Fault.FLAT
        if largest - least > LARGEST:
            return Fault.SCALE
        if clipped_samples(self._window, least, largest) >= CLIPPED_SAMPLES:
            return Fault.CLIPPED
        many = len(blocks) - SPARED_BLOCKS
        for fault, at in ((Fault.HUM_50, 0), (Fault.HUM_60, 1)):
            if sum(b.hum[at] for b in blocks) >= many:
                return fault
        if sum(b.roughness >= NOISE * (BLOCK - 2) for b in blocks) >= many:
            return Fault.NOISE
        if max(b.total for b in blocks) - min(b.total for b in blocks) > MOTION * BLOCK:
            return Fault.MOTION
        return Fault.SMALL if self._small_blocks >= SMALL_BLOCKS else Fault.NONE

    def _is_flat(self) -> bool:
        """Whether a line of a second is in the window."""
        blocks = list(self._blocks)
        rows = [blocks[at : at + FLAT_BLOCKS] for at in range(len(blocks) - FLAT_BLOCKS + 1)]
        return any(max(b.largest for b in row) - min(b.least for b in row) <= FLAT for row in rows)


def clipped_samples(window: NDArray[np.int64], least: int, largest: int) -> int:
    """How many samples stand in flat tops. window: (n,) with these extremes."""
    span = largest - least
    if span < LEAST_RANGE:
        return 0
    near = span >> TOP_WITHIN_BITS
    upper = _tops(window, window >= largest - near, span >> TOP_STEP_BITS)
    return upper + _tops(window, window <= least + near, span >> TOP_STEP_BITS)


def _tops(window: NDArray[np.int64], at_extreme: NDArray[np.bool_], step: int) -> int:
    edges = np.flatnonzero(np.diff(at_extreme.astype(np.int8)))
    steep = np.abs(np.diff(window)) >= step
    starts, ends = edges[~at_extreme[edges]] + 1, edges[at_extreme[edges]]
    if at_extreme[0]:
        ends = ends[1:]  # what is cut off by the window is no whole top
    whole = min(len(starts), len(ends))
    starts, ends = starts[:whole], ends[:whole]
    lengths = ends - starts + 1
    counted = (lengths >= TOP_SAMPLES) & steep[starts - 1] & steep[ends]
    return int(lengths[counted].sum())
