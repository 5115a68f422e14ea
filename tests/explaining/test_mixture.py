"""With nothing left real a mixture is the chip's integers; with all of it, the float network; between, a blend."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.quantize import Quantize, freeze
from pintsize.explaining.mixture import Mixture, activations_of, constants_of, outputs
from pintsize.graph import Graph
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read
from pintsize.verify import float_outputs, integer_outputs
from tests.explaining.conftest import Digits


@pytest.fixture(scope="module")
def annotated(digits: Digits) -> Graph:
    how = Quantize(layer_bits={digits.convolutions[1].name: 4}, correct_biases=False, equalize_layers=False)
    return how.annotate(digits.graph, digits.calibration)


def test_with_nothing_real_it_is_the_integers(digits: Digits, annotated: Graph) -> None:
    x = digits.judged.x
    np.testing.assert_array_equal(outputs(Mixture(annotated), x), integer_outputs(freeze(annotated), x))


def test_with_everything_real_it_is_the_float_network(digits: Digits, annotated: Graph) -> None:
    x = digits.judged.x
    whole = Mixture(annotated, frozenset(annotated.tensors))
    np.testing.assert_allclose(outputs(whole, x), float_outputs(digits.graph, x), atol=1e-5)


class Offset(nn.Module):
    """Adds a constant of its own to every number."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.classify = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(256, 10)
        self.offset = nn.Parameter(torch.randn(4, 8, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classify((self.conv(x) + self.offset).flatten(1))


def offset() -> Graph:
    torch.manual_seed(0)
    return fold(read(Offset().eval(), sample_shape=(1, 8, 8), name="offset").graph)


@pytest.mark.parametrize("name", ["branches", "offset"])
def test_both_ends_of_other_networks(digits: Digits, branches: Graph, name: str) -> None:
    graph, x = branches if name == "branches" else offset(), digits.judged.x[:64]
    assert any(n.op.operands for n in graph.nodes)
    annotated = Quantize(correct_biases=False, equalize_layers=False).annotate(graph, digits.calibration)
    np.testing.assert_array_equal(outputs(Mixture(annotated), x), integer_outputs(freeze(annotated), x))
    whole = Mixture(annotated, frozenset(annotated.tensors))
    np.testing.assert_allclose(outputs(whole, x), float_outputs(graph, x), atol=1e-4)


def test_each_half_costs_less_than_both(digits: Digits, annotated: Graph) -> None:
    x = digits.judged.x
    wanted = outputs(Mixture(annotated, frozenset(annotated.tensors)), x)
    real = {"both": (), "weights": activations_of(annotated), "activations": constants_of(annotated)}
    error = {
        step: np.square(outputs(Mixture(annotated).leaving(names), x) - wanted).mean()
        for step, names in real.items()
    }
    assert 0 < error["activations"] < error["weights"] < 1.2 * error["both"]


def test_a_bias_goes_with_its_weights(digits: Digits, annotated: Graph) -> None:
    x, node = digits.judged.x[:32], digits.convolutions[0]
    one = outputs(Mixture(annotated, frozenset(node.inputs[1:2])), x)
    both = outputs(Mixture(annotated, frozenset(node.inputs[1:])), x)
    np.testing.assert_array_equal(one, both)
