"""Varied copies of phrases, made of their power spectra: other vocal tracts, paces, microphones, rooms and noises.

Powers of sounds that know nothing of one another add up, so noise and room need no waveform; a band that is stretched
is another speaker's. A thousand copies take about a second on one core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize.apps.assistant.phrases.features import FINE_HOP, FLOOR, HOP, Features

#: between two vocal tracts that are drawn
WARP_STEP = 0.01
#: log2 of the least power of a spectrum
NOTHING = -33.0
ROOM_FRAMES = 14
AT_ONCE = 192


@dataclass(frozen=True)
class Variety:
    """Ranges of what is drawn for each copy; logarithms to base 2 where a unit is an octave or 3 dB.

    warp: of the vocal tract's length; pace: log2 of the tempo; shift: frames to either side of the middle; tilt,
    curve: of the microphone's colour, 3 dB; noise: speech over noise, 3 dB; gain: 3 dB; room_share: of copies with
    reverberation; clear_share: whose vocal tract stays as it is
    """

    warp: tuple[float, float] = (0.78, 1.28)
    pace: float = 0.3
    shift: float = 8.0
    tilt: float = 2.0
    curve: float = 1.0
    noise: tuple[float, float] = (2.0, 18.0)
    gain: float = 2.5
    room_share: float = 0.4
    clear_share: float = 0.2


@dataclass(frozen=True, eq=False)
class Spectra:
    """Of many phrases: (n, longest, bins) log2 of powers every 8 ms, and how many frames each has."""

    powers: torch.Tensor
    lengths: torch.Tensor

    @classmethod
    def of(cls, made: Sequence[NDArray[np.float16]], features: Features) -> Spectra:
        """The middle of those that are longer than the window."""
        longest = features.frames * HOP // FINE_HOP + 2
        kept = [m[max(0, len(m) - longest) // 2 :][:longest] for m in made]
        stacked = np.full((len(kept), longest, features.bins), NOTHING, np.float16)
        for row, frames in zip(stacked, kept, strict=True):
            row[: len(frames)] = frames
        return cls(torch.from_numpy(stacked), torch.tensor([len(k) for k in kept]))


class Variation:
    """Draws copies; the same seed and the same calls give the same copies."""

    def __init__(
        self, spectra: Spectra, features: Features, seed: int, variety: Variety | None = None
    ) -> None:
        self._spectra, self._features = spectra, features
        self._variety = variety or Variety()
        self._random = torch.Generator().manual_seed(seed)
        low, high = self._variety.warp
        warps = np.linspace(low, high, round((high - low) / WARP_STEP) + 1)
        self._triangles = torch.from_numpy(np.stack([features.triangles(float(w)) for w in (1.0, *warps)]))

    def copies(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """One varied copy of each row: half-precision (n, frames, bands) of log2 energies."""
        parts = [self._varied(torch.from_numpy(part)).half() for part in _parts(rows)]
        return torch.cat(parts)

    def _varied(self, rows: torch.Tensor) -> torch.Tensor:
        how, count = self._variety, len(rows)
        pace = torch.exp2(self._drawn(count, -how.pace, how.pace))
        energy = torch.bmm(
            self._placed(rows, pace, self._drawn(count, -how.shift, how.shift)), self._tracts(count)
        )
        energy = self._in_room(energy) * self._colour(count, how.tilt)
        level = energy.sum((1, 2)) / self._spectra.lengths[rows].clamp(min=10)
        noise = self._noise(count) * (level * torch.exp2(-self._drawn(count, *how.noise)))[:, None, None]
        loud = (energy + noise) * torch.exp2(self._drawn(count, -how.gain, how.gain))[:, None, None]
        return torch.log2(loud + FLOOR)

    def _placed(self, rows: torch.Tensor, pace: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        """Powers (n, frames, bins) at the front-end's hop, at another pace, moved from the middle."""
        powers, lengths = self._spectra.powers[rows].float(), self._spectra.lengths[rows].float()
        step = HOP / FINE_HOP * pace
        frames = self._features.frames
        before = ((frames - lengths / step) / 2 + shift).round()
        at = (torch.arange(frames)[None] - before[:, None]) * step[:, None]
        there = (at >= 0) & (at <= lengths[:, None] - 1)
        first = at.clamp(0, powers.shape[1] - 2).floor().long()
        share = (at - first).clamp(0, 1)[..., None]
        wide = first[..., None].expand(-1, -1, powers.shape[2])
        mixed = powers.gather(1, wide) * (1 - share) + powers.gather(1, wide + 1) * share
        return torch.exp2(mixed) * there[..., None]

    def _tracts(self, count: int) -> torch.Tensor:
        which = torch.randint(1, len(self._triangles), (count,), generator=self._random)
        clear = self._drawn(count, 0.0, 1.0) < self._variety.clear_share
        return self._triangles[which.masked_fill(clear, 0)]

    def _in_room(self, energy: torch.Tensor) -> torch.Tensor:
        """With an exponential tail in a share of the copies."""
        count, frames, bands = energy.shape
        tail = torch.exp2(-torch.arange(ROOM_FRAMES) * self._drawn(count, 0.25, 2.0)[:, None])
        roomy = self._drawn(count, 0.0, 1.0) < self._variety.room_share
        tail[:, 1:] *= (self._drawn(count, 0.0, 0.5) * roomy)[:, None]
        given = F.pad(energy.transpose(1, 2).reshape(1, count * bands, frames), (ROOM_FRAMES - 1, 0))
        kernel = tail.flip(1).repeat_interleave(bands, 0)[:, None]
        heard = F.conv1d(given, kernel, groups=count * bands)
        return heard.view(count, bands, frames).transpose(1, 2)

    def _colour(self, count: int, tilt: float) -> torch.Tensor:
        """Smooth over the bands: (n, 1, bands)."""
        at = torch.linspace(-1, 1, self._features.bands)
        curve = self._variety.curve
        logs = self._drawn(count, -tilt, tilt)[:, None] * at
        for turns, size in ((1, curve), (2, 0.7 * curve)):
            phase = self._drawn(count, 0.0, 2.0)[:, None]
            logs = logs + self._drawn(count, -size, size)[:, None] * torch.cos(
                torch.pi * turns * (at + phase)
            )
        return torch.exp2(logs)[:, None]

    def _noise(self, count: int) -> torch.Tensor:
        """Coloured, and uneven as the energies of noise are."""
        shape = (count, self._features.frames, self._features.bands)
        uneven = torch._standard_gamma(torch.full(shape, 3.0), generator=self._random) / 3  # type: ignore[attr-defined]
        return uneven * self._colour(count, 3.0)

    def _drawn(self, count: int, low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, generator=self._random)


def masked(x: torch.Tensor, random: torch.Generator, widest: int) -> torch.Tensor:
    """(n, frames, width) without up to two runs of frames. Source: Park et al., "SpecAugment", 2019."""
    count, frames, _ = x.shape
    place = torch.arange(frames)[None]
    for _ in range(2):
        first = torch.randint(0, frames, (count, 1), generator=random)
        length = torch.randint(0, widest + 1, (count, 1), generator=random)
        hidden = (place >= first) & (place < first + length)
        x = x.masked_fill(hidden[..., None], 0.0)
    return x


def _parts(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.array_split(rows, max(1, -(-len(rows) // AT_ONCE)))
