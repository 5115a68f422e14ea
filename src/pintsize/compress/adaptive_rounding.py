"""Adaptive rounding: each weight goes up or down as the layer's outputs want it, not as the nearest code says.

Rounding to the nearest minimises the error of each weight; what counts is the error of their sums over real inputs
(Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020). With the inputs' second moments
that error is a quadratic form of the codes, which cyclic coordinate descent brings down code by code and never up
(Behdin et al., "QuantEase", 2023); each channel's scale is fitted to its codes in between. Compared with rounding
learnt by gradients, as in the first paper, it came closer and took a third of the time or less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from pintsize.arithmetic import WEIGHT_MAX, brief_scales
from pintsize.compress.patches import as_matrix, from_matrix, patches
from pintsize.compress.quantize import bias_type
from pintsize.compress.weight_scales import LEAST_WEIGHT_SCALE
from pintsize.graph import BITS, Graph, Node, Tensor

#: patches that a layer's moments are measured on
PATCHES = 8192
#: pulls the codes towards the float weights, as a share of the inputs' mean square: few samples say little
PULL = 0.01
ROUNDS = 3
SWEEPS = 4
#: a fitted scale stays within this factor of the first one
SCALE_REACH = 2.0


@dataclass(frozen=True)
class Fit:
    """The error of a layer's products as a quadratic form of its weights, a matrix per group (see patches.py).

    moments (G, K, K): of the integer inputs; crossed (G, O/G, K): of the wanted products with them.
    """

    moments: torch.Tensor
    crossed: torch.Tensor

    @classmethod
    def of(cls, x: torch.Tensor, x_integer: torch.Tensor, weight: torch.Tensor) -> Fit:
        """x, x_integer: the same patches (G, R, K) in the float network and as the integers have them.

        Means are taken off: what is constant is the bias's part.
        """
        real, seen = (v - v.mean(1, keepdim=True) for v in (x, x_integer))
        moments = (seen.transpose(1, 2) @ seen / x.shape[1]).double()
        mixed = (real.transpose(1, 2) @ seen / x.shape[1]).double()
        mean_square = moments.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-12)
        pull = torch.diag_embed((PULL * mean_square)[:, None].expand(-1, moments.shape[1]))
        return cls(moments + pull, weight.double() @ (mixed + pull))

    def error(self, weight: torch.Tensor) -> torch.Tensor:
        """Of weights (G, O/G, K), up to a constant: per output (G, O/G)."""
        return ((weight.double() @ self.moments - 2 * self.crossed) * weight).sum(2)


def round_adaptively(annotated: Graph, node: Node, x: torch.Tensor, x_integer: torch.Tensor) -> list[Tensor]:
    """The layer's annotated weight as its codes stand for it, with the scales that go with them, and its bias's type.

    x, x_integer: the layer's inputs (n, …, C) in the float network and as the integers have them, in real numbers.
    """
    weight, bias = (annotated.tensors[c] for c in node.inputs[1:3])
    assert weight.data is not None and bias.data is not None
    matrix = as_matrix(node.op, weight.data)
    scale = torch.tensor(weight.type.scale).reshape(*matrix.shape[:2], 1)
    real, seen = patches(node.op, weight.type.shape, [x, x_integer], PATCHES)
    fit = Fit.of(real, seen, matrix)
    input_scale = annotated.type(node.inputs[0]).scale[0]
    least = torch.from_numpy(np.abs(bias.data) / (np.float64(input_scale) * 2.0**29)).reshape(scale.shape)
    most = WEIGHT_MAX[BITS[weight.type.dtype]]
    codes, scale = adaptive_codes(fit, matrix, scale, most, least.clamp(min=LEAST_WEIGHT_SCALE))
    scales = scale.reshape(-1).numpy()
    data = from_matrix(node.op, codes * scale, weight.type.shape)
    kind = replace(weight.type, scale=tuple(scales.tolist()))
    return [
        replace(weight, data=data, type=kind),
        replace(bias, type=bias_type(bias.type.shape, scales, input_scale)),
    ]


def adaptive_codes(
    fit: Fit, weight: torch.Tensor, scale: torch.Tensor, most: int, least_scale: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """(codes, scales), float32, of a weight (G, O/G, K) with a scale per output (G, O/G, 1); codes in -most … most."""
    low, high = torch.maximum(scale / SCALE_REACH, least_scale), scale * SCALE_REACH
    codes = (weight / scale).round().clamp(-most, most).double()
    for left in reversed(range(ROUNDS)):
        for _ in range(SWEEPS):
            before, codes = codes, _sweep(fit, codes, scale.double(), most)
            if torch.equal(before, codes):
                break
        if left:
            fitted = _fitted_scale(fit, codes, scale).clamp(low, high).float()
            scale = torch.maximum(brief_scales(fitted), least_scale)
    return codes.float(), scale


def _sweep(fit: Fit, codes: torch.Tensor, scale: torch.Tensor, most: int) -> torch.Tensor:
    """Every code in turn at its best for the others as they are."""
    codes, steps = codes.clone(), scale[:, :, 0]
    slope = (codes * scale) @ fit.moments - fit.crossed
    for k in range(codes.shape[2]):
        best = codes[:, :, k] - slope[:, :, k] / (fit.moments[:, k, k, None] * steps)
        best = best.round().clamp(-most, most)
        slope += ((best - codes[:, :, k]) * steps)[:, :, None] * fit.moments[:, k, None]
        codes[:, :, k] = best
    return codes


def _fitted_scale(fit: Fit, codes: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """The scale with the least error for these codes; as it was where that is none."""
    size = ((codes @ fit.moments) * codes).sum(2, keepdim=True)
    along = (fit.crossed * codes).sum(2, keepdim=True)
    return torch.where((size > 0) & (along > 0), along / size.clamp(min=1e-30), scale.double())
