"""The network that learns a user's own classes, before it is made small."""

from __future__ import annotations

import torch
from torch import nn

#: of the pixels, so that what goes in is about -2 to 2
MIDDLE, SPREAD = 128.0, 64.0


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    made = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(made, nn.BatchNorm2d(outputs), nn.ReLU())


class OwnNetwork(nn.Module):
    """(n, channels, side, side) raw pixels 0..255, the side divisible by 8 → (n, labels) logits."""

    def __init__(self, channels: int, labels: int, side: int, width: int = 16, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _convolution(channels, width, 2),
            _convolution(width, 2 * width, 2),
            _convolution(2 * width, 2 * width),
            _convolution(2 * width, 3 * width, 2),
            _convolution(3 * width, 3 * width),
        )
        self.pool = nn.AvgPool2d(side // 8)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(3 * width, labels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.pool(self.features((x - MIDDLE) / SPREAD)).flatten(1)
        return self.head(self.dropout(found))
