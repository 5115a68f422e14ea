"""A temporal convolutional network: residual blocks whose dilation doubles.

Source: Bai et al., "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for
Sequence Modeling", 2018.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class DilatedConv(nn.Module):
    """A convolution that keeps the length; a causal one sees no later sample."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, causal: bool) -> None:
        super().__init__()
        reach = (kernel - 1) * dilation
        self.padding = (reach, 0) if causal else (reach // 2, reach - reach // 2)
        self.conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(F.pad(x, self.padding))


class TemporalBlock(nn.Module):
    """Two dilated convolutions and a residual path, 1x1 where the widths differ."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self.conv1 = DilatedConv(inputs, outputs, kernel, dilation, causal)
        self.norm1 = nn.BatchNorm1d(outputs)
        self.conv2 = DilatedConv(outputs, outputs, kernel, dilation, causal)
        self.norm2 = nn.BatchNorm1d(outputs)
        self.shortcut = None if inputs == outputs else nn.Conv1d(inputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class TCN(nn.Module):
    """Class logits of a signal, (batch, channels, length)."""

    def __init__(
        self, channels: int = 3, classes: int = 6, width: int = 16, blocks: int = 4, causal: bool = False
    ) -> None:
        super().__init__()
        widths = (channels, *[width] * blocks)
        self.blocks = nn.Sequential(
            *(TemporalBlock(widths[i], width, 3, 2**i, causal) for i in range(blocks)),
        )
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.classify = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.blocks(x))  # (B, width, 1)
        return self.classify(x.squeeze(-1))


def make(classes: int = 6, causal: bool = False) -> TCN:
    """Four blocks with dilations 1, 2, 4, 8, for 3-axis motion of 128 samples."""
    return TCN(classes=classes, causal=causal)
