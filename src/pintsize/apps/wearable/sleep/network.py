"""An epoch among those around it: the most and the mean of motion over minutes, then a small perceptron."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from pintsize.apps.wearable.sleep.features import CLOCK, MOTION

#: epochs whose most is taken, and whose means
MOST, MEANS = 9, (5, 21, 61)
#: epochs on each side that count: a quarter of an hour
AROUND = MEANS[-1] // 2
WINDOW = 2 * AROUND + 1


class Network(nn.Module):
    """(n, 19, epochs + 2 · AROUND) → (n, labels, epochs)."""

    def __init__(self, labels: int, width: int = 24) -> None:
        super().__init__()
        self.hidden = nn.Conv1d((2 + len(MEANS)) * len(MOTION) + len(CLOCK), width, 1)
        self.norm = nn.BatchNorm1d(width)
        self.dropped = nn.Dropout1d(0.1)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Conv1d(width, labels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        motion = x[:, : len(MOTION)]
        around = [_middle(F.max_pool1d(motion, MOST, 1), MOST)]
        around += [_middle(F.avg_pool1d(motion, size, 1), size) for size in MEANS]
        seen = torch.cat([_middle(motion, 1), *around, _middle(x[:, len(MOTION) :], 1)], 1)
        return self.head(self.dropout(torch.relu(self.norm(self.hidden(self.dropped(seen))))))


def _middle(x: torch.Tensor, seen: int) -> torch.Tensor:
    """Without the columns that the widest pool has no number for."""
    rest = AROUND - seen // 2
    return x[:, :, rest : x.shape[2] - rest] if rest else x


class OfWindow(nn.Module):
    """(n, 19, WINDOW) → (n, labels): the epoch in the middle."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x).flatten(1)
