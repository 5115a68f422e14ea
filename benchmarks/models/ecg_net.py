"""A 1-D residual network that classifies single heartbeats."""

from __future__ import annotations

import torch
from torch import nn


class Residual(nn.Module):
    """Two convolutions of width 5 around which the input is added; the first may halve the length."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(inputs, outputs, 5, stride, padding=2, bias=False),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Conv1d(outputs, outputs, 5, padding=2, bias=False),
            nn.BatchNorm1d(outputs),
        )
        self.shortcut = nn.Sequential(
            nn.Conv1d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm1d(outputs)
        )
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.layers(x) + self.shortcut(x))


class ECGNet(nn.Module):
    """Class logits of a beat and its rhythm, (batch, channels, samples); samples divide by 16."""

    def __init__(self, channels: int, samples: int, classes: int = 4, width: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(channels, width, 7, padding=3, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.MaxPool1d(2),
        )
        self.stages = nn.Sequential(
            Residual(width, width, 2), Residual(width, 2 * width, 2), Residual(2 * width, 2 * width, 2)
        )
        self.pool = nn.AvgPool1d(samples // 16)
        self.dropout = nn.Dropout(0.3)
        self.classify = nn.Linear(2 * width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.stages(self.stem(x)))  # (B, 2 width, 1)
        return self.classify(self.dropout(torch.flatten(x, 1)))


def make(channels: int = 4, samples: int = 160, classes: int = 4) -> ECGNet:
    """For a window of 160 samples at 180 Hz and three channels of rhythm."""
    return ECGNet(channels, samples, classes)
