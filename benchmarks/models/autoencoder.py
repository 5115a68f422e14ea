"""The fully connected autoencoder of MLPerf Tiny: machine sounds it cannot rebuild are anomalies.

Source: the baseline of DCASE 2020 task 2, Koizumi et al., 2020.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


def dense(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]


class Autoencoder(nn.Module):
    """Rebuilds 5 frames of 128 mel bands, (batch, 640), through a bottleneck of 8."""

    def __init__(self, features: int = 640, hidden: int = 128, bottleneck: int = 8) -> None:
        super().__init__()
        widths = (features, *[hidden] * 4, bottleneck, *[hidden] * 4)
        layers = [m for a, b in pairwise(widths) for m in dense(a, b)]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden, features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def make() -> Autoencoder:
    """640-128-128-128-128-8-128-128-128-128-640: 264 k multiply-accumulates."""
    return Autoencoder()
