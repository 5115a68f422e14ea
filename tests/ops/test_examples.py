"""Every op's worked examples on every implementation: torch real numbers, torch integers, C here, C on a core."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pintsize.arithmetic import dequantize, quantize
from pintsize.emulate import core
from pintsize.graph import Graph
from pintsize.module import run_float, run_integers
from pintsize.ops import OPS
from pintsize.ops.example import Example
from pintsize.write.c import write
from tests.compiled import ManyModels, run_on_host
from tests.examples import computed_inputs, example_graph, example_integers, examples

EXAMPLES = examples()
INTEGER_EXAMPLES = {n: e for n, e in EXAMPLES.items() if e.op.name != "batch_norm"}


def input_codes(graph: Graph, example: Example) -> np.ndarray:
    """The example's own input, and two with every code an extreme."""
    kind = graph.type("x")
    own = quantize(example.inputs[computed_inputs(example)[0]][None], kind.scale[0], kind.zero_point)
    return np.concatenate([own, np.full_like(own, -128), np.full_like(own, 127)])


def test_every_op_has_an_example() -> None:
    assert {e.op.name for e in EXAMPLES.values()} == set(OPS)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_real_numbers(example: Example) -> None:
    y = run_float(
        example_graph(example), torch.from_numpy(example.inputs[computed_inputs(example)[0]])[None]
    )[0]
    assert y.shape == example.output.shape
    np.testing.assert_allclose(y.numpy(), example.output, rtol=0, atol=1e-6)


@pytest.mark.parametrize("example", INTEGER_EXAMPLES.values(), ids=INTEGER_EXAMPLES)
def test_integers_are_within_two_steps_of_the_real_numbers(example: Example) -> None:
    graph = example_integers(example)
    out = graph.type("y")
    codes = run_integers(graph, input_codes(graph, example)[:1])[0]
    error = np.abs(dequantize(codes, out.scale[0], out.zero_point) - example.output)
    assert error.max() <= 2 * out.scale[0]


@pytest.mark.parametrize("example", INTEGER_EXAMPLES.values(), ids=INTEGER_EXAMPLES)
def test_c_on_this_computer_gives_the_same_integers(example: Example) -> None:
    graph = example_integers(example)
    codes = input_codes(graph, example)
    expected = run_integers(graph, codes)
    assert np.array_equal(run_on_host(write(graph).files, codes), expected.reshape(len(codes), -1))


def test_c_on_a_cortex_m4_gives_the_same_integers() -> None:
    graphs = [example_integers(e) for e in INTEGER_EXAMPLES.values()]
    codes = [input_codes(g, e) for g, e in zip(graphs, INTEGER_EXAMPLES.values(), strict=True)]
    found = ManyModels(graphs).run_on_core(core("cortex-m4"), codes)
    for name, graph, x, y in zip(INTEGER_EXAMPLES, graphs, codes, found, strict=True):
        assert np.array_equal(y, run_integers(graph, x).reshape(len(x), -1)), name
