"""The float network of the beat classifier: convolutions over the window, and the rhythm beside them."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn

from pintsize.apps.ecg.classes.context import ONE, RHYTHM
from pintsize.apps.ecg.classes.examples import AFTER, BEFORE
from pintsize.apps.ecg.classes.figures import LABELS

#: the beat, and what it differs from the typical one
CHANNELS = 2
SAMPLES = BEFORE + AFTER


class Network(nn.Module):
    """(n, CHANNELS, SAMPLES + RHYTHM) → (n, classes) logits; the rhythm lies behind the window in channel 0.

    width: channels of the first layers, the others have twice as many
    """

    def __init__(self, width: int = 16, rhythm: int = 16, dropout: float = 0.3) -> None:
        super().__init__()
        self.first = nn.Conv1d(CHANNELS, width, 7, 2, bias=False)
        self.body = nn.Sequential(
            nn.BatchNorm1d(width),
            nn.ReLU(),
            _layer(width, width, 5, 2),
            _layer(width, 2 * width, 5, 2),
            _layer(2 * width, 2 * width, 3, 1),
        )
        self.halves = nn.AvgPool1d(6)  # 13 columns → before the peak, from it on
        self.rhythm = nn.Linear(RHYTHM, rhythm)
        self.dropout = nn.Dropout(dropout)
        self.join = nn.Linear(4 * width + rhythm, 32)
        self.relu = nn.ReLU()
        self.classify = nn.Linear(32, len(LABELS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = torch.flatten(self.halves(self.body(self.first(x[:, :, :SAMPLES]))), 1)  # (n, 4 width)
        rhythm = self.relu(self.rhythm(torch.flatten(x[:, :1, SAMPLES:], 1)))
        joined = self.dropout(torch.cat([shape, rhythm], 1))
        return self.classify(self.relu(self.join(joined)))


@torch.no_grad()
def taking_codes(network: Network) -> Network:
    """A copy that takes the context's codes as they are, where the network was taught in units of ONE of them."""
    copied = deepcopy(network)
    copied.first.weight /= ONE
    copied.rhythm.weight /= ONE
    return copied


def _layer(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, stride, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()
    )
