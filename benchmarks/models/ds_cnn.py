"""DS-CNN: the keyword spotter of MLPerf Tiny.

Source: Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers", 2017; the widths and the
49x10 input are those of the MLPerf Tiny reference model.
"""

from __future__ import annotations

import torch
from torch import nn


class DepthwiseSeparable(nn.Module):
    """A 3x3 convolution per channel, then a 1x1 convolution across channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(channels)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.pointwise_norm = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.depthwise_norm(self.depthwise(x)))
        return torch.relu(self.pointwise_norm(self.pointwise(x)))


class DSCNN(nn.Module):
    """Logits of keywords from 49 frames of 10 cepstral coefficients, (batch, 1, 49, 10)."""

    def __init__(self, classes: int = 12, channels: int = 64, blocks: int = 4, dropout: float = 0.2) -> None:
        super().__init__()
        # The reference model pads as TensorFlow's "same" does: 9 rows in all, one more below than above.
        self.pad = nn.ZeroPad2d((1, 1, 4, 5))
        self.stem = nn.Conv2d(1, channels, (10, 4), stride=2, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels)
        self.blocks = nn.Sequential(*(DepthwiseSeparable(channels) for _ in range(blocks)))
        self.pool = nn.AvgPool2d((25, 5))
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.stem_norm(self.stem(self.pad(x))))  # (B, 64, 25, 5)
        x = self.pool(self.blocks(x))  # (B, 64, 1, 1)
        return self.classify(self.dropout(torch.flatten(x, 1)))


def make(classes: int = 12) -> DSCNN:
    """The MLPerf Tiny shape: 22.6 k weights once batch-norm is folded, 2.66 M multiply-accumulates."""
    return DSCNN(classes)
