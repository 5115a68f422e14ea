"""The one arithmetic: the only place that rounds and saturates.

Numbers on a grid: ``real = scale * (q - zero_point)``. Weights are symmetric in [-127, 127] (8 bits), [-7, 7] (4)
or [-1, 1] (2), biases are int32 on the grid ``scale_in * scale_weight``, activations are int8.
An accumulator goes back to int8 by a 31-bit multiplier, a shift and *two* roundings (the product to 32 bits,
then the shift), as gemmlowp defined it and TFLite Micro and CMSIS-NN compute it.
Activations may also be int16 with zero point 0; then layers with weights accumulate in 64 bits and go back by a
15-bit multiplier and one rounding, as the same two have it.

Whole numbers travel as float32 tensors: exact below 2^24 in magnitude, and convolutions of them are fast.
Where an accumulator could grow beyond, it is float64 (exact below 2^53).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pintsize.deferred import torch

if TYPE_CHECKING:
    from pintsize.gradients import Rounding

#: whole numbers in int64
Whole = TypeVar("Whole", "torch.Tensor", np.ndarray)

FLOAT32_EXACT = 2**24
INT32_MAX = 2**31 - 1
BIAS_MAX = 2**29
SHIFTED_MAX = 2**30
WEIGHT_MAX = {16: 32767, 8: 127, 4: 7, 2: 1}
#: least and largest code of an activation of so many bits
CODES = {8: (-128, 127), 16: (-32768, 32767)}
#: a weight's scales have so many significant bits, and the least is at least this of the largest: what they are in
#: flash then takes one byte a channel, and costs a channel's codes 1.6 % of their range at most
SCALE_BITS = 6
SCALE_REACH = 2.0**-7
#: float32 error of acc * multiplier while |result| <= 512, with room to spare
FLOAT_ERROR = 2e-4
#: a multiple of 1/8 up to 512 times this rounds with its halves away from zero, whatever the rounding of halves
AWAY_FROM_ZERO = 1.0 + 2.0**-13


@dataclass(frozen=True)
class Quantized:
    """Integers `q` (whole numbers in a float tensor) and their grid.

    `scale` is a 0-d float32 tensor, or one number per output channel for weights; it may carry gradients.
    """

    q: torch.Tensor
    scale: torch.Tensor
    zero_point: int = 0
    bits: int = 8

    def real(self) -> torch.Tensor:
        return (self.q - self.zero_point) * self.scale


@dataclass(frozen=True)
class Bounds:
    """The least and largest code of a layer's output, and its zero point."""

    zero_point: int
    low: int
    high: int

    @classmethod
    def of(cls, scale: float, zero_point: int, bits: int = 8, activation: str = "none") -> Bounds:
        """Of all codes of so many bits, or those that a fused activation (none, relu, relu6) leaves."""
        low, high = CODES[bits]
        if activation != "none":
            low = max(low, zero_point)
        if activation == "relu6":
            steps = np.float32(6.0) / np.float32(scale)
            high = min(high, zero_point + int(half_away(np.float64(steps))))
        return cls(zero_point, low, high)


@dataclass(frozen=True)
class Grid:
    """Where results go: int8 (or int16) codes between `low` and `high`."""

    scale: torch.Tensor
    zero_point: int
    low: int = -128
    high: int = 127
    bits: int = 8

    @classmethod
    def of(cls, scale: torch.Tensor, zero_point: int, bits: int) -> Grid:
        """The grid of all codes of so many bits."""
        return cls(scale, zero_point, *CODES[bits], bits)

    def codes(self, q: torch.Tensor) -> Quantized:
        """Codes on this grid."""
        return Quantized(q, self.scale, self.zero_point, self.bits)

    def bounded(self, activation: str) -> Grid:
        """The grid with the bounds of a fused activation (none, relu, relu6)."""
        if activation == "none":
            return self
        bounds = Bounds.of(self.scale.item(), self.zero_point, self.bits, activation)
        return replace(self, low=max(self.low, bounds.low), high=min(self.high, bounds.high))


def straight_through(exact: torch.Tensor, smooth: torch.Tensor) -> torch.Tensor:
    """The value of `exact` (to the last bit), the gradient of `smooth`."""
    if not (torch.is_grad_enabled() and smooth.requires_grad):
        return exact
    from pintsize.gradients import StraightThrough

    return StraightThrough.apply(exact.detach(), smooth)


def brief_scales(scale: torch.Tensor) -> torch.Tensor:
    """Scales of weights as they may be, straight-through: see SCALE_BITS."""
    exact = scale.detach()
    mantissa, exponent = torch.frexp(torch.maximum(exact, exact.max() * SCALE_REACH))
    return straight_through(torch.ldexp((mantissa * 2**SCALE_BITS).round() / 2**SCALE_BITS, exponent), scale)


def half_away(x: np.ndarray | np.floating[Any] | float) -> np.ndarray:
    """Round to nearest, halves away from zero (C's round)."""
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


def quantize(x: np.ndarray, scale: float, zero_point: int, bits: int = 8) -> np.ndarray:
    """Real numbers → int8 (or int16) codes, in float32 as the generated header does it, halves away from zero."""
    steps = np.asarray(x, np.float32) / np.float32(scale)
    nearest = np.trunc(steps + np.copysign(np.float32(0.5), steps))
    return np.clip(nearest + zero_point, *CODES[bits]).astype(np.int8 if bits == 8 else np.int16)


def dequantize(q: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Codes → real numbers (float32)."""
    return (q.astype(np.float32) - zero_point) * np.float32(scale)


def quantize_activation(x: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Real tensor → codes on the grid, straight-through; the same rounding as `quantize`."""
    steps = x / grid.scale
    exact = torch.trunc(steps + torch.copysign(torch.full_like(steps, 0.5), steps)) + grid.zero_point
    smooth = (steps + grid.zero_point).clamp(grid.low, grid.high)
    return straight_through(exact.clamp(grid.low, grid.high), smooth)


def quantize_weight(w: torch.Tensor, scale: torch.Tensor, bits: int) -> torch.Tensor:
    """Real weights → symmetric codes; `scale` broadcasts against w. Gradients reach w and scale (LSQ)."""
    steps = (w / scale).clamp(-WEIGHT_MAX[bits], WEIGHT_MAX[bits])
    return straight_through(steps.round(), steps)


def quantize_bias(b: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Real bias → int32 codes (float64 tensor), saturated at ±2^29 so that no accumulator overflows."""
    steps = (b.double() / scale.double()).clamp(-BIAS_MAX, BIAS_MAX)
    return straight_through(steps.round(), steps)


def quantize_multiplier(real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positive factors → (31-bit multipliers, exponents): real ≈ multiplier * 2^(exponent - 31).

    Raises ValueError for a factor that no such pair stands for.
    """
    real = np.atleast_1d(np.asarray(real, np.float64))
    if not np.all(np.isfinite(real) & (real > 0)) or np.any(real >= 2.0**31):
        raise ValueError(
            f"a requantization factor must be positive and below 2^31, not {real.min()}..{real.max()}"
        )
    mantissa, exponent = np.frexp(real)
    multiplier = half_away(mantissa * 2.0**31).astype(np.int64)
    carried = multiplier == 2**31
    multiplier = np.where(carried, multiplier // 2, multiplier)
    exponent = np.where(carried, exponent + 1, exponent).astype(np.int64)
    vanishing = exponent < -31
    return np.where(vanishing, 0, multiplier), np.where(vanishing, 0, exponent)


def high_multiply(a: Whole, b: Whole | int) -> Whole:
    """int64: a * b / 2^31, halves up (saturating rounding doubling high multiply of int32s)."""
    return ((a * b + (1 << 30)) >> 31).clip(max=INT32_MAX)


def divide_by_power(x: Whole, exponent: Whole | int) -> Whole:
    """int64: x / 2^exponent, halves away from zero."""
    mask = (1 << exponent) - 1
    above_half = (x & mask) > (mask >> 1) + (x < 0)
    return (x >> exponent) + above_half


def multiply(x: Whole, multiplier: Whole, exponent: Whole) -> Whole:
    """int64 times multiplier * 2^(exponent - 31), rounded twice: the reference everything must equal.

    A factor of 1 and above saturates at ±2^30 before it is applied: far outside int8 all the same.
    """
    shifted = (x << exponent.clip(min=0)).clip(-SHIFTED_MAX, SHIFTED_MAX)
    return divide_by_power(high_multiply(shifted, multiplier), (-exponent).clip(min=0))


def factors(numerator: torch.Tensor, denominator: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(multiplier, exponent) int64 tensors for numerator / denominator (float64 tensors of scales)."""
    real = (numerator.detach().double() / denominator.detach().double()).reshape(-1).numpy()
    multiplier, exponent = quantize_multiplier(real)
    return torch.from_numpy(multiplier), torch.from_numpy(exponent)


def scale_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a * b in float64 (the product of two float32 scales is then exact)."""
    return a.double() * b.double()


def requantize(acc: torch.Tensor, scale: torch.Tensor, out: Grid) -> torch.Tensor:
    """Accumulators on the grid `scale` (0-d or per last axis, float64) → codes on `out`, exactly.

    Computed in floating point; only where the result lies so near a tie that two roundings might differ
    from one, or the float from the exact product, it is computed again in int64.
    """
    return _requantize(acc, scale, out, _round_twice if out.bits == 8 else _round_twice_widely)


def requantize_weighted(acc: torch.Tensor, scale: torch.Tensor, out: Grid) -> torch.Tensor:
    """`requantize` of what a layer with weights sums up: of int16 activations by `multiply_once`."""
    if out.bits == 8:
        return requantize(acc, scale, out)
    return _requantize(acc, scale, out, _round_once)


def _requantize(acc: torch.Tensor, scale: torch.Tensor, out: Grid, rounding: Rounding) -> torch.Tensor:
    from pintsize.gradients import Requantize

    factor = (scale / out.scale.double()).to(acc.dtype)
    multiplier, exponent = factors(scale, out.scale)
    return Requantize.apply(acc.contiguous(), factor, multiplier, exponent, out, rounding).float()


def _round_twice(
    acc: torch.Tensor, steps: torch.Tensor, multiplier: torch.Tensor, exponent: torch.Tensor
) -> torch.Tensor:
    """What `multiply` gives, unclamped and right wherever it matters: up to ±512.

    Where the second rounding takes four bits or more, two roundings differ from one only near a tie. Where it takes
    fewer, both are done in floating point: the first is to steps that many bits finer.
    """
    finer = torch.where((exponent < 0) & (exponent > -4), torch.exp2(-exponent.double()), 1.0)
    near_tie = torch.where((exponent < 0) & (finer == 1.0), torch.exp2(exponent.double() - 1), 0.0)
    margin = (0.5 - FLOAT_ERROR * finer - near_tie).to(acc.dtype)
    twice = bool((finer > 1.0).any())
    first = steps * finer.to(acc.dtype) if twice else steps
    nearest = first.round()
    # numpy finds the few far faster than torch
    doubtful = torch.from_numpy(np.flatnonzero(((first - nearest).abs_() > margin).numpy()))
    if twice:
        nearest.mul_((AWAY_FROM_ZERO / finer).to(acc.dtype)).round_()
    if doubtful.numel():
        channel = doubtful % multiplier.numel()
        again = multiply(acc.view(-1)[doubtful].long(), multiplier[channel], exponent[channel])
        nearest.view(-1)[doubtful] = again.clamp_(-512, 512).to(nearest.dtype)
    return nearest


def _round_twice_widely(
    acc: torch.Tensor, steps: torch.Tensor, multiplier: torch.Tensor, exponent: torch.Tensor
) -> torch.Tensor:
    """What `multiply` gives, whatever its size."""
    return multiply(acc.long(), multiplier, exponent).to(acc.dtype)


def _round_once(
    acc: torch.Tensor, steps: torch.Tensor, multiplier: torch.Tensor, exponent: torch.Tensor
) -> torch.Tensor:
    return multiply_once(acc.long(), multiplier, exponent).to(acc.dtype)


def reduced_multiplier(multiplier: np.ndarray) -> np.ndarray:
    """31-bit multipliers → 15-bit ones, halves up, saturated."""
    return np.minimum((multiplier + (1 << 15)) >> 16, 0x7FFF)


def multiply_once(x: torch.Tensor, multiplier: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    """int64 tensor below 2^47 times reduced_multiplier(multiplier) * 2^(exponent - 15), halves up."""
    reduced = torch.from_numpy(reduced_multiplier(multiplier.numpy()))
    shift = 15 - exponent
    return (x * reduced + (1 << (shift - 1))) >> shift


def requantize_by(acc: torch.Tensor, factor: tuple[torch.Tensor, torch.Tensor], out: Grid) -> torch.Tensor:
    """Whole numbers times a (multiplier, exponent) → codes on `out`, all in int64 and without gradients."""
    return (multiply(acc.detach().long(), *factor) + out.zero_point).clamp(out.low, out.high).float()


def one_factor(real: float) -> tuple[int, int]:
    """(multiplier, exponent) of one positive factor."""
    multiplier, exponent = quantize_multiplier(np.array([real]))
    return int(multiplier[0]), int(exponent[0])


def mean_factor(x: float, out: float, count: int) -> tuple[int, int]:
    """(multiplier, exponent) of x / (out · count), as the mean of TFLite Micro has it: the 31 bits are cut off."""
    multiplier, exponent = one_factor(x / out)
    shift = min(31 + exponent, count.bit_length() - 1, 32)
    return (multiplier << shift) // count, exponent - shift


def requantize_table(
    x: Quantized, out: Grid, first: Callable[[torch.Tensor], torch.Tensor] | None = None
) -> torch.Tensor:
    """The 256 codes on `out` of q - zero_point, or `first` of it, for the input codes -128..127."""
    codes = torch.arange(-128, 128, dtype=torch.int64) - x.zero_point
    return requantize_by(first(codes) if first else codes, factors(x.scale, out.scale), out)


def nearest_pixels(extent: int, size: int, align_corners: bool, half_pixel_centers: bool) -> list[int]:
    """Per pixel of an axis resized from `extent` to `size` the nearest input pixel, in TFLite's float32."""
    aligned = align_corners and size > 1
    scale = (
        np.float32(extent - 1) / np.float32(size - 1) if aligned else np.float32(extent) / np.float32(size)
    )
    position = (np.arange(size, dtype=np.float32) + np.float32(0.5 if half_pixel_centers else 0.0)) * scale
    nearest = half_away(position) if align_corners else np.floor(position)
    return np.clip(nearest, 0, extent - 1).astype(int).tolist()


BILINEAR_BITS = 10


@dataclass(frozen=True)
class Between:
    """Per pixel of a resized axis: input pixels, and the weight of the upper one with 10 fractional bits."""

    lower: np.ndarray
    upper: np.ndarray
    weight: np.ndarray


def between_pixels(extent: int, size: int, align_corners: bool, half_pixel_centers: bool) -> Between:
    """Where the pixels of an axis resized from `extent` to `size` lie, in TFLite's fixed point."""
    one = 1 << BILINEAR_BITS
    scale = (one * extent + size // 2) // size
    if align_corners and size > 1:
        scale = (one * (extent - 1) + (size - 1) // 2) // (size - 1)
    position = np.arange(size, dtype=np.int64) * scale
    if half_pixel_centers:
        position = position + scale // 2 - one // 2
    lower = np.maximum(np.trunc(position / one), 0).astype(np.int64)
    upper = np.minimum(np.trunc((position + one - 1) / one), extent - 1).astype(np.int64)
    return Between(lower, upper, position - one * lower)


def exact_dtype(
    weight: torch.Tensor, zero_point: int, bias: torch.Tensor | None, bits: int = 8
) -> torch.dtype:
    """float32 where no accumulator of such inputs with these weight codes (output axis first) can reach 2^24."""
    reach = max(CODES[bits][1] - zero_point, zero_point - CODES[bits][0])
    bound = weight.detach().abs().flatten(1).sum(1).double() * reach
    if bias is not None:
        bound = bound + bias.detach().abs()
    return torch.float32 if float(bound.max()) < FLOAT32_EXACT else torch.float64


def lookup_table(function: Callable[[torch.Tensor], torch.Tensor], x: Quantized, out: Grid) -> torch.Tensor:
    """The 256 output codes of an elementwise function, for input codes -128..127, correctly rounded."""
    codes = torch.arange(-128, 128, dtype=torch.float64)
    y = function((codes - x.zero_point) * x.scale.detach().double()) / out.scale.detach().double()
    nearest = torch.from_numpy(half_away(y.numpy()))
    return (nearest + out.zero_point).clamp(out.low, out.high).float()


def look_up(table: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """table[q + 128], elementwise."""
    return table[(q.detach() + 128).long()]


def rescaled_codes(
    zero_point: int, multiplier: torch.Tensor, exponent: torch.Tensor, left_shift: int
) -> torch.Tensor:
    """((q - zero_point) << left_shift) * factor for all q in -128..127 (float64): an addend of `add`."""
    codes = torch.arange(-128, 128, dtype=torch.int64) - zero_point
    return multiply(codes << left_shift, multiplier, exponent).double()


ADD_LEFT_SHIFT = 20
ADD_LEFT_SHIFT_INT16 = 15


def left_shift(bits: int) -> int:
    """Bits below the larger addend's step, by the width of the activations."""
    return ADD_LEFT_SHIFT if bits == 8 else ADD_LEFT_SHIFT_INT16


def rescaled(x: Quantized, factor: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """An addend of `add` (float64)."""
    if x.bits == 8:
        return look_up(rescaled_codes(x.zero_point, *factor, ADD_LEFT_SHIFT), x.q)
    return multiply((x.q.detach().long() - x.zero_point) << ADD_LEFT_SHIFT_INT16, *factor).double()


@dataclass(frozen=True)
class AddFactors:
    """(multiplier, exponent) of each addend and of the sum, as the 8-bit specification defines ADD."""

    a: tuple[torch.Tensor, torch.Tensor]
    b: tuple[torch.Tensor, torch.Tensor]
    out: tuple[torch.Tensor, torch.Tensor]
    sum_scale: torch.Tensor


def add_factors(
    a: torch.Tensor, b: torch.Tensor, out: torch.Tensor, *, shift: int = ADD_LEFT_SHIFT
) -> AddFactors:
    """Factors from the three scales: addends on the grid 2 * max(a, b) / 2^shift."""
    *reals, sum_scale = add_reals(a.item(), b.item(), out.item(), shift)
    found = [quantize_multiplier(np.array(real)) for real in reals]
    of_a, of_b, of_sum = ((torch.from_numpy(m), torch.from_numpy(e)) for m, e in found)
    return AddFactors(of_a, of_b, of_sum, torch.tensor(sum_scale, dtype=torch.float64))


def add_reals(a: float, b: float, out: float, shift: int) -> tuple[float, float, float, float]:
    """What `add_factors` stands for, and the scale of the sum."""
    twice = 2.0 * max(a, b)
    sum_scale = twice / (1 << shift)
    return a / twice, b / twice, sum_scale / out, sum_scale


def round_half_away_divide(total: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Whole numbers: total / count, halves away from zero (average pooling). Exact below 2^24."""
    magnitude = torch.floor((2 * total.abs() + count) / (2 * count))
    return torch.copysign(magnitude, total)


# Softmax in fixed point, after gemmlowp: exp on [-1/4, 0) by a polynomial, the rest by a product of powers,
# the reciprocal by Newton's method. Raw int32 values in int64 tensors.

SOFTMAX_SCALE = 1.0 / 256.0
SOFTMAX_ZERO_POINT = -128
SOFTMAX_INPUT_BITS = 5
SOFTMAX_SUM_BITS = 12
#: the sum of that many exponentials, 19 fractional bits each, stays below 2^31
SOFTMAX_LARGEST_ROW = 4095
EXP_MINUS_EIGHTH = 1895147668
ONE_THIRD = 715827883
EXP_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def exp_on_negatives(x: torch.Tensor, integer_bits: int = SOFTMAX_INPUT_BITS) -> torch.Tensor:
    """exp of x <= 0 with 31 - integer_bits fractional bits (4 or 5 integer bits) → 31 fractional bits."""
    quarter_bits = 31 - integer_bits - 2
    quarter = 1 << quarter_bits
    part = (x & (quarter - 1)) - quarter
    result = _exp_below_quarter(part << integer_bits)
    remainder = part - x
    for step, power in enumerate(EXP_POWERS[: integer_bits + 2]):
        bit = (remainder >> (quarter_bits + step)) & 1
        result = torch.where(bit == 1, high_multiply(result, power), result)
    return torch.where(x == 0, torch.full_like(x, INT32_MAX), result)


def _exp_below_quarter(a: torch.Tensor) -> torch.Tensor:
    x = a + (1 << 28)
    x2 = high_multiply(x, x)
    x3 = high_multiply(x2, x)
    x4 = high_multiply(x2, x2)
    higher = high_multiply(divide_by_power(x4, 2) + x3, ONE_THIRD) + x2
    return EXP_MINUS_EIGHTH + high_multiply(x + divide_by_power(higher, 1), EXP_MINUS_EIGHTH)


def reciprocal_of_one_plus(a: torch.Tensor) -> torch.Tensor:
    """1 / (1 + a) for a in [0, 1), both with 31 fractional bits."""
    return (half_reciprocal(a) << 1).clamp(max=INT32_MAX)


def half_reciprocal(a: torch.Tensor) -> torch.Tensor:
    """1 / (1 + a) with 30 fractional bits, or 2 / (1 + a) with 29, for a in [0, 1) with 31: three Newton steps."""
    half = (a + INT32_MAX + 1) // 2
    x = 1515870810 + high_multiply(half, -1010580540)
    for _ in range(3):
        rest = (1 << 29) - high_multiply(half, x)
        x = x + (high_multiply(x, rest) << 2)
    return x


@dataclass(frozen=True)
class SoftmaxFactors:
    """Factor from input codes to 26 fractional bits, and the least difference that still counts."""

    multiplier: int
    exponent: int
    least_difference: int


def softmax_factors(scale: float) -> SoftmaxFactors:
    """The constants of softmax for an input scale."""
    fraction_bits = 31 - SOFTMAX_INPUT_BITS
    real = min(np.float64(scale) * 2.0**fraction_bits, float(INT32_MAX))
    multiplier, exponent = quantize_multiplier(np.array([real]))
    shift = int(exponent[0])
    reach = ((1 << SOFTMAX_INPUT_BITS) - 1) * 2.0**fraction_bits / 2.0**shift
    return SoftmaxFactors(int(multiplier[0]), shift, -int(np.floor(reach)))


def softmax(q: torch.Tensor, scale: float) -> torch.Tensor:
    """int8 codes → int8 probabilities (scale 1/256, zero point -128) over the last axis."""
    constants = softmax_factors(scale)
    difference = q.detach().long() - q.detach().long().amax(-1, keepdim=True)
    counts = difference >= constants.least_difference
    scaled = high_multiply(
        difference.clamp(min=constants.least_difference) << constants.exponent, constants.multiplier
    )
    exponentials = torch.where(counts, exp_on_negatives(scaled), torch.zeros_like(scaled))
    total = divide_by_power(exponentials, SOFTMAX_SUM_BITS).sum(-1, keepdim=True)
    headroom = 31 - torch.floor(torch.log2(total.double())).long()
    inverse = reciprocal_of_one_plus((total << headroom) - (1 << 31))
    shift = (SOFTMAX_SUM_BITS - headroom) + 31 - 8
    codes = divide_by_power(high_multiply(exponentials, inverse), shift) + SOFTMAX_ZERO_POINT
    return torch.where(counts, codes.clamp(-128, 127), torch.full_like(codes, -128)).float()


# Layer normalization: a reciprocal square root by Newton's method, with 31 fractional bits.

LAYER_NORM_BITS = 12
#: the squares of that many codes sum up below 2^29, C times a deviation below 2^23
LAYER_NORM_LARGEST_ROW = 32_767
#: 1 / (2·√a) is about 1.1033 - 0.6667·a on [1/4, 1)
ROOT_OFFSET = 2369339264
ROOT_SLOPE = 1431655765
ROOT_STEPS = 4
LARGEST_EPSILON = 2.0**60


def layer_norm_epsilon(epsilon: float, count: int, scale: float) -> int:
    """ε of rows of `count` codes, as it is added to count² times their variance; at least 1, so that nothing divides
    by zero.
    """
    steps = np.float64(epsilon) * count * count / np.float64(scale) ** 2
    return max(1, int(half_away(min(steps, LARGEST_EPSILON))))


def reciprocal_root(a: torch.Tensor) -> torch.Tensor:
    """1 / (2·√a) for a in [1/4, 1), both with 31 fractional bits (int64 tensors)."""
    h = ROOT_OFFSET - high_multiply(a, ROOT_SLOPE)
    for _ in range(ROOT_STEPS):
        rest = 3 * (1 << 29) - high_multiply(a, high_multiply(h, h))
        h = (high_multiply(h, rest) << 1).clamp(max=INT32_MAX)
    return h


def normalized(q: torch.Tensor, scale: float, epsilon: float) -> torch.Tensor:
    """int8 codes (…, C) → their distances from their row's mean in standard deviations, 12 fractional bits."""
    codes = q.long()
    count = codes.shape[-1]
    total = codes.sum(-1, keepdim=True)
    spread = count * (codes * codes).sum(-1, keepdim=True) - total * total
    spread = spread + layer_norm_epsilon(epsilon, count, scale)
    pairs = _bit_pairs(spread)
    a = torch.where(
        pairs > 14, spread >> (2 * (pairs - 14)).clamp(min=0), spread << (2 * (14 - pairs)).clamp(min=0)
    )
    product = (count * codes - total) * reciprocal_root(a << 1)
    shift = 31 - LAYER_NORM_BITS + pairs
    return ((product + (1 << (shift - 1))) >> shift).double()


def _bit_pairs(x: torch.Tensor) -> torch.Tensor:
    """For whole numbers from 1 to below 2^62: 4^pairs <= x < 4^(pairs + 1)."""
    pairs = torch.zeros_like(x)
    for step in (16, 8, 4, 2, 1):
        pairs = torch.where(x >> (2 * (pairs + step)).clamp(max=62) > 0, pairs + step, pairs)
    return pairs


def pack(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes (…, n) int8 → bytes: 8 bits as they are; 4 or 2 bits packed low bits first, rows padded with zeros."""
    if bits == 8:
        return codes.astype(np.int8).view(np.uint8)
    per_byte = 8 // bits
    rows = codes.reshape(-1, codes.shape[-1])
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % per_byte)))
    fields = padded.reshape(rows.shape[0], -1, per_byte).astype(np.int64) & ((1 << bits) - 1)
    packed = (fields << (bits * np.arange(per_byte))).sum(-1)
    return packed.astype(np.uint8)
