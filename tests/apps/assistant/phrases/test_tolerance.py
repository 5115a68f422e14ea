"""How readily `other` is said: lowered as far as other speech is still refused, and no further."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pintsize import Graph, Quantize, read_torch
from pintsize.apps.assistant.phrases.tolerance import REFUSED, lowered, tolerant
from pintsize.errors import UserError
from pintsize.integers import run_integers
from pintsize.passes.simplify import fold
from pintsize.stream.decision import Calibration

OTHER = 2
LEAST = 0.6


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Three logits of six numbers, of which the last is far above the others on most inputs."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        last = model[2]
        assert isinstance(last, nn.Linear)
        last.bias[OTHER] += 3.0
    x = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
    return Quantize(activation_bits=16)(fold(read_torch(model.eval(), (6,)).graph), x)


@pytest.fixture(scope="module")
def others() -> np.ndarray:
    return np.random.default_rng(1).integers(-20000, 20000, (200, 6)).astype(np.int16)


def logits(graph: Graph, x: np.ndarray) -> np.ndarray:
    output = graph.type(graph.outputs[0])
    return (run_integers(graph, x).astype(float) - output.zero_point) * output.scale[0]


def refused(graph: Graph, x: np.ndarray) -> float:
    found = Calibration().probabilities(logits(graph, x))
    return 1.0 - float(((found.argmax(1) != OTHER) & (found.max(1) >= LEAST)).mean())


def test_other_is_lowered_as_far_as_other_speech_allows(graph: Graph, others: np.ndarray) -> None:
    found = tolerant(graph, others, OTHER, Calibration(), LEAST)
    assert logits(found, others)[:, OTHER].mean() < logits(graph, others)[:, OTHER].mean() - 0.2
    assert REFUSED - 0.02 <= refused(found, others) < refused(graph, others)
    assert refused(lowered(found, OTHER, 1.0), others) < REFUSED


def test_only_that_output_changes_and_by_as_much(graph: Graph, others: np.ndarray) -> None:
    before, after = logits(graph, others), logits(lowered(graph, OTHER, 0.5), others)
    np.testing.assert_array_equal(before[:, :OTHER], after[:, :OTHER])
    top, bottom = 0.99 * before.max(), after[:, OTHER].min()
    inside = (before[:, OTHER] < top) & (after[:, OTHER] > bottom)  # the others end at the grid's bounds
    assert inside.mean() > 0.5
    np.testing.assert_allclose((before - after)[inside, OTHER], 0.5, atol=0.01)


def test_a_network_that_does_not_end_with_a_linear_layer_is_refused() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 3), nn.Softmax(1))
    x = np.zeros((4, 6), np.float32) + np.arange(6, dtype=np.float32)
    graph = Quantize()(fold(read_torch(model.eval(), (6,)).graph), x)
    with pytest.raises(UserError, match="ends with softmax, not with a linear layer"):
        lowered(graph, OTHER, 1.0)
