"""ResNet-8: the CIFAR-10 model of MLPerf Tiny.

Source: He et al., "Deep Residual Learning for Image Recognition", 2015; the widths are those of the
MLPerf Tiny reference model.
"""

from __future__ import annotations

import torch
from torch import nn


class Residual(nn.Module):
    """Two 3x3 convolutions around which the input is added, through 1x1 where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return self.relu(y + self.shortcut(x))


class ResNet8(nn.Module):
    """Class logits of a 32x32 colour image, (batch, 3, 32, 32)."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.stage1 = Residual(16, 16)
        self.stage2 = Residual(16, 32, stride=2)
        self.stage3 = Residual(32, 64, stride=2)
        self.pool = nn.AvgPool2d(8)
        self.classify = nn.Linear(64, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))  # (B, 64, 8, 8)
        return self.classify(torch.flatten(self.pool(x), 1))


def make(classes: int = 10) -> ResNet8:
    """The MLPerf Tiny shape: 77.7 k weights once batch-norm is folded, 12.5 M multiply-accumulates."""
    return ResNet8(classes)
