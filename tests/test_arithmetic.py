"""The arithmetic that everything else must equal: against gemmlowp's definitions in plain Python, and against the C."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pintsize.arithmetic import (
    INT32_MAX,
    SOFTMAX_LARGEST_ROW,
    WEIGHT_MAX,
    Grid,
    Quantized,
    dequantize,
    exact_dtype,
    half_away,
    look_up,
    lookup_table,
    multiply,
    pack,
    quantize,
    quantize_activation,
    quantize_bias,
    quantize_multiplier,
    quantize_weight,
    requantize,
    round_half_away_divide,
    softmax,
    softmax_factors,
    straight_through,
)
from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.ops import Relu
from pintsize.write.c import write
from tests.compiled import library, pointer

SEEDS = st.integers(0, 2**32 - 1)


# gemmlowp's definitions, word for word in Python's unbounded integers


def doubling_high_multiply(a: int, b: int) -> int:
    product = a * b
    nudge = 1 << 30 if product >= 0 else 1 - (1 << 30)
    total = product + nudge
    return abs(total) // 2**31 * (1 if total >= 0 else -1)  # C's division truncates


def rounding_divide_by_power(x: int, exponent: int) -> int:
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


def multiply_by_quantized_multiplier(x: int, multiplier: int, exponent: int) -> int:
    left, right = max(exponent, 0), max(-exponent, 0)
    return rounding_divide_by_power(doubling_high_multiply(x << left, multiplier), right)


@st.composite
def requantizations(draw: st.DrawFn, largest: int) -> tuple[torch.Tensor, torch.Tensor, Grid]:
    """Accumulators (200, channels) below `largest`, half of them at ties or next to one; factors; an output grid."""
    rng = np.random.default_rng(draw(SEEDS))
    channels = draw(st.integers(1, 5))
    highest = draw(st.integers(-30, 2))
    exponents = rng.integers(max(highest - draw(st.integers(0, 12)), -31), highest + 1, channels)
    mantissas = rng.uniform(0.5, 1.0, channels)
    mantissas[rng.random(channels) < 0.4] = 0.5  # powers of two make exact ties
    factor = mantissas * 2.0**exponents
    wanted = rng.integers(-200, 200, (200, channels)) + rng.choice([0.5, 0.0, 0.25], (200, channels))
    ties = np.round(wanted / factor) + rng.integers(-2, 3, (200, channels))
    anywhere = rng.integers(-largest + 1, largest, (200, channels))
    acc = np.where(rng.random((200, channels)) < 0.7, ties, anywhere).clip(-largest + 1, largest - 1)
    low = draw(st.integers(-128, 0))
    out_scale = float(np.float32(draw(st.sampled_from([1.0, 0.0235, 7.1e-4]))))
    grid = Grid(torch.tensor(out_scale), draw(st.integers(-128, 127)), low, draw(st.integers(low, 127)))
    scale = torch.from_numpy(factor) * out_scale
    return torch.from_numpy(acc), scale if channels > 1 else scale.reshape(()), grid


def reference(acc: torch.Tensor, scale: torch.Tensor, out: Grid) -> torch.Tensor:
    multiplier, exponent = quantize_multiplier(scale.reshape(-1).numpy() / out.scale.double().numpy())
    whole = multiply(acc.long(), torch.from_numpy(multiplier), torch.from_numpy(exponent))
    return (whole + out.zero_point).clamp(out.low, out.high)


@settings(max_examples=300)
@given(requantizations(largest=2**24))
def test_requantize_of_float32_accumulators_is_exact(case: tuple[torch.Tensor, torch.Tensor, Grid]) -> None:
    acc, scale, out = case
    codes = requantize(acc.float(), scale, out)
    assert codes.dtype == torch.float32
    assert torch.equal(codes.long(), reference(acc, scale, out))


@settings(max_examples=200)
@given(requantizations(largest=2**30))
def test_requantize_of_float64_accumulators_is_exact(case: tuple[torch.Tensor, torch.Tensor, Grid]) -> None:
    acc, scale, out = case
    assert torch.equal(requantize(acc, scale, out).long(), reference(acc, scale, out))


def test_requantize_of_every_float32_accumulator_near_the_grid() -> None:
    """No accumulator between two chosen ones is left out: the float shortcut has nowhere to hide."""
    acc = torch.arange(-300_000, 300_001, dtype=torch.float32).reshape(-1, 1)
    for real in (2.0**-10, 2.0**-11 * 1.0000001, 1 / 1234.5678, 1 / 999.0):
        scale, out = torch.tensor(real, dtype=torch.float64), Grid(torch.tensor(1.0), -3)
        assert torch.equal(requantize(acc, scale, out).long(), reference(acc, scale, out))


@settings(max_examples=60)
@given(requantizations(largest=2**28))  # shifted left by up to 2 they still fit 31 bits
def test_the_reference_is_gemmlowps_double_rounding(case: tuple[torch.Tensor, torch.Tensor, Grid]) -> None:
    acc, scale, out = case
    multipliers, exponents = quantize_multiplier(scale.reshape(-1).numpy() / out.scale.double().numpy())
    for channel, (m, e) in enumerate(zip(multipliers.tolist(), exponents.tolist(), strict=True)):
        column = [int(a) for a in acc[:, channel].tolist()]
        expected = [multiply_by_quantized_multiplier(a, m, e) for a in column]
        assert multiply(torch.tensor(column), torch.tensor(m), torch.tensor(e)).tolist() == expected


def test_two_roundings_are_not_one() -> None:
    """2.4999… to 32 bits is 2.5, and that goes away from zero: the specification has it so, and so have we."""
    multiplier, exponent = quantize_multiplier(np.array([(2**31 - 1) / 2**33]))
    x = 10
    once = round(x * (2**31 - 1) / 2**33)
    twice = multiply(torch.tensor([x]), torch.from_numpy(multiplier), torch.from_numpy(exponent))
    assert (once, twice.item()) == (2, 3)


C_REQUANTIZE = """
#include <stdint.h>
#define PINTSIZE_INLINE static inline
{kernel}
void run(const int32_t *acc, const int32_t *multiplier, const int32_t *shift, int8_t *y, int32_t count)
{{
    for (int32_t i = 0; i < count; i++) {{
        y[i] = requantized(acc[i], multiplier[i], shift[i], 5, -128, 127);
    }}
}}
"""


def kernel(name: str) -> str:
    return (files("pintsize.write.c") / "kernels" / f"{name}.c").read_text(encoding="utf-8")


def test_the_c_kernel_requantizes_alike() -> None:
    rng = np.random.default_rng(0)
    count = 200_000
    exponent = rng.integers(-31, 31, count).astype(np.int32)
    multiplier = rng.integers(2**30, 2**31, count)
    multiplier[::3] = 2**30
    reach = 2.0 ** rng.uniform(0, 30, count)
    ties = (rng.integers(-200, 200, count) + 0.5) * 2.0**31 / multiplier / 2.0**exponent
    acc = np.where(rng.random(count) < 0.6, ties, rng.uniform(-reach, reach)).round().clip(-reach, reach)
    y = np.zeros(count, np.int8)
    a, m = acc.astype(np.int32), multiplier.astype(np.int32)
    with library(C_REQUANTIZE.format(kernel=kernel("requantize"))) as c:
        c.run(pointer(a), pointer(m), pointer(exponent), pointer(y), count)
    expected = multiply(*(torch.from_numpy(v.astype(np.int64)) for v in (a, m, exponent)))
    assert np.array_equal(y, (expected + 5).clamp(-128, 127).numpy())


# scales to multipliers


@given(st.floats(2.0**-31, 2.0**29))
@example(1.0)
@example(0.5)
@example(float(np.nextafter(1.0, 0.0)))  # its mantissa rounds up to 2^31
@example(2.0**-32)
def test_quantize_multiplier_is_within_half_a_unit(real: float) -> None:
    multiplier, exponent = quantize_multiplier(np.array([real]))
    assert 2**30 <= multiplier[0] <= INT32_MAX
    assert -31 <= exponent[0] <= 30
    assert abs(multiplier[0] * 2.0 ** (exponent[0] - 31.0) - real) <= 2.0 ** (exponent[0] - 32.0)


def test_a_factor_that_can_only_give_zero_becomes_zero() -> None:
    assert [int(v[0]) for v in quantize_multiplier(np.array([2.0**-33]))] == [0, 0]


@pytest.mark.parametrize("real", [0.0, -1.0, np.nan, np.inf, 2.0**31])
def test_a_factor_without_a_multiplier_is_refused(real: float) -> None:
    with pytest.raises(ValueError, match="must be positive and below"):
        quantize_multiplier(np.array([0.5, real]))


# gradients


def test_straight_through_gives_the_exact_value_and_the_smooth_gradient() -> None:
    exact = torch.tensor([3.0, 16_777_215.0, -0.1])
    x = torch.tensor([0.3, 2.0, 5.0], requires_grad=True)
    y = straight_through(exact, x * 2)
    assert torch.equal(y, exact)
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_without_gradients_straight_through_is_the_exact_value_itself() -> None:
    exact = torch.tensor([1.0])
    assert straight_through(exact, torch.tensor([2.0])) is exact


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_the_gradient_of_a_weights_scale_is_lsqs(bits: int) -> None:
    """d(scale * code)/d scale: code - w / scale inside the range, the bound outside; to w: 1 inside, 0 outside."""
    limit = WEIGHT_MAX[bits]
    w = torch.tensor([0.26, -0.74, limit + 5.0, -limit - 0.9], requires_grad=True)
    scale = torch.tensor(1.3, requires_grad=True)
    Quantized(quantize_weight(w, scale, bits), scale).real().sum().backward()
    steps = (w / scale).detach()
    inside = steps.abs() < limit
    formula = torch.where(inside, steps.round() - steps, steps.sign() * limit)
    assert scale.grad is not None
    assert w.grad is not None
    assert scale.grad.item() == pytest.approx(formula.sum().item(), rel=1e-5)
    assert torch.allclose(w.grad, inside.float())


def test_the_gradient_of_an_output_scale_is_lsqs() -> None:
    acc = torch.tensor([[100.0, -3.0, 90_000.0]])
    out_scale = torch.tensor(0.1, requires_grad=True)
    codes = requantize(acc, torch.tensor(0.01, dtype=torch.float64), Grid(out_scale, 0))
    (codes * out_scale).sum().backward()
    assert out_scale.grad is not None
    formula = (10.0 - 10.0) + (0.0 - -0.3) + 127.0
    assert out_scale.grad.item() == pytest.approx(formula, rel=1e-5)


def test_saturated_outputs_pass_no_gradient() -> None:
    acc = torch.tensor([50.0, 90_000.0, -90_000.0], requires_grad=True)
    requantize(acc, torch.tensor(0.01, dtype=torch.float64), Grid(torch.tensor(0.1), 0)).sum().backward()
    assert acc.grad is not None
    assert torch.allclose(acc.grad, torch.tensor([0.1, 0.0, 0.0]))


# the input's grid, in Python, in training and in the generated header

C_QUANTIZE = """
#include "model.h"
void run(const float *x, int8_t *y, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = model_quantize(x[i]);
    }
}
"""


def relu_graph(scale: float, zero_point: int) -> Graph:
    kind = TensorType((4,), "int8", (scale,), zero_point)
    tensors = {name: Tensor(name, kind) for name in ("x", "y")}
    return Graph("relu", tensors, (Node("relu", Relu(), ("x",), "y"),), ("x",), ("y",))


@settings(max_examples=8)
@given(SEEDS, st.floats(1e-6, 1e3), st.integers(-128, 127))
@example(0, 0.25, 0)
@example(0, 1.0, -128)
def test_python_training_and_the_header_quantize_alike(seed: int, scale: float, zero_point: int) -> None:
    scale = float(np.float32(scale))
    rng = np.random.default_rng(seed)
    ties = (rng.integers(-300, 300, 3000) + 0.5) * np.float32(scale)
    near = np.concatenate(
        [ties, np.nextafter(ties, 0.0), np.nextafter(ties, np.inf), rng.normal(0, 99, 3000)]
    )
    x = np.concatenate([near, [0.0, -0.0, 1e30, -1e30, np.inf, -np.inf]]).astype(np.float32)
    expected = quantize(x, scale, zero_point)
    trained = quantize_activation(torch.from_numpy(x), Grid(torch.tensor(scale), zero_point))
    assert np.array_equal(trained.numpy(), expected)
    y = np.zeros(len(x), np.int8)
    with library(C_QUANTIZE, write(relu_graph(scale, zero_point)).files) as c:
        c.run(pointer(x), pointer(y), len(x))
    assert np.array_equal(y, expected)


@given(st.floats(1e-6, 1e3), st.integers(-128, 127))
def test_codes_survive_a_round_trip(scale: float, zero_point: int) -> None:
    codes = np.arange(-128, 128).astype(np.int8)
    assert np.array_equal(quantize(dequantize(codes, scale, zero_point), scale, zero_point), codes)


def test_halves_go_away_from_zero() -> None:
    assert half_away(np.array([0.5, -0.5, 1.5, -2.5, 0.4])).tolist() == [1, -1, 2, -3, 0]
    assert quantize(np.array([0.5, -0.5, 2.5]), 1.0, 0).tolist() == [1, -1, 3]


@given(st.lists(st.integers(-30_000, 30_000), min_size=1), st.integers(1, 250))
def test_average_pooling_divides_with_halves_away_from_zero(totals: list[int], count: int) -> None:
    found = round_half_away_divide(torch.tensor(totals, dtype=torch.float32), torch.tensor(float(count)))
    assert found.tolist() == [(abs(t) * 2 + count) // (2 * count) * (1 if t >= 0 else -1) for t in totals]


# constants


@given(SEEDS, st.sampled_from([8, 4, 2]), st.integers(1, 21), st.integers(1, 4))
def test_packed_weights_unpack_to_themselves(seed: int, bits: int, width: int, rows: int) -> None:
    codes = np.random.default_rng(seed).integers(-WEIGHT_MAX[bits], WEIGHT_MAX[bits] + 1, (rows, width))
    packed = pack(codes.astype(np.int8), bits)
    assert packed.dtype == np.uint8
    assert packed.shape == (rows, -(-width * bits // 8))
    assert np.array_equal(unpack(packed, bits, width), codes)


def unpack(packed: np.ndarray, bits: int, width: int) -> np.ndarray:
    fields = (packed[:, :, None].astype(int) >> (bits * np.arange(8 // bits))) & ((1 << bits) - 1)
    fields = fields.reshape(len(packed), -1)[:, :width]
    return np.where(fields >= 1 << (bits - 1), fields - (1 << bits), fields)


C_WEIGHT_AT = """
#include <stdint.h>
#define PINTSIZE_INLINE static inline
{kernel}
void run(const int8_t *w, int32_t *y, int32_t count, int32_t bits)
{{
    for (int32_t i = 0; i < count; i++) {{
        y[i] = weight_at(w, i, bits);
    }}
}}
"""


def test_the_c_kernel_reads_packed_weights_alike() -> None:
    with library(C_WEIGHT_AT.format(kernel=kernel("dot"))) as c:
        for bits in (8, 4, 2):
            limit = WEIGHT_MAX[bits]
            codes = np.resize(np.arange(-limit, limit + 1), 301).astype(np.int8)
            packed, y = pack(codes[None], bits), np.zeros(301, np.int32)
            c.run(pointer(packed), pointer(y), 301, bits)
            assert np.array_equal(y, codes)


def test_a_bias_saturates_before_an_accumulator_can_overflow() -> None:
    codes = quantize_bias(torch.tensor([1e9, -1e9, 2.6]), torch.tensor(1.0, dtype=torch.float64))
    assert codes.tolist() == [2.0**29, -(2.0**29), 3.0]


def test_accumulators_are_float32_only_while_that_is_exact() -> None:
    weight = torch.full((1, 500), 127.0)
    assert exact_dtype(weight, 0, None) == torch.float32  # 500 * 127 * 128 < 2^24
    assert exact_dtype(weight, -128, None) == torch.float32
    assert exact_dtype(torch.full((1, 1040), 127.0), 0, None) == torch.float64
    assert exact_dtype(weight, 0, torch.tensor([1e7])) == torch.float64


def test_a_lookup_table_is_correctly_rounded() -> None:
    x, out = Quantized(torch.zeros(0), torch.tensor(0.05), 3), Grid(torch.tensor(1 / 256), -128)
    table = lookup_table(torch.sigmoid, x, out)
    real = 1 / (1 + np.exp(-(np.arange(-128, 128) - 3) * np.float64(np.float32(0.05))))
    assert np.abs((table.numpy() + 128) / 256 - real).max() <= 0.5 / 256 + 1e-9
    assert look_up(table, torch.tensor([-128.0, 127.0])).tolist() == [table[0], table[255]]


# softmax


@settings(max_examples=100)
@given(SEEDS, st.integers(1, 40), st.floats(-7, 2))
def test_softmax_is_close_to_the_real_one(seed: int, width: int, log_scale: float) -> None:
    scale = float(np.float32(10.0**log_scale))
    q = np.random.default_rng(seed).integers(-128, 128, (20, width)).astype(np.float32)
    codes = softmax(torch.from_numpy(q), scale)
    exact = torch.softmax(torch.from_numpy(q).double() * scale, -1)
    found = (codes.double() + 128) / 256
    assert (found - exact).abs().max() <= 1.5 / 256
    assert (found.sum(-1) - 1).abs().max() <= (0.5 * width + 1) / 256


C_SOFTMAX = """
#include <stdint.h>
#define PINTSIZE_INLINE static inline
{kernels}
void run(const int8_t *x, int8_t *y, int32_t rows, int32_t n, int32_t multiplier, int32_t shift, int32_t least)
{{
    softmax(x, y, rows, n, multiplier, shift, least);
}}
"""


@pytest.mark.parametrize("width", [1, 2, 10, 511, 512, 1000, SOFTMAX_LARGEST_ROW])
def test_the_c_kernel_computes_softmax_alike(width: int) -> None:
    """Up to thousands of classes, also where all are equally likely."""
    rng = np.random.default_rng(width)
    q = rng.integers(-128, 128, (6, width)).astype(np.int8)
    q[0], q[1, ::2] = 7, -128
    with library(C_SOFTMAX.format(kernels=kernel("requantize") + kernel("softmax"))) as c:
        for scale in (1e-8, 1e-3, 0.0371, 0.25, 1.0, 31.0, 1e4):
            constants = softmax_factors(scale)
            y = np.zeros_like(q)
            c.run(
                pointer(q),
                pointer(y),
                6,
                width,
                constants.multiplier,
                constants.exponent,
                constants.least_difference,
            )
            assert np.array_equal(y, softmax(torch.from_numpy(q.astype(np.float32)), scale).numpy())
