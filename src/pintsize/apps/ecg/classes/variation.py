"""Beats as other electrodes, patients and detectors might give them: what a training batch is made of.

gain, drift, tilt, mains-free noise and muscle noise, a stretched time axis, reversed leads, a peak found a few samples
off, another heart rate. And rhythms that few patients show, given to beats of normal shape: early ones (`premature`)
and runs of early ones between pauses (`bursts`) are supraventricular, those without any order, as in atrial
fibrillation, are normal (`disordered`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from pintsize.apps.ecg.classes.context import INTERVALS, LONG, ONE
from pintsize.apps.ecg.classes.examples import AFTER, BEFORE, MARGIN, Examples
from pintsize.apps.ecg.classes.figures import LABELS
from pintsize.apps.ecg.classes.network import SAMPLES

#: codes that ±2 of the network's numbers stand for
REACH = 127 / ONE
NORMAL, EARLY = LABELS.index("N"), LABELS.index("S")
#: places in the rhythm (see context.py)
TO_MEAN, TO_LONG, BEFORE_TO_MEAN, TO_BEFORE, UNEVEN, SECONDS, LONG_SECONDS = 0, 1, 2, 3, 5, 6, 7


@dataclass(frozen=True)
class Variation:
    """premature, bursts, disordered: shares of the even normal beats; offset: samples that the peak may be off."""

    premature: float = 0.10
    bursts: float = 0.14
    disordered: float = 0.10
    offset: int = 4
    stretch: float = 0.06
    gain: float = 0.15
    tilt: float = 0.25
    noise: float = 0.06
    muscle: float = 0.25
    reversed: float = 0.1


@dataclass(frozen=True, eq=False)
class Tensors:
    """Examples as real numbers, codes in units of ONE: beat, typical (n, samples with margins), rhythm, kind."""

    beat: torch.Tensor
    typical: torch.Tensor
    rhythm: torch.Tensor
    kind: torch.Tensor


def tensors_of(examples: Examples) -> Tensors:
    beat, typical, rhythm = (
        torch.from_numpy(codes).float() / ONE for codes in (examples.beat, examples.typical, examples.rhythm)
    )
    return Tensors(beat, typical, rhythm, torch.from_numpy(examples.kind))


def plain(of: Tensors, index: torch.Tensor) -> torch.Tensor:
    """(n, 2, SAMPLES + RHYTHM): what the device is given."""
    inside = slice(MARGIN, -MARGIN)
    return _joined(of.beat[index, inside], of.typical[index, inside], of.rhythm[index])


def varied(
    of: Tensors, index: torch.Tensor, how: Variation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, 2, SAMPLES + RHYTHM) and (n,) kinds."""
    n = len(index)
    beat, typical = _moved(of.beat[index], of.typical[index], how, generator)
    beat = beat * torch.exp(how.gain * _normal(generator, n, 1))
    typical = typical * torch.exp(how.gain * _normal(generator, n, 1))
    beat = beat + _disturbance(n, how, generator)
    sign = torch.where(_uniform(generator, n, 1) < how.reversed, -1.0, 1.0)
    rhythm, kind = _rhythm(of, index, how, generator)
    return _joined(sign * beat, sign * typical, rhythm), kind


def premature(rhythm: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(n, RHYTHM) of even beats → of beats that come early, three in ten of them behind one that came early too."""
    n = len(rhythm)
    share = 0.5 + 0.36 * _uniform(generator, n)  # of the mean interval
    mean_s = (1 + rhythm[:, SECONDS]) / (1 + rhythm[:, TO_MEAN])
    early = rhythm.clone()
    early[:, TO_MEAN] = share - 1
    early[:, TO_LONG] = share * mean_s / (1 + rhythm[:, LONG_SECONDS]) - 1
    early[:, TO_BEFORE] = share / (1 + rhythm[:, BEFORE_TO_MEAN]) - 1
    early[:, SECONDS] = share * mean_s - 1
    early[:, UNEVEN] += 0.1 * _uniform(generator, n) * _uniform(generator, n)
    second = _uniform(generator, n) < 0.3
    before = share * (1 + 0.06 * (_uniform(generator, n) - 0.5))
    early[:, BEFORE_TO_MEAN] = torch.where(second, before - 1, early[:, BEFORE_TO_MEAN])
    early[:, TO_BEFORE] = torch.where(second, share / before - 1, early[:, TO_BEFORE])
    return early


def disordered(n: int, generator: torch.Generator) -> torch.Tensor:
    """(n, RHYTHM) of intervals that are drawn one by one, none from the one before."""
    spread = 0.08 + 0.2 * _uniform(generator, n, 1)
    mean_s = 0.5 + 0.5 * _uniform(generator, n, 1)
    return _compared(mean_s * torch.exp((spread * _normal(generator, n, INTERVALS + 1)).clamp(-0.6, 0.8)))


def bursts(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, RHYTHM) of a slow rhythm with even runs of early beats and pauses behind them, and (n,) kinds.

    A run goes on, and another begins, with chances of the patient's own: in some most beats are early.
    """
    slow_s = 0.7 + 0.6 * _uniform(generator, n)
    fast_s = slow_s * (0.5 + 0.32 * _uniform(generator, n))
    goes_on, begins = 0.4 + 0.55 * _uniform(generator, n), 0.05 + 0.5 * _uniform(generator, n)
    jitter = 0.02 + 0.04 * _uniform(generator, n)
    early = torch.zeros(n, dtype=torch.bool)
    seconds: list[torch.Tensor] = []
    for _ in range(INTERVALS + 1):
        before, early = early, _uniform(generator, n) < torch.where(early, goes_on, begins)
        pause = torch.where(before & ~early, 1 + 0.9 * _uniform(generator, n), 1.0)
        interval = torch.where(early, fast_s, slow_s * pause)
        seconds.append(interval * torch.exp(jitter * _normal(generator, n)))
    rhythm = _compared(torch.stack(seconds[::-1], 1))
    shown = early & (
        rhythm[:, TO_LONG] < -0.1
    )  # a run longer than the memory is an even rhythm like any other
    return rhythm, torch.where(shown, EARLY, NORMAL)


def _compared(seconds: torch.Tensor) -> torch.Tensor:
    """(n, RHYTHM) of (n, INTERVALS + 1) intervals, the newest first."""
    now, before = seconds[:, 0], seconds[:, 1:]
    mean, long = before.mean(1), before.sort(1).values[:, LONG]
    uneven = (before - mean[:, None]).abs().mean(1)
    columns = (
        now / mean - 1, now / long - 1, before[:, 0] / mean - 1, now / before[:, 0] - 1,
        before[:, 1] / mean - 1, 2 * uneven / mean, now - 1, long - 1,
    )  # fmt: skip
    return torch.stack(columns, 1).clamp(-REACH, REACH)


def _rhythm(
    of: Tensors, index: torch.Tensor, how: Variation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    rhythm, kind = of.rhythm[index].clone(), of.kind[index].clone()
    even = (kind == NORMAL) & (rhythm[:, UNEVEN] < 0.15) & (rhythm[:, TO_MEAN].abs() < 0.12)
    drawn = _uniform(generator, len(index))
    early = even & (drawn < how.premature)
    rhythm[early] = premature(rhythm[early], generator)
    kind[early] = EARLY
    in_bursts = even & (drawn >= how.premature) & (drawn < how.premature + how.bursts)
    rhythm[in_bursts], kind[in_bursts] = bursts(int(in_bursts.sum()), generator)
    without_order = even & (drawn > 1 - how.disordered)
    rhythm[without_order] = disordered(int(without_order.sum()), generator)
    rate = torch.exp(0.2 * _normal(generator, len(index), 1))
    rhythm[:, SECONDS:] = (rhythm[:, SECONDS:] + 1) * rate - 1
    return rhythm + 0.03 * _normal(generator, *rhythm.shape), kind


def _moved(
    beat: torch.Tensor, typical: torch.Tensor, how: Variation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Both stretched alike; the typical beat is off as this one is in half of the cases, else by a sample at most."""
    n = len(beat)
    off = _whole(generator, how.offset, n)
    own = _whole(generator, 1, n) + off * (_uniform(generator, n, 1) < 0.5)
    stretch = 1 + how.stretch * _normal(generator, n, 1).clamp(-2, 2)
    place = (torch.arange(SAMPLES) - BEFORE) * stretch + BEFORE + MARGIN  # (n, SAMPLES)
    return _between(beat, place + off), _between(typical, place + own)


def _between(rows: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Rows read at real places, linearly."""
    place = place.clamp(0, rows.shape[1] - 1.001)
    low = place.long()
    share = place - low
    return rows.gather(1, low) * (1 - share) + rows.gather(1, low + 1) * share


def _disturbance(n: int, how: Variation, generator: torch.Generator) -> torch.Tensor:
    """(n, SAMPLES): tilt and offset in most, white noise in all, muscle noise in three of ten."""
    line = torch.linspace(-1, 1, BEFORE + AFTER)
    tilt = how.tilt * _normal(generator, n, 1) * line * (_uniform(generator, n, 1) < 0.6)
    noise = how.noise * _uniform(generator, n, 1) * _normal(generator, n, SAMPLES)
    slow = F.avg_pool1d(_normal(generator, n, 1, SAMPLES), 5, 1, 2)[:, 0]
    loud = how.muscle * _uniform(generator, n, 1) * (_uniform(generator, n, 1) < 0.3)
    return tilt + 0.1 * _normal(generator, n, 1) + noise + loud * slow


def _joined(beat: torch.Tensor, typical: torch.Tensor, rhythm: torch.Tensor) -> torch.Tensor:
    shapes = torch.stack([beat, beat - typical], 1)
    tail = torch.stack([rhythm, torch.zeros_like(rhythm)], 1)
    return torch.cat([shapes, tail], 2).clamp(-REACH, REACH)


def _normal(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator)


def _uniform(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=generator)


def _whole(generator: torch.Generator, reach: int, n: int) -> torch.Tensor:
    return torch.randint(-reach, reach + 1, (n, 1), generator=generator)
