"""Temporal convolutions without padding: a stream of them is, integer for integer, its windows run anew.

Source: Bai et al., "An empirical evaluation of generic convolutional and recurrent networks for sequence modeling",
2018.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

STEM, STRIDE, KERNEL = 15, 5, 3
DILATIONS = (1, 2, 4, 8)
#: samples that one decision looks at, 3.3 s
WINDOW = STEM + STRIDE * (KERNEL - 1) * sum(DILATIONS)
#: samples that gravity is the mean of, and dilations that fit the window behind it
GRAVITY, AFTER_GRAVITY = 51, (1, 2, 3, 4)


class Block(nn.Module):
    """Over time and then across channels, added to what came in."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.ends = (KERNEL - 1) * dilation
        self.over_time = nn.Conv1d(width, width, KERNEL, dilation=dilation, groups=width, bias=False)
        self.norm1 = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)
        self.across = nn.Conv1d(width, width, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm1(self.over_time(x)))
        return torch.relu(x[:, :, self.ends :] + self.norm2(self.across(self.dropout(y))))


class Network(nn.Module):
    """(n, 6, samples) → (n, labels, decisions): one decision for each STRIDE samples, the first after WINDOW.

    products: it is also given what gravity makes of acceleration and turning, and their powers
    """

    def __init__(self, labels: int, width: int = 48, dropout: float = 0.1, products: bool = False) -> None:
        super().__init__()
        self.products = products
        self.stem = nn.Conv1d(18 if products else 6, width, STEM, stride=STRIDE, bias=False)
        self.norm = nn.BatchNorm1d(width)
        dilations = AFTER_GRAVITY if products else DILATIONS
        self.blocks = nn.Sequential(*(Block(width, d, dropout) for d in dilations))
        self.dropout = nn.Dropout(2 * dropout)
        self.head = nn.Conv1d(width, labels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = with_products(x) if self.products else x
        return self.head(self.dropout(self.blocks(torch.relu(self.norm(self.stem(x))))))


def with_products(x: torch.Tensor) -> torch.Tensor:
    """(n, 18, samples - GRAVITY + 1): what does not change with how a device is worn is a sum of these.

    Gravity is the mean acceleration of the last second; its product with turning tells turning about the vertical.
    """
    gravity = F.avg_pool1d(x[:, :3], GRAVITY, 1)
    x = x[:, :, GRAVITY - 1 :]
    acceleration, turning = x[:, :3], x[:, 3:]
    powers = [acceleration * acceleration, turning * turning]
    return torch.cat([x, acceleration * gravity, turning * gravity, *powers], 1)


class Teacher(nn.Module):
    """Networks that answer together."""

    def __init__(self, *networks: Network) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        told = [network(x) for network in self.networks]
        together = told[0]
        for more in told[1:]:
            together = together + more
        return together * (1.0 / len(told))


class OfWindow(nn.Module):
    """(n, 6, WINDOW) → (n, labels): what a network decides at the end of a window."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x).flatten(1)
