"""How networks for X-rays learn: balanced draws, another copy every time, soft labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from pintsize.apps.images.pictures import Pixels
from pintsize.apps.images.variation import Copies
from pintsize.apps.images.xray.material import LABELS, NORMAL, OTHER, PNEUMONIA, TURNED, drawn_others, turned

Watch = Callable[[str], object]

#: of what is shown
SHARES: Mapping[str, float] = {NORMAL: 0.36, PNEUMONIA: 0.38, TURNED: 0.12, OTHER: 0.14}
#: of pictures that are no X-ray, those that are made here
DRAWN = 0.4
TOLD_EVERY = 100


@dataclass(frozen=True)
class Schedule:
    """AdamW with one cycle of the learning rate."""

    steps: int = 1000
    batch: int = 96
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    smoothing: float = 0.1


@dataclass(frozen=True, eq=False)
class Shown:
    """x: (n, side, side) X-rays; y: (n,) 0 normal, 1 pneumonia; others: (m, side, side) pictures that are none."""

    x: Pixels
    y: NDArray[np.int64]
    others: Pixels

    def draw(self, count: int, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, 1, side, side) uint8 and (count,) labels, by SHARES; within a label each is as likely."""
        y = random.choice(len(LABELS), count, p=[SHARES[name] for name in LABELS])
        x = np.empty((count, *self.x.shape[1:]), np.uint8)
        for label in (0, 1):
            x[y == label] = self.x[random.choice(np.flatnonzero(self.y == label), int((y == label).sum()))]
        x[y == 2] = turned(self.x[random.integers(len(self.x), size=int((y == 2).sum()))], random)
        x[y == 3] = self._no_xrays(int((y == 3).sum()), random)
        return torch.from_numpy(x[:, None]), torch.from_numpy(y)

    def _no_xrays(self, count: int, random: np.random.Generator) -> Pixels:
        drawn = count if not len(self.others) else int(random.binomial(count, DRAWN))
        taken = self.others[random.integers(max(len(self.others), 1), size=count - drawn)]
        made = drawn_others(self.x, drawn, random) if drawn else self.x[:0]
        return np.concatenate([made, taken])


def learn(network: nn.Module, shown: Shown, schedule: Schedule, seed: int, watch: Watch) -> None:
    """Trains in place and leaves it in eval mode; the same seed gives the same weights on one computer."""
    random, copies = np.random.default_rng(seed), Copies(seed)
    optimizer = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.learning_rate, schedule.steps, pct_start=0.2
    )
    network.train()
    losses: list[float] = []
    for step in range(1, schedule.steps + 1):
        x, y = shown.draw(schedule.batch, random)
        loss = F.cross_entropy(network(copies.of(x)), y, label_smoothing=schedule.smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cycle.step()
        losses.append(loss.item())
        if step % TOLD_EVERY == 0 or step == schedule.steps:
            watch(f"step {step} of {schedule.steps}: loss {np.mean(losses[-TOLD_EVERY:]):.3f}")
    network.eval()


@torch.no_grad()
def answers(network: nn.Module, x: Pixels) -> NDArray[np.float32]:
    """(n, side, side) → (n, labels) logits."""
    pixels = torch.from_numpy(x[:, None]).float()
    return torch.cat([network(part) for part in pixels.split(256)]).numpy()
