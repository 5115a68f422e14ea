"""Teaches the float network: a part of each patient's beats an epoch, so that no patient and no class drowns others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize.apps.ecg.classes.examples import Examples
from pintsize.apps.ecg.classes.figures import LABELS
from pintsize.apps.ecg.classes.network import Network
from pintsize.apps.ecg.classes.variation import Variation, plain, tensors_of, varied

Watch = Callable[[str], object]


@dataclass(frozen=True)
class Schedule:
    """most: beats of one class of one patient that an epoch takes, as LABELS; weights: of the classes in the loss."""

    epochs: int = 10
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    most: tuple[int, ...] = (400, 300, 500, 200)
    weights: tuple[float, ...] = (1.0, 1.0, 1.0, 0.5)
    smoothing: float = 0.03
    variation: Variation = field(default_factory=Variation)


def learn(network: Network, examples: Examples, how: Schedule, seed: int, watch: Watch) -> Network:
    """The network, taught; the same seed, the same weights."""
    generator, random = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    tensors, groups = tensors_of(examples), _groups(examples, how.most)
    optimizer = torch.optim.AdamW(network.parameters(), how.learning_rate, weight_decay=how.weight_decay)
    steps = how.epochs * -(-sum(min(len(beats), most) for beats, most in groups) // how.batch)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, how.learning_rate, total_steps=steps + 1, pct_start=0.15
    )
    weights = torch.tensor(how.weights)
    for epoch in range(how.epochs):
        network.train()
        drawn = torch.from_numpy(_drawn(groups, random))
        losses: list[float] = []
        for index in drawn.split(how.batch):
            x, kind = varied(tensors, index, how.variation, generator)
            loss = F.cross_entropy(network(x), kind, weight=weights, label_smoothing=how.smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
            losses.append(loss.item())
        watch(f"epoch {epoch + 1}/{how.epochs}: loss {np.mean(losses):.3f} of {len(drawn)} beats")
    return network.eval()


@torch.no_grad()
def logits(network: Network, examples: Examples, batch: int = 1024) -> NDArray[np.float32]:
    """(n, classes), of the beats as the device is given them."""
    tensors = tensors_of(examples)
    parts = [network(plain(tensors, index)) for index in torch.arange(len(examples)).split(batch)]
    return torch.cat(parts).numpy() if parts else np.zeros((0, len(LABELS)), np.float32)


def _groups(examples: Examples, most: tuple[int, ...]) -> list[tuple[NDArray[np.int64], int]]:
    """The beats of each class of each patient, and how many of them an epoch takes at most."""
    found = [
        (np.flatnonzero((examples.patient == patient) & (examples.kind == kind)), limit)
        for patient in sorted({*examples.patient.tolist()})
        for kind, limit in enumerate(most)
    ]
    return [(beats, limit) for beats, limit in found if len(beats)]


def _drawn(groups: list[tuple[NDArray[np.int64], int]], random: np.random.Generator) -> NDArray[np.int64]:
    parts = [b if len(b) <= most else random.choice(b, most, replace=False) for b, most in groups]
    drawn = np.concatenate(parts)
    random.shuffle(drawn)
    return drawn
