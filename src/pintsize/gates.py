"""The int16 arithmetic inside recurrent layers: sigmoid, tanh and products of fixed-point numbers.

Part of the one arithmetic (see arithmetic.py). Whole numbers in int64 tensors. Before an activation function they have
12 fractional bits, after it 15. Source: the 16-bit operators of TFLite's 8-bit specification, as TFLite Micro's
UNIDIRECTIONAL_SEQUENCE_LSTM computes them.
"""

from __future__ import annotations

import numpy as np

from pintsize.arithmetic import (
    divide_by_power,
    factors,
    high_multiply,
    multiply,
    multiply_once,
    scale_product,
)
from pintsize.deferred import torch

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1
#: scale of what enters a sigmoid or tanh, and of what comes out
GATE_INPUT_SCALE = 2.0**-12
GATE_SCALE = 2.0**-15
GATE_FRACTION_BITS = 12

#: sigmoid(i / 24) with 16 fractional bits, as the specification prints it (some are not correctly rounded)
SIGMOID_TABLE = np.array([
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064, 42688,
    43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409,
    51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433,
    57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110,
    61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186,
    63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308,
    64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900,
    64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208,
    65221, 65234, 65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367,
    65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449,
    65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491,
    65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513,
    65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530,
    65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
])  # fmt: skip


def saturate(x: torch.Tensor) -> torch.Tensor:
    """To the range of int16."""
    return x.clamp(INT16_MIN, INT16_MAX)


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """int16 numbers, 12 fractional bits → 15 fractional bits: between the table's points, a straight line."""
    sized = 3 * x.abs()  # the table's points are 1/24 apart: 512/3 steps of 2^-12
    index = (sized >> 9).clamp(max=254)
    table = torch.from_numpy(SIGMOID_TABLE)
    low, high = table[index], table[index + 1]
    value = torch.where(sized >> 9 >= 255, INT16_MAX << 10, (low << 9) + (sized & 511) * (high - low))
    return torch.where(x >= 0, value + (1 << 9), (1 << 25) - value + (1 << 9) - 1) >> 10


def tanh(x: torch.Tensor, fraction_bits: int = GATE_FRACTION_BITS) -> torch.Tensor:
    """int16 numbers → 15 fractional bits: 2 · sigmoid(2 x) - 1 from the same table."""
    thrice = 3 * x
    wider = GATE_FRACTION_BITS - fraction_bits
    thrice = thrice << wider if wider >= 0 else (thrice + (1 << (-wider - 1))) >> -wider
    sized = thrice.abs()
    index = (sized >> 8).clamp(max=254)
    table = torch.from_numpy(SIGMOID_TABLE)
    low, high = table[index], table[index + 1]
    value = torch.where(sized >> 8 >= 255, 0xFFFF << 8, (low << 8) + (sized & 255) * (high - low))
    return torch.where(thrice >= 0, value - (1 << 23) + 128, (1 << 23) - value + 127) >> 8


def product(a: torch.Tensor, b: torch.Tensor, places: int) -> torch.Tensor:
    """int16 · int16 / 2^places as int16, rounded twice like a requantization by that factor. places is 1 to 32."""
    halved = high_multiply(a * b, 1 << 30)
    return saturate(divide_by_power(halved, places - 1))


def rescale(
    acc: torch.Tensor, factor: tuple[torch.Tensor, torch.Tensor], low: int = INT16_MIN, high: int = INT16_MAX
) -> torch.Tensor:
    """Accumulators (int64) times (multiplier, exponent), rounded twice; the factors broadcast against the last axis."""
    return multiply(acc, *factor).clamp(low, high)


def rescale_once(acc: torch.Tensor, factor: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """`rescale` of sums of int16 activations: a multiplier of 15 bits, one rounding."""
    return saturate(multiply_once(acc, *factor))


def gate_factors(x_scale: torch.Tensor, weight_scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(multiplier, exponent) per gate, from accumulators to what enters the activation functions."""
    return factors(
        scale_product(x_scale.detach(), weight_scale.detach().reshape(-1)), torch.tensor(GATE_INPUT_SCALE)
    )
