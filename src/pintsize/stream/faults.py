"""What goes wrong in the field, put into any source on purpose: for tests, and for users who want to see.

| fault | what happens to the samples of an episode |
|---|---|
| gap | they are missing, and the source says so |
| nan | every third is not a number (integers become floats for it) |
| flatline | they are 0 |
| stuck | the last value before them stays |
| rate | only every second one comes, while the rate that is said stays |
| clock | the time jumps, ahead or back, and stays so |
| clip | they are cut off at the limits, or where none are known within their range |
| duplicate | their blocks come twice |

Each is a function of a block, of which samples lie in an episode, and of what it remembers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import UserError
from pintsize.stream.block import Block, Samples, part

_Mask = NDArray[np.bool_]

#: how many times beyond the limits the signal swings
_GAIN = 8.0
#: where the limits are not known, this much of the signal says what its range is
_SEEN_SAMPLES = 1000
#: and so much of it is left on each side, in standard deviations
_LEFT = 0.7
#: a clock is off by up to this many seconds
_LARGEST_JUMP_S = 100.0


@dataclass
class Memory:
    """What a fault carries from block to block.

    limits: the source's lowest and highest value, if known; drawn: its own random numbers
    """

    limits: tuple[float, float] | None
    drawn: np.random.Generator
    missing_s: float = 0.0
    offset_s: float = 0.0
    kept: int = 0
    inside: bool = False
    last: Samples | None = None
    seen: NDArray[np.float64] | None = None


def gap(block: Block, mask: _Mask, memory: Memory) -> list[Block]:
    """Without the samples in the mask; what follows them says how much is missing."""
    made: list[Block] = []
    for first, stop, inside in _runs(mask):
        piece = part(block, first, stop)
        if inside:
            memory.missing_s += max(piece.gap_before_s, 0.0) + piece.duration_s
        else:
            made.append(replace(piece, gap_before_s=piece.gap_before_s + memory.missing_s))
            memory.missing_s = 0.0
    return made


def nan(block: Block, mask: _Mask, memory: Memory) -> list[Block]:
    """Every third sample in the mask is NaN."""
    struck = mask & (np.arange(len(mask)) % 3 == 0)
    if not struck.any():
        return [block]
    samples = block.samples.astype(np.float32)
    samples[struck] = np.nan
    return [replace(block, samples=samples)]


def flatline(block: Block, mask: _Mask, memory: Memory) -> list[Block]:
    """0 in the mask."""
    samples = block.samples.copy()
    samples[mask] = 0
    return [replace(block, samples=samples)]


def stuck(block: Block, mask: _Mask, memory: Memory) -> list[Block]:
    """The last value before the mask, in the mask."""
    samples = block.samples.copy()
    before = np.maximum.accumulate(np.where(mask, -1, np.arange(len(mask))))
    if memory.last is None:
        memory.last = samples[:1].copy()
    samples[before < 0] = memory.last
    samples[before >= 0] = block.samples[before[before >= 0]]
    memory.last = samples[-1:].copy()
    return [replace(block, samples=samples)]


def rate(block: Block, mask: _Mask, memory: Memory) -> list[Block]:
    """Every second sample in the mask, each piece at its own time."""
    made: list[Block] = []
    for first, stop, inside in _runs(mask):
        piece = part(block, first, stop)
        if inside:
            skipped = memory.kept % 2
            memory.kept += len(piece.samples)
            start_s = piece.start_s + skipped / piece.rate_hz
            piece = replace(piece, samples=piece.samples[skipped::2], start_s=start_s)
        if len(piece.samples):
            made.append(piece)
    return made


def clock(block: Block, mask: _Mask, memory: Memory) -> list[Block]:
    """At the beginning of each run of the mask the time jumps, and the jump stays."""
    made: list[Block] = []
    for first, stop, inside in _runs(mask):
        if inside and not memory.inside:
            far_s = float(memory.drawn.uniform(_LARGEST_JUMP_S / 10, _LARGEST_JUMP_S))
            memory.offset_s += far_s if memory.drawn.random() < 0.5 else -far_s
        memory.inside = inside
        piece = part(block, first, stop)
        made.append(replace(piece, start_s=piece.start_s + memory.offset_s))
    return made


def clip(block: Block, mask: _Mask, memory: Memory) -> list[Block]:
    """Far too loud: cut off at the source's limits; else at the quartiles of what was seen before the mask began."""
    values = block.samples.astype(np.float64)
    rows = values.reshape(len(values), -1)
    if memory.limits is not None:
        swing = np.nanstd(rows) or 1.0
        middle = np.nanmedian(rows, axis=0)
        cut = np.clip((rows - middle) * (_GAIN * memory.limits[1] / swing), *memory.limits)
    else:
        before = rows if mask.all() or memory.inside else rows[~mask]
        if not memory.inside:  # the limits stay what they were when the episode began
            memory.seen = (
                before if memory.seen is None else np.concatenate([memory.seen, before])[-_SEEN_SAMPLES:]
            )
        memory.inside = bool(mask[-1])
        cut = np.clip(rows, *_narrowed(before if memory.seen is None else memory.seen))
    values[mask] = cut.reshape(values.shape)[mask]
    return [replace(block, samples=values.astype(block.samples.dtype))]


def _narrowed(seen: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    middle, half = np.nanmedian(seen, axis=0), np.nanstd(seen, axis=0) * _LEFT
    return middle - half, middle + half


def duplicate(block: Block, mask: _Mask, memory: Memory) -> list[Block]:
    """The block twice, with the same time."""
    return [block, replace(block, gap_before_s=0.0)] if mask.any() else [block]


#: in the order in which they are put in
FAULTS: dict[str, Callable[[Block, _Mask, Memory], list[Block]]] = {
    "flatline": flatline,
    "stuck": stuck,
    "clip": clip,
    "nan": nan,
    "rate": rate,
    "gap": gap,
    "clock": clock,
    "duplicate": duplicate,
}


def parse_faults(text: str) -> tuple[str, ...]:
    """`gap,nan` as names, `all` as all of them. Raises UserError for a name that is none."""
    if text.strip() == "all":
        return tuple(FAULTS)
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in FAULTS]
    if unknown or not names:
        raise UserError(f"--faults {text!r}: {', '.join(unknown) or 'nothing'} is no fault; known are "
                        f"{', '.join(FAULTS)}, all")  # fmt: skip
    return tuple(name for name in FAULTS if name in names)


def _runs(mask: _Mask) -> list[tuple[int, int, bool]]:
    """(first, stop, value) of each run of equal values."""
    edges = [0, *(np.flatnonzero(np.diff(mask)) + 1).tolist(), len(mask)]
    return [(first, stop, bool(mask[first])) for first, stop in pairwise(edges)]
