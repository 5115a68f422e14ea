"""Weights of 4 bits where most of them are: a wider network in the same flash, which learns to do with what it has.

Source: Bengio et al., "Estimating or propagating gradients through stochastic neurons", 2013 (straight through).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import parametrize

from pintsize.apps.assistant.wake.network import Network

BITS = 4
#: layers with so many weights or more are narrow
LEAST_WEIGHTS = 1024
_LARGEST = 2 ** (BITS - 1) - 1
#: of the largest weight of a row: where its grid may end
_SHRINKS = torch.linspace(0.5, 1.0, 8)


def narrow_layers(network: Network) -> dict[str, nn.Conv1d]:
    """Name → layer, of those that are narrow."""
    layers = {name: m for name, m in network.named_modules() if isinstance(m, nn.Conv1d)}
    return {name: layer for name, layer in layers.items() if layer.weight.numel() >= LEAST_WEIGHTS}


def narrow(network: Network) -> None:
    """From now on these layers compute with weights on a grid, and learn as if there was none."""
    for layer in narrow_layers(network).values():
        norm = network.norm_in if layer is network.stem else None
        parametrize.register_parametrization(layer, "weight", _OnGrid(norm))


def fix(network: Network) -> None:
    """The weights are those on the grid."""
    for layer in narrow_layers(network).values():
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


class _OnGrid(nn.Module):
    """norm: of the layer's input, which becomes a factor of its weights in the end."""

    def __init__(self, norm: nn.BatchNorm1d | None) -> None:
        super().__init__()
        self._norms = (norm,)  # no module of this one's

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        real = weight.detach()
        factor = _factor(self._norms[0])
        return weight + on_grid(real * factor) / factor - real


@torch.no_grad()
def on_grid(weight: torch.Tensor) -> torch.Tensor:
    """(rows, …) with each row on the grid of 4 bits that it fits best."""
    rows = weight.reshape(len(weight), 1, -1)
    scales = (rows.abs().amax(2) / _LARGEST).clamp(min=1e-9)[..., None] * _SHRINKS[:, None]
    made = (rows / scales).round().clamp(-_LARGEST, _LARGEST) * scales
    best = (made - rows).square().sum(2).argmin(1)
    return made[torch.arange(len(weight)), best].reshape(weight.shape)


@torch.no_grad()
def _factor(norm: nn.BatchNorm1d | None) -> torch.Tensor:
    if norm is None or norm.running_var is None:
        return torch.ones(1)
    return (norm.weight / torch.sqrt(norm.running_var + norm.eps))[None, :, None]
