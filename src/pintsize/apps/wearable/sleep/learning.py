"""How the network learns from nights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize.apps.wearable.sleep.network import AROUND, Network
from pintsize.apps.wearable.sleep.teaching import LABELS, Lesson


@dataclass(frozen=True)
class Schedule:
    """AdamW with one cycle of the learning rate; length: epochs of a piece of a night."""

    steps: int = 400
    batch: int = 8
    length: int = 170
    learning_rate: float = 1e-2
    weight_decay: float = 0.05
    noise: float = 0.05


def learnt(lessons: Sequence[Lesson], seed: int, schedule: Schedule | None = None) -> Network:
    """In eval mode; the same seed gives the same weights on one computer."""
    how = schedule or Schedule()
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network = Network(LABELS).train()
    optimizer = torch.optim.AdamW(network.parameters(), how.learning_rate, weight_decay=how.weight_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, how.learning_rate, how.steps)
    given = [F.pad(torch.from_numpy(lesson.x.T), (AROUND, AROUND)) for lesson in lessons]
    answers = [torch.from_numpy(lesson.answer.T) for lesson in lessons]
    odds = torch.tensor([float(max(0, len(lesson.x) - how.length + 1)) for lesson in lessons])
    for _ in range(how.steps):
        x, answer = _drawn(given, answers, odds, how, random)
        told = network(x + how.noise * torch.randn(x.shape, generator=random))
        loss = -(answer * told.log_softmax(1)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cycle.step()
    return network.eval()


def _drawn(
    given: Sequence[torch.Tensor], answers: Sequence[torch.Tensor], odds: torch.Tensor, how: Schedule,
    random: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Pieces of nights: (batch, 19, length + 2 · AROUND) and (batch, 4, length)."""
    pieces: list[tuple[torch.Tensor, torch.Tensor]] = []
    for night in torch.multinomial(odds, how.batch, True, generator=random).tolist():
        begin = int(torch.randint(int(odds[night]), (1,), generator=random))
        x = given[night][:, begin : begin + how.length + 2 * AROUND]
        pieces.append((x, answers[night][:, begin : begin + how.length]))
    return torch.stack([x for x, _ in pieces]), torch.stack([answer for _, answer in pieces])


@torch.no_grad()
def outputs(network: Network, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """(epochs, labels) of (epochs, 19): silence before and behind the night."""
    given = F.pad(torch.from_numpy(x.T), (AROUND, AROUND))[None]
    return network(given)[0].T.numpy().astype(np.float64)
