"""The network: depthwise-separable convolutions over time, none padded, so that a stream gives what a window gives.

Source: Bai et al., "An empirical evaluation of generic convolutional and recurrent networks for sequence modeling",
2018; Howard et al., "MobileNets", 2017.
"""

from __future__ import annotations

import torch
from torch import nn

from pintsize.apps.assistant.wake.shape import MELS, Shape


class Block(nn.Module):
    """Depthwise over time, then pointwise, beside a path that is cut to the same columns: (n, width, T) → (…, T')."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.cut = (kernel - 1) * dilation
        self.depthwise = nn.Conv1d(width, width, kernel, dilation=dilation, groups=width, bias=False)
        self.norm1 = nn.BatchNorm1d(width)
        self.pointwise = nn.Conv1d(width, width, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm2(self.pointwise(torch.relu(self.norm1(self.depthwise(x)))))
        return torch.relu(y + x[:, :, self.cut // 2 : x.shape[2] - self.cut // 2])


class Network(nn.Module):
    """(n, mels, T) features → (n, labels, answers) logits."""

    def __init__(self, shape: Shape, labels: int) -> None:
        super().__init__()
        self.shape = shape
        self.norm_in = nn.BatchNorm1d(MELS)
        self.stem = nn.Conv1d(MELS, shape.width, shape.stem, stride=shape.stride)
        self.norm = nn.BatchNorm1d(shape.width)
        self.blocks = nn.Sequential(*(Block(shape.width, shape.kernel, d) for d in shape.dilations))
        self.head = nn.Conv1d(shape.width, labels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(torch.relu(self.norm(self.stem(self.norm_in(x))))))


@torch.no_grad()
def absorb_input_norm(network: Network) -> None:
    """Moves the norm of the input into the first layer's weights, which no pass does; the answers stay the same."""
    norm, stem = network.norm_in, network.stem
    assert norm.running_mean is not None and norm.running_var is not None and stem.bias is not None
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    stem.bias += (stem.weight * (norm.bias - norm.running_mean * factor)[None, :, None]).sum((1, 2))
    stem.weight *= factor[None, :, None]
    network.norm_in = nn.Identity()  # type: ignore[assignment]
