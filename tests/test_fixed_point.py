"""Tables of codes, as TFLite Micro computes them; tests/write/test_tflite.py compares more of them with it."""

from __future__ import annotations

import numpy as np
import torch

from pintsize.arithmetic import Grid, Quantized
from pintsize.fixed_point import hard_swish_table, leaky_relu_table, logistic_table, relu_table, tanh_table

X = Quantized(torch.zeros(0), torch.tensor(0.05), -3)
OUT = Grid(torch.tensor(0.04), -100)
NUMBERS = (np.arange(-128, 128) + 3) * 0.05


def real(table: torch.Tensor, scale: float, zero_point: int) -> np.ndarray:
    return (table.numpy() - zero_point) * scale


def test_logistic() -> None:
    assert logistic_table(X)[::32].tolist() == [-128, -126, -116, -79, 10, 90, 119, 126]
    assert np.abs(real(logistic_table(X), 1 / 256, -128) - 1 / (1 + np.exp(-NUMBERS))).max() < 1 / 256


def test_tanh() -> None:
    assert np.abs(real(tanh_table(X), 1 / 128, 0) - np.tanh(NUMBERS)).max() < 1.1 / 128


def test_far_inputs_saturate() -> None:
    coarse = Quantized(torch.zeros(0), torch.tensor(1.0), 0)
    assert logistic_table(coarse)[[0, -1]].tolist() == [-128, 127]
    assert tanh_table(coarse)[[0, -1]].tolist() == [-128, 127]


def test_zero_maps_to_the_middle() -> None:
    at_zero = -3 + 128
    assert logistic_table(X)[at_zero] == 0
    assert tanh_table(X)[at_zero] == 0
    assert relu_table(X, OUT)[at_zero] == OUT.zero_point


def test_relu_and_relu6() -> None:
    assert relu_table(X, OUT)[[0, 125, 130, 255]].tolist() == [-100, -100, -94, 63]
    assert relu_table(X, OUT, 6.0).max() == 50


def test_leaky_relu_rounds_each_side_by_its_own_factor() -> None:
    table = leaky_relu_table(X, OUT, 0.1)
    assert table[[0, 115, 124, 126, 255]].tolist() == [-116, -101, -100, -99, 63]
    assert leaky_relu_table(X, OUT, 0.0)[:125].unique().tolist() == [-100]


def test_hard_swish_is_near_the_function() -> None:
    table = hard_swish_table(X, OUT)
    assert table is not None
    expected = np.clip(NUMBERS * np.clip(NUMBERS + 3, 0, 6) / 6, -28 * 0.04, 227 * 0.04)
    assert np.abs(real(table, 0.04, -100) - expected).max() < 0.6 * 0.04


def test_hard_swish_needs_an_output_grid_that_is_not_much_finer() -> None:
    assert hard_swish_table(X, Grid(torch.tensor(1e-5), 0)) is None
