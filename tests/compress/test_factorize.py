"""Layers stand as two thinner ones that do the same, where their outputs span few directions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.models import autoencoder
from pintsize.compress.factorize import Factorize
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Quantize
from pintsize.errors import UserError
from pintsize.graph import Graph
from pintsize.module import run_float, run_integers
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.verify import float_outputs, input_codes, verify
from pintsize.write.c import write

IDS = 60


class Mixed(nn.Module):
    """A convolution with a window and a stride, one of 1x1, a layer of weights used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.window = nn.Conv2d(3, 24, 3, stride=2, padding=1)
        self.across = nn.Conv2d(24, 32, 1)
        self.again = nn.Linear(32, 32)
        self.last = nn.Linear(32, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.across(torch.relu(self.window(x)))).mean((2, 3))
        return self.last(torch.relu(self.again(torch.relu(self.again(x)))))


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(IDS, 32)
        self.last = nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.table(x.long())).mean(1))


def mixed() -> Graph:
    torch.manual_seed(0)
    return simplify(read(Mixed().eval(), (3, 8, 8)).graph)


def words() -> Graph:
    torch.manual_seed(0)
    return simplify(read(Words().eval(), (6,)).graph)


def images(count: int = 32) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 8, 8, 3)).astype(np.float32)


def orders(count: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, IDS, (count, 6)).astype(np.float32)


def wide(mixing: np.ndarray | None = None) -> tuple[Graph, np.ndarray]:
    """One layer, 48 → 40, and samples that span 6 directions; its weights span as many as `mixing` (40, n)."""
    random = np.random.default_rng(1)
    layer = nn.Linear(48, 40)
    if mixing is not None:
        weight = mixing @ random.normal(size=(mixing.shape[1], 48))
        layer.weight.data = torch.from_numpy(weight.astype(np.float32))
    graph = simplify(read(nn.Sequential(layer, nn.ReLU()).eval(), (48,)).graph)
    samples = random.normal(size=(200, 6)) @ random.normal(size=(6, 48)) + 0.5
    return graph, samples.astype(np.float32)


def factor_ranks(graph: Graph) -> list[int]:
    return [graph.type(n.inputs[1]).shape[0] for n in graph.nodes if n.name.endswith(".factor")]


def assert_same_outputs(a: Graph, b: Graph, x: np.ndarray, tolerance: float = 1e-4) -> None:
    np.testing.assert_allclose(float_outputs(a, x), float_outputs(b, x), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("with_samples", [True, False])
@pytest.mark.parametrize("folded", [True, False])
def test_all_directions_together_change_nothing(with_samples: bool, folded: bool) -> None:
    graph = fold(mixed()) if folded else mixed()
    layers = {n.name: len(graph.constant(n.inputs[1])) for n in graph.nodes if len(n.inputs) == 3}
    assert len(layers) == 5
    split = Factorize(layer_ranks=layers)(graph, images() if with_samples else None)
    assert len(split.nodes) == len(graph.nodes) + 5
    assert_same_outputs(split, graph, images())


def test_a_table_of_ids_becomes_a_thin_table_and_a_layer() -> None:
    graph = words()
    whole = Factorize(layer_ranks={"table": 32})(graph, orders())
    assert_same_outputs(whole, graph, orders())
    thin = Factorize(layer_ranks={"table": 8}, least_saving=0.9)(graph, orders())
    shapes = [thin.type(n.inputs[1]).shape for n in thin.nodes if len(n.inputs) == 3]
    assert shapes == [(8, IDS), (32, 8), (3, 32)]


def test_few_directions_of_the_weights_are_found_without_samples() -> None:
    graph, samples = wide(np.random.default_rng(2).normal(size=(40, 3)))
    split = Factorize(kept=0.9999)(graph)
    assert factor_ranks(split) == [4]
    assert split.weight_bytes < 0.3 * graph.weight_bytes
    assert_same_outputs(split, graph, samples, 1e-3)


def test_few_directions_of_the_outputs_are_found_with_samples_alone() -> None:
    graph, samples = wide()
    assert Factorize(kept=0.9999)(graph).nodes == graph.nodes
    split = Factorize(kept=0.9999, alignment=1)(graph, samples)
    assert factor_ranks(split) == [6]
    assert_same_outputs(split, graph, samples, 1e-3)


def test_more_power_kept_is_a_smaller_error() -> None:
    graph, samples = wide()
    wanted = float_outputs(graph, samples)
    errors = []
    for kept in (0.5, 0.9, 0.99):
        split = Factorize(kept, alignment=1)(graph, samples)
        errors.append(float(((float_outputs(split, samples) - wanted) ** 2).mean()))
    assert errors[0] > errors[1] > errors[2] > 0


def test_the_power_that_is_kept_is_that_of_the_outputs() -> None:
    graph, samples = wide()
    outputs = samples @ graph.constant(graph.nodes[0].inputs[1]).T
    centred = outputs - outputs.mean(0)
    split = Factorize(0.9, alignment=1)(graph, samples)
    lost: list[np.ndarray] = []

    def observe(name: str, value: torch.Tensor) -> None:
        if name == graph.nodes[0].output:
            lost.append(value.numpy() - graph.constant(graph.nodes[0].inputs[2]) - outputs)

    run_float(split, torch.from_numpy(samples), observe)
    share = 1 - (lost[0] ** 2).sum() / (centred**2).sum()
    assert 0.9 <= share < 1.0


def test_a_layer_that_would_save_too_little_stays_whole() -> None:
    graph, samples = wide()
    assert Factorize(0.9999, least_saving=0.0)(graph, samples).weight_bytes < graph.weight_bytes
    rank = factor_ranks(Factorize(0.9999)(graph, samples))[0]
    saved = 1 - rank * (48 + 40) / (48 * 40)
    assert Factorize(0.9999, least_saving=saved + 0.01)(graph, samples).nodes == graph.nodes


def test_the_same_samples_give_the_same_arrays() -> None:
    graph, samples = wide()
    first, second = (Factorize(0.9)(graph, samples) for _ in range(2))
    for name, tensor in first.tensors.items():
        if tensor.data is not None:
            np.testing.assert_array_equal(tensor.data, second.tensors[name].data)


def test_factors_are_pruned_and_quantized_and_written_like_other_layers() -> None:
    graph = mixed()
    split = Factorize(0.9, layer_ranks={"across": 8})(graph, images())
    narrow = Prune(0.75)(split)
    assert narrow.weight_bytes < split.weight_bytes < graph.weight_bytes
    x = np.ascontiguousarray(images(8))
    integers = Quantize(4)(fold(narrow), images())
    codes = input_codes(integers, x)
    checks, _ = verify(write(integers).files, codes, run_integers(integers, codes), ("host", "cortex-m4"))
    assert [c.mismatches for c in checks] == [0] * len(checks)


def test_an_autoencoder_of_few_directions_loses_little_and_becomes_small() -> None:
    torch.manual_seed(0)
    graph = simplify(read(autoencoder.make().eval(), (640,)).graph)
    random = np.random.default_rng(0)
    samples = (random.normal(size=(300, 12)) @ random.normal(size=(12, 640))).astype(np.float32)
    split = Factorize(0.995)(graph, samples)
    assert split.weight_bytes < 0.4 * graph.weight_bytes
    wanted, have = float_outputs(graph, samples), float_outputs(split, samples)
    assert ((wanted - have) ** 2).mean() < 0.02 * wanted.var()


@pytest.mark.parametrize("wrong", [{"kept": 0.0}, {"kept": 1.5}, {"least_saving": 1.0}, {"least_saving": -0.1},
                                   {"alignment": 0}, {"layer_ranks": {"last": 0}}])  # fmt: skip
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError):
        Factorize(**wrong)  # type: ignore[arg-type]


def test_unknown_layers_ranks_that_are_not_there_and_no_samples_are_refused() -> None:
    graph = mixed()
    with pytest.raises(UserError, match="nowhere"):
        Factorize(layer_ranks={"nowhere": 4})(graph)
    with pytest.raises(UserError, match="across has 32 outputs"):
        Factorize(layer_ranks={"across": 33})(graph)
    with pytest.raises(UserError, match="no samples"):
        Factorize()(graph, images(0))
