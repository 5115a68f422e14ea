"""Functions of one number in fixed point, as TFLite Micro computes them: 256 output codes, one per input code.

Each follows the reference kernels of the 8-bit specification step by step, roundings included, so that a model read
from .tflite keeps its integers. Q5.26 stands for 5 integer and 26 fractional bits in a signed 32-bit number.
"""

from __future__ import annotations

import numpy as np
import torch

from pintsize.arithmetic import (
    INT32_MAX,
    Grid,
    Quantized,
    divide_by_power,
    exp_on_negatives,
    factors,
    half_reciprocal,
    high_multiply,
    multiply,
    quantize_multiplier,
    reciprocal_of_one_plus,
)

INTEGER_BITS = 4
INT16_MAX = 2**15 - 1
INT16_MIN = -(2**15)


def logistic_table(x: Quantized) -> torch.Tensor:
    """Codes (256,) of 1 / (1 + exp(-x)) on the grid 1/256, -128."""

    def function(q: torch.Tensor) -> torch.Tensor:
        positive = reciprocal_of_one_plus(exp_on_negatives(-q.abs(), INTEGER_BITS))
        result = torch.where(q > 0, positive, INT32_MAX - positive)
        return torch.where(q == 0, torch.full_like(q, 1 << 30), result)

    inside, within, above = _saturating_argument(x)
    codes = divide_by_power(function(inside), 31 - 8) - 128
    return _saturated(codes, within, above)


def tanh_table(x: Quantized) -> torch.Tensor:
    """Codes (256,) of tanh(x) on the grid 1/128, 0."""

    def function(q: torch.Tensor) -> torch.Tensor:
        size = _one_minus_over_one_plus(exp_on_negatives(-q.abs(), INTEGER_BITS + 1))
        return torch.where(q == 0, 0, torch.where(q < 0, -size, size))

    inside, within, above = _saturating_argument(x)
    return _saturated(divide_by_power(function(inside), 31 - 7), within, above)


def relu_table(x: Quantized, out: Grid, largest: float = float("inf")) -> torch.Tensor:
    """Codes (256,) of min(max(x, 0), largest): brought to the output's grid, then bounded."""
    bounds = out.bounded("relu" if largest == float("inf") else "relu6")
    return _rescaled(_differences(x), x.scale.double(), out).clamp(bounds.low, bounds.high).float()


def leaky_relu_table(x: Quantized, out: Grid, slope: float) -> torch.Tensor:
    """Codes (256,) of x where positive, slope · x elsewhere; the factors are float32, as the kernel has them."""
    scale, out_scale = np.float32(x.scale.item()), np.float32(out.scale.item())
    difference = _differences(x)
    identity = _times(difference, float(scale / out_scale))
    leak = _times(difference, float(scale * np.float32(slope) / out_scale))
    codes = torch.where(difference >= 0, identity, leak) + out.zero_point
    return codes.clamp(out.low, out.high).float()


def hard_swish_table(x: Quantized, out: Grid) -> torch.Tensor | None:
    """Codes (256,) of x · relu6(x + 3) / 6 in 16 bits; None where the output's grid is too fine for the kernel."""
    scale, out_scale = np.float32(x.scale.item()), np.float32(out.scale.item())
    fine = scale * np.float32(1 / 128)
    output, output_exponent = _multiplier16(float(fine / out_scale))
    reluish, reluish_exponent = _multiplier16(float(fine / np.float32(3 / 32768)))
    if output_exponent > 0:
        return None
    high = _differences(x) << 7
    gate = high
    if reluish_exponent > 0:
        gate = _saturate16(gate << (reluish_exponent - 1))
    gate = _high_multiply16(gate, reluish)
    if reluish_exponent > 0:
        gate = _saturate16(gate << 1)
    if reluish_exponent < 0:
        gate = divide_by_power(gate, -reluish_exponent)
    gate = (gate + (1 << 15)) >> 1
    product = _truncating_high_multiply16(gate, _high_multiply16(high, output))
    return (divide_by_power(product, -output_exponent) + out.zero_point).clamp(-128, 127).float()


def _one_minus_over_one_plus(a: torch.Tensor) -> torch.Tensor:
    """(1 - a) / (1 + a) for a in [0, 1), both with 31 fractional bits."""
    return ((half_reciprocal(a) - (1 << 29)) << 2).clamp(max=INT32_MAX)


def _differences(x: Quantized) -> torch.Tensor:
    return torch.arange(-128, 128, dtype=torch.int64) - x.zero_point


def _saturating_argument(x: Quantized) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """All inputs in Q4.27, where they are within range, and where they are above it."""
    multiplier, exponent = factors(x.scale.double() * 2.0 ** (31 - INTEGER_BITS), torch.ones(()))
    largest = ((1 << INTEGER_BITS) - 1) * 2.0 ** (31 - INTEGER_BITS)
    radius = int(np.floor(largest / 2.0 ** int(exponent[0])))
    difference = _differences(x)
    within = difference.abs() < radius
    inside = torch.where(within, difference, 0)
    shifted = inside << exponent.clamp(min=0)
    scaled = divide_by_power(high_multiply(shifted, multiplier), (-exponent).clamp(min=0))
    return scaled, within, difference >= radius


def _saturated(codes: torch.Tensor, within: torch.Tensor, above: torch.Tensor) -> torch.Tensor:
    ends = torch.where(above, 127, -128)
    return torch.where(within, codes.clamp(-128, 127), ends).float()


def _rescaled(difference: torch.Tensor, scale: torch.Tensor, out: Grid) -> torch.Tensor:
    return multiply(difference, *factors(scale, out.scale)) + out.zero_point


def _times(difference: torch.Tensor, real: float) -> torch.Tensor:
    if real == 0:
        return torch.zeros_like(difference)
    multiplier, exponent = quantize_multiplier(np.array([abs(real)]))
    signed = torch.from_numpy(multiplier) * (1 if real > 0 else -1)
    return multiply(difference, signed, torch.from_numpy(exponent))


def _multiplier16(real: float) -> tuple[int, int]:
    """As `quantize_multiplier`, with 15 bits."""
    multiplier, exponent = quantize_multiplier(np.array([real]))
    return min((int(multiplier[0]) + (1 << 15)) >> 16, INT16_MAX), int(exponent[0])


def _saturate16(x: torch.Tensor) -> torch.Tensor:
    return x.clamp(INT16_MIN, INT16_MAX)


def _high_multiply16(a: torch.Tensor, b: int) -> torch.Tensor:
    """a * b / 2^15, halves up."""
    return _saturate16((a * b + (1 << 14)) >> 15)


def _truncating_high_multiply16(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a * b / 2^15, towards zero."""
    return torch.div(a * b, 1 << 15, rounding_mode="trunc")
