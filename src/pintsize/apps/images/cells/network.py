"""A small detector: how much a place looks like the centre of a cell, for each class, every four pixels.

Features at strides 4, 8 and 16, brought together again on the way back.
Source: Zhou et al., "Objects as Points", 2019; Lin et al., "Feature Pyramid Networks for Object Detection", 2017.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from pintsize.apps.images.cells.peaks import CLASSES

#: logit of a place that is most likely no centre
NOTHING = -3.0


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    made = nn.Conv2d(inputs, outputs, size, stride, (size - 1) // 2, groups=groups, bias=False)
    return nn.Sequential(made, nn.BatchNorm2d(outputs), nn.ReLU())


def _separable(width: int) -> nn.Sequential:
    return nn.Sequential(_convolution(width, width, 3, groups=width), _convolution(width, width, 1))


class CellNetwork(nn.Module):
    """(n, 3, height, width) raw pixels 0..255, sides divisible by 16 → (n, classes, height / 4, width / 4) logits."""

    def __init__(self, width: int = 24, deep: int = 40) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 6, 4, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.at4 = _separable(width)
        self.at8 = nn.Sequential(_convolution(width, deep, 3, 2), _convolution(deep, deep, 3))
        self.at16 = nn.Sequential(_convolution(deep, deep, 3, 2), _convolution(deep, deep, 3))
        self.join8 = _convolution(deep, deep, 3)
        self.narrow = _convolution(deep, width, 1)
        self.join4 = _separable(width)
        self.head = nn.Conv2d(width, len(CLASSES), 1)
        self.head.bias = nn.Parameter(torch.full((len(CLASSES),), NOTHING))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        at4 = self.at4(self.stem((x - 128.0) / 64.0))
        at8 = self.at8(at4)
        joined = self.join8(at8 + F.interpolate(self.at16(at8), scale_factor=2.0, mode="nearest"))
        return self.head(
            self.join4(at4 + F.interpolate(self.narrow(joined), scale_factor=2.0, mode="nearest"))
        )
