"""Sigmoid and hyperbolic tangent of int16 codes: linear interpolation in one table, as TFLite Micro computes them.

The table is that of gates.py, sigmoid(i / 24) with 16 fractional bits for i in 0..255, so it ends at 10.6;
tanh(x) is 2 · sigmoid(2x) - 1. An input is brought to steps of 1 / 12288 (sigmoid) or half of that (tanh) by a
multiplier. Outputs have 15 fractional bits and zero point 0.
"""

from __future__ import annotations

from math import frexp

import numpy as np

from pintsize.deferred import torch
from pintsize.gates import SIGMOID_TABLE

INT16_OUTPUT_SCALE = 1.0 / 32768.0
STEPS = 4096 * 3
#: 2^-12, the scale at which the input's integer bits are three
FINEST = 4096
MULTIPLIER_MAX = 32767
LARGEST_SHIFT = 31
#: times any int16 code it stays in int32; two codes away from 0 the functions are flat there
STEPS_MAX = 65535


def input_factor(scale: float, largest_shift: int) -> tuple[int, int]:
    """(multiplier, right shift) from an input's scale to the table's steps.

    A scale of 2^-12 times 1 .. 2^largest_shift is three times a power of two, exactly.
    """
    scale = float(np.float32(scale))
    mantissa, exponent = frexp(scale * FINEST)
    if mantissa == 0.5 and 0 <= exponent - 1 <= largest_shift:
        return 3 << (exponent - 1), 0
    real, shift = scale * STEPS, 0
    while real <= MULTIPLIER_MAX / 2 and shift < LARGEST_SHIFT:
        real, shift = real * 2, shift + 1
    return min(int(real), STEPS_MAX), shift


def sigmoid_factor(scale: float) -> tuple[int, int]:
    return input_factor(scale, 0)


def tanh_factor(scale: float) -> tuple[int, int]:
    return input_factor(scale, 1)


def sigmoid_int16(q: torch.Tensor, scale: float) -> torch.Tensor:
    """int16 codes → codes of their sigmoids, 15 fractional bits."""
    steps = _steps(q, *sigmoid_factor(scale))
    result = _interpolated(steps.abs(), 9)
    signed = torch.where(steps >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1)
    return (signed >> 10).float()


def tanh_int16(q: torch.Tensor, scale: float) -> torch.Tensor:
    """int16 codes → codes of their hyperbolic tangents, 15 fractional bits."""
    steps = _steps(q, *tanh_factor(scale))
    result = _interpolated(steps.abs(), 8) - (1 << 23)
    signed = torch.where(steps >= 0, result + (1 << 7), -result + (1 << 7) - 1)
    return (signed >> 8).float()


def _steps(q: torch.Tensor, multiplier: int, shift: int) -> torch.Tensor:
    half = (1 << shift) >> 1
    return (q.detach().long() * multiplier + half) >> shift


def _interpolated(steps: torch.Tensor, bits: int) -> torch.Tensor:
    """The table between its entries, which are 2^bits steps apart; beyond it what stands for 1."""
    table = torch.from_numpy(SIGMOID_TABLE)
    entry = steps >> bits
    low = entry.clamp(max=254)
    between = (table[low] << bits) + (steps - (low << bits)) * (table[low + 1] - table[low])
    beyond = 0x7FFF << 10 if bits == 9 else 0xFFFF << 8
    return torch.where(entry >= 255, torch.full_like(steps, beyond), between)
