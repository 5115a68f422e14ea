"""Networks for phrases: convolutions over time and coefficients, or over time alone, and a pool over the window.

Source: Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers", 2017; Bai et al., "An empirical evaluation of
generic convolutional and recurrent networks for sequence modeling", 2018.
"""

from __future__ import annotations

import torch
from torch import nn


class Cosines(nn.Module):
    """(…, bands) of log-mel → (…, coefficients) of mean 0 and deviation 1 over what training hears; fixed."""

    def __init__(self, bands: int, coefficients: int) -> None:
        super().__init__()
        k, n = torch.arange(coefficients)[:, None], torch.arange(bands)[None]
        self.map = nn.Linear(bands, coefficients).requires_grad_(False)
        self.map.weight.copy_(torch.cos(torch.pi / bands * k * (n + 0.5)))
        self.map.bias.zero_()

    @torch.no_grad()
    def fit(self, x: torch.Tensor) -> None:
        """x: (n, …, bands)."""
        made = self.map(x.float()).reshape(-1, self.map.out_features)
        deviation, mean = torch.std_mean(made, 0)
        self.map.weight /= deviation[:, None]
        self.map.bias.copy_((self.map.bias - mean) / deviation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.map(x)


class Separable(nn.Module):
    """3x3 on each channel, then across channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.pointwise = nn.Conv2d(width, width, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm1(self.depthwise(x)))
        return torch.relu(self.norm2(self.pointwise(x)))


class WordNetwork(nn.Module):
    """DS-CNN: (n, frames, bands) → (n, labels) logits of the one phrase in the window."""

    def __init__(
        self, bands: int, labels: int, width: int = 56, blocks: int = 4, coefficients: int = 10
    ) -> None:
        super().__init__()
        self.cosines = Cosines(bands, coefficients)
        self.stem = nn.Conv2d(1, width, (9, 4), stride=2, padding=(4, 1), bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.blocks = nn.Sequential(*(Separable(width) for _ in range(blocks)))
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(width, labels)

    def answer(self, x: torch.Tensor) -> torch.Tensor:
        """x: (n, frames, coefficients)."""
        x = self.blocks(torch.relu(self.norm(self.stem(x[:, None]))))
        return self.head(self.dropout(x.mean((2, 3))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer(self.cosines(x))


class Block(nn.Module):
    """Depthwise over time and then pointwise, added to what came in."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(
            width, width, kernel, padding=kernel // 2 * dilation, dilation=dilation, groups=width, bias=False
        )
        self.norm1 = nn.BatchNorm1d(width)
        self.pointwise = nn.Conv1d(width, width, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.norm2(self.pointwise(torch.relu(self.norm1(self.depthwise(x))))))


class SpottingNetwork(nn.Module):
    """(n, frames, bands) → (n, labels): how much each label is heard where it is heard best."""

    def __init__(
        self, bands: int, labels: int, width: int = 80, dilations: tuple[int, ...] = (1, 1, 2, 2, 4),
        coefficients: int = 20,
    ) -> None:  # fmt: skip
        super().__init__()
        self.cosines = Cosines(bands, coefficients)
        self.stem = nn.Conv1d(coefficients, width, 5, stride=2, padding=2, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.blocks = nn.Sequential(*(Block(width, 7, d) for d in dilations))
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Conv1d(width, labels, 1)

    def answer(self, x: torch.Tensor) -> torch.Tensor:
        """x: (n, frames, coefficients)."""
        x = self.blocks(torch.relu(self.norm(self.stem(x.transpose(1, 2)))))
        return self.head(self.dropout(x)).amax(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer(self.cosines(x))


Network = WordNetwork | SpottingNetwork
