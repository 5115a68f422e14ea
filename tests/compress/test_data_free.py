"""Samples made from batch norms: their statistics are met, and they calibrate as data would."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from pintsize.compress.data_free import mismatch, synthesize
from pintsize.compress.quantize import Quantize
from pintsize.embedded import Embedded, digits
from pintsize.errors import DataError, UserError
from pintsize.graph import Graph
from pintsize.ops import BatchNorm
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.verify import float_outputs, integer_outputs


@pytest.fixture(scope="module")
def embedded() -> Embedded:
    return digits()


@pytest.fixture(scope="module")
def graph(embedded: Embedded) -> Graph:
    return simplify(read(embedded.teacher, sample_shape=embedded.splits.sample_shape).graph)


def channels_last(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def test_synthesized_samples_calibrate_nearly_as_well_as_data(embedded: Embedded, graph: Graph) -> None:
    folded, test = fold(graph), embedded.splits.test
    made = synthesize(graph, 64)
    x = channels_last(test.x)
    teacher = float_outputs(folded, x)

    def right(samples: np.ndarray) -> float:
        return float((integer_outputs(Quantize(8)(folded, samples), x).argmax(1) == test.y).mean())

    assert right(made) > right(channels_last(embedded.splits.train.x[:64])) - 0.02
    assert (teacher.argmax(1) == test.y).mean() > 0.9


def test_the_batch_norms_meet_their_statistics_in_the_samples(graph: Graph) -> None:
    norms = [n for n in graph.nodes if isinstance(n.op, BatchNorm)]
    of = partial(mismatch, graph, norms)
    noise, made = torch.randn(64, 8, 8, 1), torch.from_numpy(synthesize(graph, 64, steps=60))
    assert float(of(made)) < 0.2 * float(of(noise))


def test_the_same_seed_gives_the_same_samples(graph: Graph) -> None:
    first, again, other = (synthesize(graph, 8, seed, steps=3) for seed in (1, 1, 2))
    assert first.shape == (8, 8, 8, 1)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_batch_norms_there_is_nothing_to_go_by(graph: Graph) -> None:
    with pytest.raises(DataError, match="no batch norms"):
        synthesize(fold(graph), 8)


def test_one_sample_has_no_statistics(graph: Graph) -> None:
    with pytest.raises(UserError, match="at least 2"):
        synthesize(graph, 1)
