"""How networks learn from whole recordings: a decision at every step, about what was done nearly a second before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from pintsize.apps.wearable.activity.network import STRIDE, WINDOW
from pintsize.apps.wearable.activity.recordings import Recording
from pintsize.apps.wearable.activity.variation import Variation, places, varied

Watch = Callable[[str], object]

#: codes that are 1.0 to the networks: 5 m/s², 1.25 rad/s
UNIT = 2500.0
#: an output is about the sample that lies so far behind the newest one; three in a row are about one 50 behind it
DELAY = 45
#: samples of a recording that a network sees at a time
LENGTH = 640
#: where a copy of a recording may begin, so that a stream need not begin with a person who sits
LATEST_BEGIN = 200
UNKNOWN = -100
TOLD_EVERY = 100
#: exponent of how often a label is, in the weight that it has in the loss: those that are rare count more
RARITY = -0.3


@dataclass(frozen=True)
class Schedule:
    """AdamW with one cycle of the learning rate; taught: share of the loss that is the teacher's."""

    steps: int = 500
    batch: int = 32
    learning_rate: float = 5e-3
    weight_decay: float = 0.02
    taught: float = 0.6


@dataclass(frozen=True, eq=False)
class Material:
    """x: (n, 6, LENGTH + LATEST_BEGIN and more) in the networks' units; y: (n, samples) label or
    UNKNOWN; weights: (labels,) of the loss.
    """

    x: torch.Tensor
    y: torch.Tensor
    weights: torch.Tensor


def material_of(recordings: Sequence[Recording], warp: float) -> Material:
    """With room behind each recording for a copy that begins late and is walked through faster."""
    samples = int((LENGTH + LATEST_BEGIN) * (1 + warp)) + 1
    x = np.zeros((len(recordings), 6, samples), np.float32)
    y = np.full((len(recordings), samples), UNKNOWN, np.int64)
    for row, recording in enumerate(recordings):
        count = min(len(recording.samples), samples)
        x[row, :, :count] = recording.samples[:count].T / UNIT
        y[row, :count] = recording.doing[:count]
    often = np.bincount(y[y != UNKNOWN]) ** RARITY
    weights = torch.from_numpy(often / often.mean()).float()
    return Material(torch.from_numpy(x), torch.from_numpy(y), weights)


def drawn(
    material: Material, batch: int, how: Variation, random: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """(batch, 6, WINDOW - STRIDE + LENGTH), silence before the signal, and (batch, decisions)."""
    rows = torch.randint(len(material.x), (batch,), generator=random)
    late = torch.rand(1, generator=random) < 0.5
    begin = int(torch.randint(LATEST_BEGIN, (1,), generator=random)) if late else 0
    at = begin + places(LENGTH, how, random)
    x = varied(material.x[rows][:, :, at], how, random)
    y = material.y[rows][:, at]
    about = torch.arange(STRIDE, LENGTH + 1, STRIDE) - DELAY
    told = torch.where(about >= 0, y[:, about.clamp(min=0)], UNKNOWN)
    seen = y[:, about + DELAY - 1] != UNKNOWN  # the recording goes on to there
    return F.pad(x, (WINDOW - STRIDE, 0)), torch.where(seen, told, UNKNOWN)


def learn(
    network: nn.Module,
    material: Material,
    how: Variation,
    schedule: Schedule,
    seed: int,
    watch: Watch,
    teacher: nn.Module | None = None,
) -> None:
    """Trains the network in place and leaves it in eval mode; the same seed gives the same weights on one computer."""
    random = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.learning_rate, schedule.steps, pct_start=0.2
    )
    network.train()
    losses: list[float] = []
    for step in range(1, schedule.steps + 1):
        x, y = drawn(material, schedule.batch, how, random)
        answers = None if teacher is None else _asked(teacher, x)
        value = _loss(network(x), y, material.weights, answers, schedule.taught)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        cycle.step()
        losses.append(value.item())
        if step % TOLD_EVERY == 0 or step == schedule.steps:
            watch(f"step {step} of {schedule.steps}: loss {np.mean(losses[-TOLD_EVERY:]):.3f}")
    network.eval()


@torch.no_grad()
def _asked(teacher: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return teacher(x)


def _loss(
    told: torch.Tensor, y: torch.Tensor, weights: torch.Tensor, teacher: torch.Tensor | None, taught: float
) -> torch.Tensor:
    hard = F.cross_entropy(told, y, weights, ignore_index=UNKNOWN, label_smoothing=0.05)
    if teacher is None:
        return hard
    known = (y != UNKNOWN).float()
    apart = -(teacher.softmax(1) * told.log_softmax(1)).sum(1)
    return taught * (apart * known).sum() / known.sum() + (1 - taught) * hard


@torch.no_grad()
def decided(network: nn.Module, recording: Recording) -> NDArray[np.float32]:
    """(decisions, labels): the outputs after every STRIDE samples of a recording, as a stream gives them."""
    count = len(recording.samples) // STRIDE * STRIDE
    x = torch.from_numpy(recording.samples[:count].T.astype(np.float32) / UNIT)[None]
    return network(F.pad(x, (WINDOW - STRIDE, 0)))[0].T.numpy()
