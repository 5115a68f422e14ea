"""How networks for phrases learn from copies that were made before, and how they become integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pintsize import Graph, Quantize, frontend, read_torch
from pintsize.apps.assistant.phrases.features import Features
from pintsize.apps.assistant.phrases.network import Network
from pintsize.apps.assistant.phrases.variation import masked
from pintsize.apps.assistant.remaining import Remaining
from pintsize.passes.simplify import fold

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Watch = Callable[[str], object]

TOLD_EVERY = 100


@dataclass(frozen=True)
class Schedule:
    """AdamW with one cycle of the learning rate; hidden: frames that a mask hides at most."""

    steps: int = 3000
    batch: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    hidden: int = 6


def learn(
    network: Network,
    x: torch.Tensor,
    y: torch.Tensor,
    weights: NDArray[np.float64],
    loss: Loss,
    schedule: Schedule,
    seed: int,
    watch: Watch,
) -> None:
    """Trains the network in place and leaves it in eval mode; the same seed gives the same weights on one computer.

    x: (n, frames, bands) log2 energies; y: (n, …) what `loss` takes; weights: (n,) how often a row is drawn.
    """
    random = torch.Generator().manual_seed(seed)
    network.cosines.fit(x[:: max(1, len(x) // 1000)])
    optimizer = torch.optim.AdamW(
        [p for p in network.parameters() if p.requires_grad], schedule.learning_rate,
        weight_decay=schedule.weight_decay,
    )  # fmt: skip
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.learning_rate, schedule.steps, pct_start=0.2
    )
    odds = torch.from_numpy(weights)
    network.train()
    losses: list[float] = []
    remaining = Remaining()
    for step in range(1, schedule.steps + 1):
        rows = torch.multinomial(odds, schedule.batch, generator=random)
        given = masked(network.cosines(x[rows].float()), random, schedule.hidden)
        value = loss(network.answer(given), y[rows])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        cycle.step()
        losses.append(value.item())
        if step % TOLD_EVERY == 0 or step == schedule.steps:
            left = remaining.after(step, schedule.steps)
            watch(f"step {step} of {schedule.steps}: loss {np.mean(losses[-TOLD_EVERY:]):.3f}{left}")
    network.eval()


@torch.no_grad()
def answers(network: Network, x: torch.Tensor) -> NDArray[np.float32]:
    """(n, labels) of (n, frames, bands)."""
    return torch.cat([network(part.float()) for part in x.split(128)]).numpy()


def as_integers(network: Network, features: Features, samples: NDArray[np.int16]) -> Graph:
    """The front-end and the network as one Graph of integers; samples: (n, window) recorded ones, for the ranges."""
    front = features.front_end()
    x = frontend.features(front, samples)
    shape = (features.frames, features.bands)
    folded = fold(read_torch(network.eval(), shape).graph)
    wanted = folded.type(folded.inputs[0]).shape
    quantized = Quantize()(folded, x.reshape(len(x), *wanted))
    return frontend.chain(front, quantized)
