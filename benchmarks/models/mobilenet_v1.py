"""MobileNetV1 at a quarter of its width: the visual wake words model of MLPerf Tiny.

Source: Howard et al., "MobileNets", 2017.
"""

from __future__ import annotations

import torch
from torch import nn

#: output channels at full width, and stride, of each depthwise separable block
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)


def conv_norm_relu(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class MobileNetV1(nn.Module):
    """Class logits of an image, (batch, 3, side, side)."""

    def __init__(self, classes: int = 2, width: float = 0.25) -> None:
        super().__init__()
        channels = int(32 * width)
        layers = [conv_norm_relu(3, channels, 3, stride=2)]
        for full_width, stride in BLOCKS:
            outputs = int(full_width * width)
            layers.append(conv_norm_relu(channels, channels, 3, stride, groups=channels))
            layers.append(conv_norm_relu(channels, outputs, 1))
            channels = outputs
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classify = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.features(x))
        return self.classify(x.flatten(1))


def make(classes: int = 2) -> MobileNetV1:
    """The MLPerf Tiny shape, for 96x96 colour images: 7.5 M multiply-accumulates."""
    return MobileNetV1(classes)
