"""Functions of one number in fixed point, as TFLite Micro computes them: 256 output codes, one per input code.

Each follows the reference kernels of the 8-bit specification step by step, roundings included, so that a model read
from .tflite keeps its integers. Q5.26 stands for 5 integer and 26 fractional bits in a signed 32-bit number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pintsize.arithmetic import (
    INT32_MAX,
    SOFTMAX_SUM_BITS,
    Grid,
    Quantized,
    SoftmaxFactors,
    divide_by_power,
    exp_on_negatives,
    factors,
    half_reciprocal,
    high_multiply,
    multiply,
    quantize_multiplier,
    reciprocal_of_one_plus,
    softmax_factors,
)
from pintsize.deferred import torch

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
    """Codes (256,) of x where positive, slope · x elsewhere, each side with a factor of its own."""
    scale, out_scale = x.scale.item(), out.scale.item()
    difference = _differences(x)
    identity = _times(difference, scale / out_scale)
    leak = _times(difference, scale * float(np.float32(slope)) / out_scale)
    codes = torch.where(difference >= 0, identity, leak) + out.zero_point
    return codes.clamp(out.low, out.high).float()


def hard_swish_table(x: Quantized, out: Grid) -> torch.Tensor | None:
    """Codes (256,) of x · relu6(x + 3) / 6 in 16 bits; None where the output's grid is too fine for the kernel."""
    fine = x.scale.item() / 128
    output, output_exponent = _multiplier16(fine / out.scale.item())
    reluish, reluish_exponent = _multiplier16(fine / (3 / 32768))
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


LOG_SOFTMAX_SCALE = 16.0 / 256.0
LOG_SOFTMAX_ZERO_POINT = 127
#: bits in front of the point of a logarithm
LOG_BITS = 5
LOG_2, ROOT_OF_HALF, FOURTH_ROOT_OF_HALF = 1488522236, 1518500250, 1805811301
LOG_N, LOG_D, LOG_I, LOG_F = 117049297, 127690142, 1057819769, 638450708
QUARTER = 1 << (31 - LOG_BITS - 1 - 2)


@dataclass(frozen=True)
class LogSoftmaxFactors:
    """Those of softmax, and the way back from 26 fractional bits to codes."""

    forward: SoftmaxFactors
    multiplier: int
    exponent: int


def log_softmax_factors(scale: float) -> LogSoftmaxFactors:
    """The constants of log-softmax for an input scale."""
    forward = softmax_factors(scale)
    back = 2.0 ** (31 - forward.exponent) / forward.multiplier
    multiplier, exponent = quantize_multiplier(np.array([back]))
    return LogSoftmaxFactors(forward, int(multiplier[0]), min(int(exponent[0]), 0))


def log_softmax(q: torch.Tensor, scale: float) -> torch.Tensor:
    """int8 codes → int8 codes of the logarithms (scale 1/16, zero point 127) over the last axis."""
    constants = log_softmax_factors(scale)
    forward = constants.forward
    difference = q.detach().long() - q.detach().long().amax(-1, keepdim=True)
    counts = difference >= forward.least_difference
    scaled = high_multiply(
        difference.clamp(min=forward.least_difference - 1) << forward.exponent, forward.multiplier
    )
    exponentials = torch.where(counts, exp_on_negatives(torch.where(counts, scaled, 0)), 0)
    logarithm = log_from_one(divide_by_power(exponentials, SOFTMAX_SUM_BITS).sum(-1, keepdim=True))
    lowest = divide_by_power(high_multiply(logarithm - (1 << 31), constants.multiplier), -constants.exponent)
    codes = divide_by_power(scaled - logarithm, 31 - LOG_BITS - 4) + LOG_SOFTMAX_ZERO_POINT
    seen = difference > lowest.clamp(min=forward.least_difference - 1)
    return torch.where(seen, codes.clamp(-128, 127), -128).float()


def log_from_one(x: torch.Tensor) -> torch.Tensor:
    """Logarithm of x >= 1 with 19 fractional bits → 26 fractional bits.

    x is r · 2^n with r around the fourth root of 1/2; n · log 2 and a fraction of polynomials for log r add up.
    """
    integer_bits, unit = SOFTMAX_SUM_BITS, 31 - LOG_BITS - 1
    free = 31 - torch.floor(torch.log2(x.double())).long()
    higher = (high_multiply(x << (free - 1), ROOT_OF_HALF) << 1).clamp(max=INT32_MAX)
    free_below = 30 - torch.floor(torch.log2(high_multiply(x, ROOT_OF_HALF).double())).long()
    r = torch.minimum(higher, (x << free_below).clamp(max=INT32_MAX))
    power = torch.maximum(
        ((integer_bits - free) << unit) + QUARTER, ((integer_bits - free_below) << unit) - QUARTER
    )
    middle = (r + FOURTH_ROOT_OF_HALF + 1) >> 1
    q = (r - FOURTH_ROOT_OF_HALF) << 1
    squared = high_multiply(q, q)
    above = high_multiply(q, r) + high_multiply(high_multiply(q, squared), LOG_N)
    below = high_multiply(middle, LOG_I + q + high_multiply(squared, LOG_D)) + high_multiply(q, LOG_F)
    fraction = high_multiply(divide_by_power(above, LOG_BITS + 1), reciprocal_of_one_plus(below))
    return (high_multiply(power, LOG_2) + fraction) << 1


#: fractional bits between the two steps of a reciprocal root, and a factor that saturates whatever the input
ROOT_BITS = 20
LARGEST_ROOT_FACTOR = 2.0**21
NEWTON_STEPS = 5


def rsqrt_table(x: Quantized, out: Grid) -> torch.Tensor:
    """Codes (256,) of 1 / the square root of x; the largest where x is 0 or, where the kernel refuses, negative."""
    difference = _differences(x)
    mantissa, exponent = _inverse_root(difference.clamp(min=1))
    root = multiply(torch.ones_like(difference), mantissa, exponent + ROOT_BITS)
    real = 1 / (x.scale.double().sqrt() * out.scale.double())
    multiplier, to_output = factors(real.clamp(max=LARGEST_ROOT_FACTOR), torch.ones(()))
    codes = multiply(root, multiplier, to_output - ROOT_BITS) + out.zero_point
    return torch.where(difference > 0, codes.clamp(out.low, out.high), out.high).float()


def _inverse_root(value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(multiplier, exponent) of 1 / the square root of whole numbers 1 to 2^27, by Newton's method in Q3.28."""
    pairs = (30 - torch.floor(torch.log2(value.double())).long()) // 2 - 1
    halved = divide_by_power((value << 2 * pairs) >> 1, 1)
    x = torch.full_like(value, 1 << 28)
    for _ in range(NEWTON_STEPS):
        cubed = _saturated_shift(high_multiply(high_multiply(x, x), x), 6)
        x = _saturated_shift(high_multiply(x, 3 << 27) - high_multiply(halved, cubed), 3)
    shift = 11 - pairs
    multiplier = high_multiply(x, ROOT_OF_HALF) << (-shift).clamp(min=0)
    is_one = value == 1
    return torch.where(is_one, INT32_MAX, multiplier), torch.where(is_one, 0, -shift.clamp(min=0))


def _saturated_shift(x: torch.Tensor, bits: int) -> torch.Tensor:
    return (x << bits).clamp(-INT32_MAX - 1, INT32_MAX)


def _one_minus_over_one_plus(a: torch.Tensor) -> torch.Tensor:
    """(1 - a) / (1 + a) for a in [0, 1), both with 31 fractional bits."""
    return ((half_reciprocal(a) - (1 << 29)) << 2).clamp(max=INT32_MAX)


def _differences(x: Quantized) -> torch.Tensor:
    return torch.arange(-128, 128, dtype=torch.int64) - x.zero_point


def _saturating_argument(x: Quantized) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """All inputs in Q4.27, where they are within range, and where they are above it."""
    # beyond 16 a step leads out of the range at once, whatever the factor
    real = (x.scale.double() * 2.0 ** (31 - INTEGER_BITS)).clamp(max=float(INT32_MAX))
    multiplier, exponent = factors(real, torch.ones(()))
    largest = ((1 << INTEGER_BITS) - 1) * 2.0 ** (31 - INTEGER_BITS)
    radius = int(np.floor(largest / 2.0 ** int(exponent[0])))
    difference = _differences(x)
    within = difference.abs() < radius
    inside = torch.where(within, difference, 0)
    shifted = inside << exponent.clamp(min=0)
    scaled = divide_by_power(high_multiply(shifted, multiplier), (-exponent).clamp(min=0))
    return scaled, within, difference >= max(radius, 1)


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
