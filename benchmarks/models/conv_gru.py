"""Two convolutions that shorten a signal, then a GRU over what is left (after DeepConvLSTM).

Source: Ordóñez and Roggen, "Deep Convolutional and LSTM Recurrent Neural Networks for Multimodal Wearable Activity
Recognition", 2016.
"""

from __future__ import annotations

import torch
from torch import nn


def shortened(inputs: int, outputs: int) -> nn.Sequential:
    """Half as many steps."""
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, 5, 2, padding=2, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()
    )


class ConvGRU(nn.Module):
    """Class logits of a signal, (batch, channels, length)."""

    def __init__(self, channels: int = 6, classes: int = 5, width: int = 32, hidden: int = 48) -> None:
        super().__init__()
        self.stem = nn.Sequential(shortened(channels, width), shortened(width, width))
        self.dropout = nn.Dropout(0.2)
        self.gru = nn.GRU(width, hidden, batch_first=True)
        self.classify = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        steps = self.stem(x).transpose(1, 2)  # (B, length / 4, width)
        states, _ = self.gru(self.dropout(steps))
        return self.classify(self.dropout(states[:, -1]))


def make(channels: int = 6, classes: int = 5) -> ConvGRU:
    """For six axes of motion, two seconds at 50 Hz."""
    return ConvGRU(channels, classes)
