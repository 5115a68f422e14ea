"""Activations that an op applies to its own output: in integers they are only the bounds of its clamp."""

from __future__ import annotations

from typing import Literal

from pintsize.deferred import torch

Activation = Literal["none", "relu", "relu6"]


def activate(y: torch.Tensor, activation: Activation) -> torch.Tensor:
    """The activation on real numbers."""
    if activation == "relu":
        return torch.relu(y)
    if activation == "relu6":
        return y.clamp(0.0, 6.0)
    return y
