"""Recordings as another person, strap, pocket or watch might have given them."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Variation:
    """How varied copies are.

    turn: deviation of the entries of a rotation's generator; mirror: share of copies that are worn on the other side
    vigour: deviation of the logarithm of the gain; noise: in the network's units; warp: largest change of the pace
    """

    turn: float = 0.2
    mirror: float = 0.5
    vigour: float = 0.1
    noise: float = 0.04
    warp: float = 0.12


def varied(x: torch.Tensor, how: Variation, generator: torch.Generator) -> torch.Tensor:
    """x: (n, 6, samples) of acceleration and turning. The same shape, each turned, mirrored, louder or softer."""
    turn = torch.randn(len(x), 3, 3, generator=generator) * how.turn
    rotation = torch.linalg.matrix_exp(turn - turn.transpose(1, 2))
    mirrored = torch.rand(len(x), generator=generator) < how.mirror
    along = torch.ones(len(x), 3, 1)
    along[mirrored, 0] = -1.0
    around = torch.where(mirrored[:, None, None], -along, along)  # turning is a pseudovector
    gain = torch.exp(how.vigour * torch.randn(len(x), 2, 1, generator=generator))
    acceleration = gain[:, :1] * along * torch.bmm(rotation, x[:, :3])
    turning = gain[:, 1:] * around * torch.bmm(rotation, x[:, 3:])
    noise = how.noise * torch.randn(x.shape, generator=generator)
    return torch.cat([acceleration, turning], 1) + noise


def places(samples: int, how: Variation, generator: torch.Generator) -> torch.Tensor:
    """(samples,) indices into a recording that is walked through faster or slower."""
    pace = 1.0 + how.warp * (2 * torch.rand(1, generator=generator) - 1)
    return (torch.arange(samples) * pace).round().long()
