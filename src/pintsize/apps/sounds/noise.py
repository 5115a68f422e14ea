"""Sounds that are no speech for anyone to understand: noises of several colours, and many voices at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.sounds.level import with_loudness
from pintsize.errors import UserError

Clip = NDArray[np.float32]
Random = np.random.Generator

#: below full scale; a mix brings it to where it is wanted
LOUDNESS_DB = -26.0


def noise(kind: str, samples: int, random: Random, rate_hz: float = 16_000) -> Clip:
    """`samples` of a noise of `NOISES`, at -26 dB of full scale. Raises UserError for another kind."""
    make = NOISES.get(kind)
    if make is None:
        raise UserError(f"{kind!r} is no kind of noise: {', '.join(NOISES)}")
    return with_loudness(make(max(1, samples), random, rate_hz), LOUDNESS_DB)


def babble(voices: Sequence[Clip], samples: int, random: Random, at_once: int = 5) -> Clip:
    """Many people speaking at once: `at_once` tracks of clips drawn from `voices`, end to end, added up.

    At -26 dB of full scale. Raises UserError without voices.
    """
    if not any(len(v) for v in voices):
        raise UserError("babble is made of other speech: at least one clip is needed")
    tracks = [_track([v for v in voices if len(v)], samples, random) for _ in range(at_once)]
    return with_loudness(np.stack(tracks).sum(0, dtype=np.float32), LOUDNESS_DB)


def _track(voices: Sequence[Clip], samples: int, random: Random) -> Clip:
    pieces: list[Clip] = []
    filled = -int(random.integers(0, 16_000))  # each begins somewhere within a clip
    skipped = -filled
    while filled < samples:
        clip = with_loudness(voices[int(random.integers(len(voices)))], LOUDNESS_DB)
        pieces.append(clip)
        filled += len(clip)
    return np.concatenate(pieces)[skipped : skipped + samples].astype(np.float32)


def _coloured(samples: int, random: Random, exponent: float) -> Clip:
    """Power that falls with the frequency to this exponent."""
    size = max(samples, 16)
    spectrum = np.fft.rfft(random.standard_normal(size))
    frequency = np.arange(len(spectrum), dtype=np.float64)
    frequency[0] = 1.0
    return np.fft.irfft(spectrum * frequency ** (-exponent / 2.0), size)[:samples].astype(np.float32)


def _white(samples: int, random: Random, rate_hz: float) -> Clip:
    return random.standard_normal(samples).astype(np.float32)


def _pink(samples: int, random: Random, rate_hz: float) -> Clip:
    return _coloured(samples, random, 1.0)


def _brown(samples: int, random: Random, rate_hz: float) -> Clip:
    return _coloured(samples, random, 2.0)


def _hum(samples: int, random: Random, rate_hz: float) -> Clip:
    """Mains or a motor: harmonics of one frequency, over a little pink noise."""
    base_hz = random.uniform(45.0, 130.0)
    time_s = np.arange(samples) / rate_hz
    tones = sum(
        random.uniform(0.2, 1.0) / k * np.sin(2 * np.pi * (base_hz * k * time_s + random.uniform()))
        for k in range(1, 12)
    )
    pink = with_loudness(_coloured(samples, random, 1.0), -15.0)
    return (tones + pink).astype(np.float32)


def _knocks(samples: int, random: Random, rate_hz: float) -> Clip:
    """Dishes, keys, a door: short bursts that ring out, over soft pink noise."""
    out = with_loudness(_coloured(samples, random, 1.0), -45.0).astype(np.float64)
    for at in random.integers(0, samples, max(1, round(samples / rate_hz * random.uniform(0.5, 5.0)))):
        length = min(samples - int(at), round(rate_hz * random.uniform(0.02, 0.25)))
        time_s = np.arange(length) / rate_hz
        tone = np.sin(2 * np.pi * random.uniform(200.0, 5000.0) * time_s) + random.standard_normal(length)
        out[at : at + length] += (
            tone * np.exp(-time_s * random.uniform(15.0, 150.0)) * random.uniform(0.05, 0.5)
        )
    return out.astype(np.float32)


def _wavering(samples: int, random: Random, rate_hz: float) -> Clip:
    """Noise as loud and as fast-changing as syllables are, without any: wind, crumpling, far speech."""
    slow = np.interp(
        np.arange(samples),
        np.arange(0, samples + 2400, 2400),
        random.uniform(0.02, 1.0, len(np.arange(0, samples + 2400, 2400))) ** 2,
    )
    return (slow * _coloured(samples, random, random.uniform(0.0, 1.5))).astype(np.float32)


#: kind → what makes it
NOISES: dict[str, Callable[[int, Random, float], Clip]] = {
    "white": _white, "pink": _pink, "brown": _brown, "hum": _hum, "knocks": _knocks, "wavering": _wavering,
}  # fmt: skip
