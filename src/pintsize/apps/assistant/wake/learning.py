"""How the network learns: an answer at the end of a word is the word, one that sees none of it is `other`.

Between these an answer may be anything, so nobody is taught to tell a word from half of it. In every epoch each example
has another voice, microphone, loudness and noise: energies of sounds that know nothing of one another add up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from pintsize.apps.assistant.remaining import Remaining
from pintsize.apps.assistant.wake.examples import Examples
from pintsize.apps.assistant.wake.narrow import fix, narrow
from pintsize.apps.assistant.wake.network import Network
from pintsize.apps.assistant.wake.shape import Shape

IGNORED = -100
#: the answers around the end of a word that must be the word; it is `other` until this share of the word, and from so
#: long after its end on
FIRST_S, LAST_S, KNOWN_AFTER, GONE_S = -0.02, 0.2, 0.35, 1.3
#: another vocal tract moves the bands so far along their axis (log); another microphone has a colour made of waves over
#: the bands, from long to short ones, of so many decibels
TRACT, COLOUR_DB = 0.06, (3.0, 2.1, 1.5, 1.05)
#: decibels to a doubled energy, and the front-end's least logarithm
DB, SILENCE = 3.0103, -33.2


@dataclass(frozen=True)
class Schedule:
    """AdamW with one cycle of the learning rate. narrow_share: of the epochs, the last ones with narrow weights."""

    epochs: int = 16
    batch: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3
    label_smoothing: float = 0.02
    narrow_share: float = 0.4


def targets(examples: Examples, shape: Shape, words: int) -> np.ndarray:
    """int64 (n, answers): the word's index, `words` for other, IGNORED where it may be anything."""
    answers = shape.answers(examples.features.shape[1])
    ends_s = np.array([shape.answered_s(a) for a in range(answers)])[None]
    begin_s, end_s = examples.begin_s[:, None], examples.end_s[:, None]
    is_word = (examples.word >= 0)[:, None]
    unknown = ends_s < begin_s + KNOWN_AFTER * (end_s - begin_s)
    other = ~is_word | unknown | (ends_s > end_s + GONE_S)
    said = is_word & (ends_s >= end_s + FIRST_S) & (ends_s <= end_s + LAST_S)
    return np.where(said, examples.word[:, None], np.where(other, words, IGNORED))


def learn(
    network: Network, examples: Examples, schedule: Schedule, seed: int, watch: Callable[[str], object]
) -> Network:
    """The network after the whole schedule, in eval mode, with narrow weights.

    The same seed gives the same weights on one computer.
    """
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.from_numpy(examples.features), torch.from_numpy(examples.noise)
    y = torch.from_numpy(targets(examples, network.shape, network.head.out_channels - 1))
    steps = max(1, len(x) // schedule.batch)
    optimizer = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.learning_rate, schedule.epochs * steps, pct_start=0.15
    )
    network.train()
    remaining = Remaining()
    for epoch in range(schedule.epochs):
        losses: list[float] = []
        if epoch == round(schedule.epochs * (1.0 - schedule.narrow_share)):
            narrow(network)
        for index in torch.randperm(len(x), generator=generator).split(schedule.batch)[:steps]:
            given = masked(heard(x[index].float(), noise, generator), generator)
            answers = network(given.transpose(1, 2))
            loss = F.cross_entropy(
                answers, y[index], ignore_index=IGNORED, label_smoothing=schedule.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cycle.step()
            losses.append(loss.item())
        left = remaining.after(epoch + 1, schedule.epochs)
        watch(f"epoch {epoch + 1} of {schedule.epochs}: loss {np.mean(losses):.4f}{left}")
    fix(network.eval())
    return network


def varied(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Features (n, frames, mels) of another voice through another microphone.

    Source: Jaitly and Hinton, "Vocal tract length perturbation improves speech recognition", 2013.
    """
    count, _, mels = x.shape
    longer = torch.exp((torch.rand(count, 1, generator=generator) * 2 - 1) * TRACT)
    at = (torch.arange(mels) * longer).clamp(0, mels - 1.001)
    below, share = at.floor().long(), (at - at.floor())[:, None, :]
    wide = below[:, None, :].expand(-1, x.shape[1], -1)
    moved = x.gather(2, wide) * (1 - share) + x.gather(2, wide + 1) * share
    size = torch.randn(count, len(COLOUR_DB), 1, generator=generator) * torch.tensor(COLOUR_DB)[:, None] / DB
    phase = torch.rand(count, len(COLOUR_DB), 1, generator=generator) * 2 * torch.pi
    waves = torch.arange(1, len(COLOUR_DB) + 1)[:, None] * torch.pi / 2 * torch.linspace(-1, 1, mels)
    return moved + (size * torch.cos(waves + phase)).sum(1)[:, None]


def heard(x: torch.Tensor, noise: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Features (n, frames, mels) `varied`, at another loudness, over noise: 2 to 32 dB below, or 35 to 65 dB."""
    count = len(x)

    def drawn(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    rows = torch.randint(0, len(noise), (count,), generator=generator)
    below_db = torch.where(drawn(0.0, 1.0) < 0.5, drawn(2.0, 32.0), drawn(35.0, 65.0))
    quieter = noise[rows].float() - (below_db / DB)[:, None, None]
    both = torch.logaddexp2(varied(x, generator), quieter) + (drawn(-22.0, 12.0) / DB)[:, None, None]
    return both.clamp(min=SILENCE)


def masked(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Without up to six bands and up to seven frames. Source: Park et al., "SpecAugment", 2019."""
    hidden = _span(x, 2, 7, generator)[:, None, :] | _span(x, 1, 8, generator)[:, :, None]
    return x.masked_fill(hidden, -20.0)


def _span(x: torch.Tensor, axis: int, widest: int, generator: torch.Generator) -> torch.Tensor:
    """(n, length): true in one run below `widest` long."""
    count, length = len(x), x.shape[axis]
    first = torch.randint(0, length, (count, 1), generator=generator)
    width = torch.randint(0, widest, (count, 1), generator=generator)
    place = torch.arange(length)[None]
    return (place >= first) & (place < first + width)
