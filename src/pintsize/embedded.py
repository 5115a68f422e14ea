"""A teacher and data that need no download: handwritten digits, 8×8 pixels, from scikit-learn.

A small convolutional network learns them in seconds; it stands in for the user's trained model.
Data: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI (CC BY 4.0), as shipped by
scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from pintsize.data import Splits, split, validate
from pintsize.errors import MissingExtra
from pintsize.together import one_thread_each

EPOCHS = 15


@dataclass(frozen=True)
class Embedded:
    """A trained teacher and its data."""

    teacher: nn.Module
    splits: Splits


class DigitsNet(nn.Module):
    """Three convolutions and a linear layer, about 33 thousand parameters. Input (1, 8, 8), 10 outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
            nn.AvgPool2d(4),
        )  # fmt: skip
        self.classify = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classify(self.features(x).flatten(1))


def digits_data(seed: int = 0) -> Splits:
    """1,797 pictures: 70 % train, 15 % validation, 15 % test. Raises MissingExtra without scikit-learn."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtra("scikit-learn", "train") from error
    bunch: Any = load_digits()
    x = bunch.images.astype(np.float32)[:, None] / 8.0 - 1.0
    return split(validate(x, bunch.target, labels=[str(i) for i in range(10)]), seed=seed)


def digits(seed: int = 0, on_epoch: Callable[[int, int, float], None] | None = None) -> Embedded:
    """The embedded default: data, and a teacher trained on it."""
    splits = digits_data(seed)
    torch.manual_seed(seed)
    teacher = DigitsNet()
    x, y = torch.from_numpy(splits.train.x), torch.from_numpy(splits.train.y)
    optimizer = torch.optim.AdamW(teacher.parameters(), 3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    with one_thread_each():
        for epoch in range(EPOCHS):
            losses = [_step(teacher, optimizer, x[i], y[i]) for i in torch.randperm(len(x)).split(64)]
            schedule.step()
            if on_epoch:
                on_epoch(epoch + 1, EPOCHS, float(np.mean(losses)))
    return Embedded(teacher.eval(), splits)


def _step(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> float:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return float(loss.detach())
