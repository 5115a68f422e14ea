"""Portable calls of what comes before a network: they take and give codes of 8 or 16 bits."""

from __future__ import annotations

from pintsize.arithmetic import LAYER_NORM_BITS, layer_norm_epsilon
from pintsize.filters import SIGNAL_BITS, coefficient_codes, state_size
from pintsize.graph import Graph, Node, TensorType
from pintsize.ops import Biquad, LogMel, Resample, ZScore
from pintsize.ops.signal import samples_of
from pintsize.passes.plan_memory import Needs
from pintsize.spectrum import cosine_codes, log_constants, window_codes
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.numbers import factor, scales_float64

FOUNDATION = ("requantize", "dot", "codes16", "signal")
BITS_OF_A_HALF = 31


def log_mel(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, LogMel)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    least, octaves = log_constants(x.scale[0], op.floor)
    bands = op.triangles
    call = c_call(
        "log_mel", "x0", "y", "{window}", "{cosines}", "{starts}", "{slopes}", "scratch", y.shape[0], op.hop, op.window,
        op.fft, op.bands, *_read(x), *_halves(least), octaves, *_written(y, op.step),
    )  # fmt: skip
    constants = (
        Constant("window", "int16_t", window_codes(op.shape_of_window, op.window)),
        Constant("cosines", "int16_t", cosine_codes(op.fft)),
        Constant("starts", "int16_t", bands.starts),
        Constant("slopes", "int16_t", bands.weights),
    )
    return Call((call,), constants, (*FOUNDATION, "log_mel"), Needs(4 * (op.fft + 2)))


def biquad(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Biquad)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    samples, channels = samples_of(op.name, x)
    memory = "state0" if node.carried else "scratch"
    call = c_call(
        "biquad", "x0", "y", "{coefficients}", memory, samples, channels, op.count, not node.carried, *_read(x),
        *_written(y, scales_float64(x)[0] * 2.0**-SIGNAL_BITS),
    )  # fmt: skip
    own = 0 if node.carried else 4 * channels * state_size(op.count)
    coefficients = Constant("coefficients", "int32_t", coefficient_codes(op.sections).reshape(-1))
    return Call(
        (call,), (coefficients,), (*FOUNDATION, "biquad"), Needs(own, in_place=x.code_bits == y.code_bits)
    )


def resample(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Resample)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    outputs, channels = samples_of(op.name, y)
    call = c_call(
        "resample", "x0", "y", "{taps}", outputs, channels, op.up, op.down, op.taps, *_read(x)
    )  # fmt: skip
    return Call(
        (call,), (Constant("taps", "int16_t", op.codes.reshape(-1)),), (*FOUNDATION, "resample"), Needs()
    )


def z_score(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, ZScore)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    samples, channels = samples_of(op.name, x)
    epsilon = layer_norm_epsilon(op.floor**2, samples, scales_float64(x)[0])
    wide = _read(x)[0]
    call = c_call(
        "z_score", "x0", "y", samples, channels, *_halves(epsilon), wide, *_written(y, 2.0**-LAYER_NORM_BITS)
    )
    return Call(
        (call,), (), (*FOUNDATION, "layer_norm", "z_score"), Needs(in_place=x.code_bits == y.code_bits)
    )


def _read(x: TensorType) -> tuple[int, int]:
    """Are its codes wide, and its zero point."""
    return int(x.dtype == "int16"), x.zero_point


def _written(y: TensorType, step: float) -> tuple[int, int, int, int]:
    """Are its codes wide, the factor to them from whole numbers of this step, and the zero point."""
    return int(y.dtype == "int16"), *factor(step / scales_float64(y)[0]), y.zero_point


def _halves(x: int) -> tuple[int, int]:
    """High and low 31 bits."""
    return x >> BITS_OF_A_HALF, x & ((1 << BITS_OF_A_HALF) - 1)
