"""A source's samples as a model wants them: its rate, its channels, its scale. Nothing of it happens unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError, SourceLost
from pintsize.stream.block import Block, Samples, time_tolerance_s
from pintsize.stream.resample import Resampler, ratio
from pintsize.stream.source import Source, Wrapping

INT16_FULL_SCALE = 32768.0
#: float samples beyond this many times full scale are on another scale than was said
_FAR_BEYOND = 16.0


@dataclass(frozen=True)
class Conversion:
    """What is wanted of the samples; what is left as it stands is not touched.

    rate_hz: samples per second; None: the source's
    channels: "all", "mean" (one, their mean), or the indices of those to keep, in that order
    scale: "source": as they are; "real": float32 where ±1 is full scale; "int16": rounded half to even, saturated
    Raises DataError when built with what is not possible.
    """

    rate_hz: float | None = None
    channels: Literal["all", "mean"] | tuple[int, ...] = "all"
    scale: Literal["source", "real", "int16"] = "source"

    def __post_init__(self) -> None:
        if self.rate_hz is not None and not (self.rate_hz > 0 and np.isfinite(self.rate_hz)):
            raise DataError(f"rate_hz={self.rate_hz:g}: a rate is above 0")
        if self.scale not in ("source", "real", "int16"):
            raise DataError(f"scale={self.scale!r} is not known: source, real or int16")
        if isinstance(self.channels, str) and self.channels not in ("all", "mean"):
            raise DataError(f"channels={self.channels!r} is not known: all, mean or indices")
        if not self.channels:
            raise DataError("channels=(): at least one is needed")


def as_int16(samples: NDArray[np.floating]) -> NDArray[np.int16]:
    """Samples where ±32768 is full scale as int16: rounded half to even, saturated. NaN becomes 0.

    Whether there was NaN is for `health` to tell, which looks at the samples before they are converted.
    """
    rounded = np.rint(np.nan_to_num(samples, nan=0.0, posinf=np.inf, neginf=-np.inf))
    return np.clip(rounded, -INT16_FULL_SCALE, INT16_FULL_SCALE - 1).astype(np.int16)


class Converter:
    """Converts block after block. The samples do not depend on where one block ends and the next begins.

    from_hz, channels, full_scale: the source's
    Raises DataError for a channel that is not there, a rate that cannot be reached, samples on another scale than
    full_scale says, and pictures, which are not converted here.
    """

    def __init__(self, from_hz: float, channels: int, full_scale: float, wanted: Conversion) -> None:
        self.rate_hz = wanted.rate_hz or from_hz
        self.full_scale = {"source": full_scale, "real": 1.0, "int16": INT16_FULL_SCALE}[wanted.scale]
        self.channels = _kept_channels(wanted, channels)
        self._from_hz = from_hz
        self._from_channels = channels
        self._from_full_scale = full_scale
        self._wanted = wanted
        resampled = self.rate_hz != from_hz
        self._resampler = Resampler(ratio(from_hz, self.rate_hz), self.channels) if resampled else None
        self._index = 0
        self._begin(None)

    @property
    def changes_nothing(self) -> bool:
        return self._resampler is None and self._wanted.channels == "all" and self._wanted.scale == "source"

    @property
    def delay_s(self) -> float:
        """How much later than its own time a converted sample comes."""
        return self._resampler.delay_inputs / self._from_hz if self._resampler else 0.0

    def push(self, block: Block) -> list[Block]:
        """What the block completes, with the filter's tail of what was before a gap. A heartbeat passes through."""
        if block.rate_hz != self._from_hz:
            raise DataError(f"a block at {block.rate_hz:g} Hz where the source said {self._from_hz:g} Hz")
        self._check_shape(block.samples)
        if not len(block.samples):
            return [
                self._made(block.samples[:, : self.channels], block.start_s, block.gap_before_s, block.origin)
            ]
        parts = self.finish() if self._breaks_before(block) else []
        if self._anchor_s is None:
            self._begin(block)
        self._dtype = block.samples.dtype
        self._anchor(block)
        self._taken += len(block.samples)
        parts += self._given(self._resampled(self._channels_of(block.samples)))
        return parts

    def finish(self) -> list[Block]:
        """The filter's tail; what comes next starts anew."""
        if self._anchor_s is None:
            return []
        parts = self._given(self._resampler.finish()) if self._resampler else []
        self._begin(None)
        return parts

    def _begin(self, block: Block | None) -> None:
        self._anchor_s = block.start_s if block else None
        self._gap_s = block.gap_before_s if block else 0.0
        self._origin = block.origin if block else ""
        self._taken = 0
        self._made_samples = 0
        self._dtype: np.dtype[np.generic] = np.dtype(np.float32)

    def _breaks_before(self, block: Block) -> bool:
        if self._anchor_s is None:
            return False
        due_s = self._anchor_s + self._taken / self._from_hz
        elsewhere = abs(block.start_s - due_s) > time_tolerance_s(self._from_hz)
        return block.gap_before_s != 0 or block.origin != self._origin or elsewhere

    def _anchor(self, block: Block) -> None:
        """A source's clock drifts against its count of samples: follow it once it is half a sample away."""
        assert self._anchor_s is not None
        anchor_s = block.start_s - self._taken / self._from_hz
        if abs(anchor_s - self._anchor_s) * self.rate_hz > 0.5:
            self._anchor_s = anchor_s

    def _check_shape(self, samples: Samples) -> None:
        if samples.ndim != 2:
            raise DataError("pictures are not converted as samples are: rate, channels and scale must stay")
        if samples.shape[1] != self._from_channels:
            raise DataError(
                f"a block of {samples.shape[1]} channels where the source said {self._from_channels}"
            )

    def _channels_of(self, samples: Samples) -> Samples:
        if self._wanted.channels == "all":
            return samples
        if self._wanted.channels == "mean":
            return samples.mean(axis=1, keepdims=True, dtype=np.float64)
        return samples[:, list(self._wanted.channels)]

    def _resampled(self, samples: Samples) -> Samples:
        return self._resampler.push(samples) if self._resampler else samples

    def _given(self, samples: Samples) -> list[Block]:
        if not len(samples):
            return []
        assert self._anchor_s is not None
        start_s = self._anchor_s + self._made_samples / self.rate_hz
        self._made_samples += len(samples)
        gap_s, self._gap_s = self._gap_s, 0.0
        return [self._made(self._scaled(samples), start_s, gap_s, self._origin)]

    def _made(self, samples: Samples, start_s: float, gap_s: float, origin: str) -> Block:
        self._index += 1
        return Block(samples, start_s, self.rate_hz, gap_s, self._index - 1, origin)

    def _scaled(self, samples: Samples) -> Samples:
        if self._wanted.scale == "source":
            if self._dtype == np.int16:
                return samples if samples.dtype == np.int16 else as_int16(samples)
            return samples.astype(np.float32, copy=False)
        self._check_scale(samples)
        real = samples * (self.full_scale / self._from_full_scale)
        return as_int16(real) if self._wanted.scale == "int16" else real.astype(np.float32)

    def _check_scale(self, samples: Samples) -> None:
        largest = float(np.max(np.abs(samples), where=np.isfinite(samples), initial=0.0))
        if largest > _FAR_BEYOND * self._from_full_scale:
            raise DataError(
                f"samples reach {largest:g} where ±{self._from_full_scale:g} should be full scale: "
                "they are on another scale. Say full_scale (32768 for int16 values)"
            )


def _kept_channels(wanted: Conversion, channels: int) -> int:
    if wanted.channels == "all":
        return channels
    if wanted.channels == "mean":
        return 1
    for channel in wanted.channels:
        if not 0 <= channel < channels:
            raise DataError(f"channel {channel} is not there: the source has {channels}, counted from 0")
    return len(wanted.channels)


class Converted(Wrapping):
    """A source whose blocks are converted. Raises DataError as `Converter` does."""

    def __init__(self, source: Source, wanted: Conversion) -> None:
        super().__init__(source)
        self._wanted = wanted
        self._converter = Converter(source.rate_hz, source.channels, source.full_scale, wanted)

    @property
    def rate_hz(self) -> float:
        return self._converter.rate_hz

    @property
    def channels(self) -> int:
        return self._converter.channels

    @property
    def full_scale(self) -> float:
        return self._converter.full_scale

    @property
    def saturates_at(self) -> tuple[float, float] | None:
        limits, ratio_ = self.source.saturates_at, self.full_scale / self.source.full_scale
        return None if limits is None else (limits[0] * ratio_, limits[1] * ratio_)

    def blocks(self) -> Iterator[Block]:
        try:
            for block in self.source.blocks():
                yield from self._converter.push(block)
        except SourceLost:
            yield from self._converter.finish()
            raise
        yield from self._converter.finish()


def converted(source: Source, wanted: Conversion) -> Source:
    """The source as wanted; the source itself where it already is so."""
    changed = Converted(source, wanted)
    return source if changed._converter.changes_nothing else changed


def require_rate(source: Source, rate_hz: float) -> None:
    """Raises DataError unless the source has this rate: for what must not be converted."""
    if source.rate_hz != rate_hz:
        raise DataError(
            f"{source.name} is at {source.rate_hz:g} Hz and {rate_hz:g} Hz is needed. "
            f"Record at {rate_hz:g} Hz, or let it be converted"
        )
