"""Networks for chest X-rays of 28×28 pixels, and several of them asked together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

SIDE = 28
#: of the pixels, so that what goes in is about -2 to 2
MIDDLE, SPREAD = 128.0, 64.0


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    made = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(made, nn.BatchNorm2d(outputs), nn.ReLU())


class XRayNetwork(nn.Module):
    """(n, 1, 28, 28) raw pixels 0..255 → (n, labels) logits."""

    def __init__(self, labels: int, width: int = 24, dropout: float = 0.3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _convolution(1, width // 2),
            _convolution(width // 2, width, 2),
            _convolution(width, width),
            _convolution(width, 2 * width, 2),
            _convolution(2 * width, 2 * width),
        )
        self.pool = nn.AvgPool2d(SIDE // 4)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, labels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.pool(self.features((x - MIDDLE) / SPREAD)).flatten(1)
        return self.head(self.dropout(found))


class Together(nn.Module):
    """The mean of several networks' logits."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.members[0](x)
        for member in list(self.members)[1:]:
            found = found + member(x)
        return found * (1.0 / len(self.members))
