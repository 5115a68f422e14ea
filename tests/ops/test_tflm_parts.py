"""Ops that take parts, resize, reduce or compare give the integers of TFLite Micro, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph, Node, Op, Tensor, TensorType, rebuild
from pintsize.module import run_integers
from pintsize.ops import Abs, Argmax, Elu, LogSoftmax, Pad, Requantize, Rsqrt
from tests.drawn import (
    draw_concat,
    draw_pad,
    draw_prelu,
    draw_reduction,
    draw_repeating_operand,
    draw_resize,
    draw_selection,
    drawn_layers,
    random_codes,
)
from tests.ops.test_tflm_equality import kind, one_layer, tflm

DRAWS = {
    "concat": draw_concat,
    "pad": draw_pad,
    "prelu": draw_prelu,
    "reduction": draw_reduction,
    "repeating operand": draw_repeating_operand,
    "resize": draw_resize,
    "selection": draw_selection,
}


def is_written(op: Op) -> bool:
    """The format has neither edges to pad with nor indices that keep their axis."""
    return not (isinstance(op, Pad) and op.mode == "edge") and not (isinstance(op, Argmax) and op.keep)


def assert_tflm_agrees(graph: Graph, samples: np.ndarray) -> None:
    integers = Quantize(calibration="min_max", equalize_layers=False, correct_biases=False)(graph, samples)
    codes = random_codes(integers, 6)
    theirs = tflm(integers, codes)
    if theirs.dtype == np.int32:  # indices, where ours have a zero point of -128
        theirs = theirs - 128
    expected = run_integers(integers, codes)
    assert np.array_equal(theirs.reshape(expected.shape), expected)


@pytest.mark.parametrize("name", DRAWS)
@settings(max_examples=12)
@given(data=st.data())
def test_drawn_ops(name: str, data: st.DataObject) -> None:
    graph = data.draw(drawn_layers(DRAWS[name]))
    assume(all(is_written(n.op) for n in graph.nodes))
    samples = np.random.default_rng(0).normal(0.3, 1, (16, *graph.type("x").shape))
    assert_tflm_agrees(graph, samples.astype(np.float32))


@pytest.mark.parametrize("op", [Abs(), Elu(), LogSoftmax(), Requantize()], ids=lambda op: op.name)
def test_ops_of_one_tensor(op: Op) -> None:
    x = Tensor("x", TensorType((5, 51)))
    graph = rebuild(Graph("one", {"x": x}, (), ("x",), ("y",)), [Node("y", op, ("x",), "y")])
    samples = np.random.default_rng(1).normal(0.5, 3, (16, 5, 51)).astype(np.float32)
    assert_tflm_agrees(graph, samples)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_reciprocal_roots_of_every_code(seed: int) -> None:
    """Of those that TFLite Micro takes: from the zero point on."""
    rng = np.random.default_rng(seed)
    zero_point, scale = int(rng.integers(-128, 127)), float(10.0 ** rng.uniform(-4, 1))
    largest = 1 / np.sqrt(scale * rng.uniform(0.5, 200))
    x = kind((128 - zero_point,), "int8", scale, zero_point)
    y = kind((), "int8", largest / 255, int(rng.integers(-128, 128)))
    graph = one_layer(Rsqrt(), x, [], y)
    codes = np.arange(zero_point, 128).astype(np.int8)[None]
    assert np.array_equal(tflm(graph, codes), run_integers(graph, codes))


def test_the_root_of_a_negative_number_has_the_largest_code() -> None:
    graph = one_layer(Rsqrt(), kind((3,), "int8", 0.5), [], kind((), "int8", 0.25))
    assert run_integers(graph, np.array([[-128, -1, 0]], np.int8)).tolist() == [[127, 127, 127]]
