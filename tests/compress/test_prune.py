"""Channels are really removed, together with everything that depends on them, and nothing collapses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.models import ds_cnn, lenet, mobilenet_v2, resnet8, tcn
from pintsize.compress.channels import map_channels
from pintsize.compress.importance import CRITERIA, Examples
from pintsize.compress.prune import Prune
from pintsize.errors import UserError
from pintsize.graph import Graph
from pintsize.module import run_float
from pintsize.passes.simplify import simplify
from pintsize.read.torch_export import read

MODELS = {
    "ds_cnn": (ds_cnn.make, (1, 49, 10)),
    "resnet8": (resnet8.make, (3, 32, 32)),
    "mobilenet_v2": (mobilenet_v2.make, (3, 32, 32)),
    "lenet": (lenet.make, (1, 28, 28)),
}


def graph_of(model: nn.Module, shape: tuple[int, ...]) -> Graph:
    return simplify(read(model.eval(), sample_shape=shape).graph)


def inputs_for(graph: Graph, count: int = 4) -> np.ndarray:
    shape = graph.type(graph.inputs[0]).shape
    return np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)


def with_dead_channels(graph: Graph, alive: set[int]) -> Graph:
    """The unpruned graph with the removed channels' constants at zero instead."""
    flow = map_channels(graph)
    for (name, axis), ids in flow.slices.items():
        tensor = graph.tensors[name]
        shape = [1] * len(tensor.type.shape)
        shape[axis] = -1
        mask = np.array([int(i) in alive for i in ids], np.float32).reshape(shape)
        graph = graph.with_tensors(type(tensor)(name, tensor.type, tensor.data * mask))
    return graph


@pytest.mark.parametrize("name", MODELS)
def test_removing_channels_equals_zeroing_them(name: str) -> None:
    make, shape = MODELS[name]
    graph = graph_of(make(), shape)
    pruned = Prune(0.5)(graph)
    x = torch.from_numpy(inputs_for(graph))
    flow = map_channels(graph)
    scores = CRITERIA["l2"](graph, flow, None, 0)
    alive = Prune(0.5)._survivors(flow, scores)
    assert pruned.weight_bytes < 0.5 * graph.weight_bytes
    torch.testing.assert_close(
        run_float(pruned, x), run_float(with_dead_channels(graph, alive), x), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_criterion_gives_a_legal_graph_and_the_same_one_twice(criterion: str) -> None:
    graph = graph_of(resnet8.make(), (3, 32, 32))
    examples = Examples(inputs_for(graph, 8), np.arange(8) % 10)
    first, second = (Prune(0.5, criterion=criterion)(graph, examples) for _ in range(2))
    assert first.macs < 0.4 * graph.macs
    for name, tensor in first.tensors.items():
        if tensor.data is not None:
            np.testing.assert_array_equal(tensor.data, second.tensors[name].data)


@pytest.mark.parametrize("width", [0.03, 0.3, 0.6])
def test_widths_are_aligned_and_no_layer_falls_below_the_floor(width: float) -> None:
    graph = graph_of(mobilenet_v2.make(), (3, 32, 32))
    pruned = Prune(width, alignment=4, floor=8)(graph)
    before = {g.layers: len(g.channels) for g in map_channels(graph).groups}
    for group in map_channels(pruned).groups:
        now = len(group.channels)
        assert now >= min(8, before[group.layers])
        assert now % 4 == 0 or now == before[group.layers]


def test_residual_branches_keep_the_same_channels() -> None:
    graph = graph_of(resnet8.make(), (3, 32, 32))
    sizes = {len(g.layers) for g in map_channels(graph).groups}
    assert max(sizes) >= 2


def test_inputs_and_outputs_stay() -> None:
    graph = graph_of(tcn.make(), tcn_shape())
    pruned = Prune(0.25)(graph)
    assert pruned.type(pruned.inputs[0]) == graph.type(graph.inputs[0])
    assert pruned.type(pruned.outputs[0]) == graph.type(graph.outputs[0])


def tcn_shape() -> tuple[int, ...]:
    first = next(m for m in tcn.make().modules() if isinstance(m, nn.Conv1d))
    return (first.in_channels, 64)


class Branches(nn.Module):
    """A concat of two widths, a gate, and a flatten."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 12, 3, padding=1), nn.Conv2d(3, 8, 1)
        self.mix, self.gate = nn.Conv2d(20, 16, 1), nn.Conv2d(16, 16, 1)
        self.classify = nn.Linear(16 * 16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.mix(torch.cat([torch.relu(self.a(x)), self.b(x)], 1))
        return self.classify(torch.flatten(y * torch.sigmoid(self.gate(y)), 1))


def test_concat_gate_and_flatten_shrink_together() -> None:
    graph = graph_of(Branches(), (3, 4, 4))
    pruned = Prune(0.5)(graph)
    shapes = {n.name: pruned.type(n.inputs[1]).shape for n in pruned.nodes if len(n.inputs) == 3}
    assert shapes["a"] == (8, 3, 3, 3)
    assert shapes["b"] == (4, 1, 1, 3)
    assert shapes["mix"] == (8, 1, 1, 12)
    assert shapes["classify"] == (5, 8 * 16)


class Operands(nn.Module):
    """Constants and slopes per channel, channels side by side along rows, a channel taken by its number."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 16, 3), nn.Conv2d(16, 16, 1)
        self.grid = nn.Parameter(torch.randn(1, 16, 1, 6))
        self.slopes = nn.PReLU(16)
        self.last = nn.Conv2d(16, 8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.slopes(self.first(x) + self.grid)
        x = torch.cat([x, self.second(x) - x], 2)
        x = self.last(F.interpolate(x, scale_factor=2))
        return x[:, 2:5].mean((1, 2))


def test_operands_shrink_with_the_channels_that_they_meet() -> None:
    graph = graph_of(Operands(), (3, 8, 8))
    pruned = Prune(0.5)(graph)
    shapes = {
        n.op.name: pruned.type(n.inputs[1]).shape for n in pruned.nodes if n.op.name in ("add", "prelu")
    }
    assert shapes == {"add": (1, 6, 8), "prelu": (8,)}
    convolutions = [n for n in pruned.nodes if n.op.name == "conv2d"]
    assert [pruned.type(n.output).shape[-1] for n in convolutions] == [8, 8, 8]  # numbered channels stay
    flow = map_channels(graph)
    alive = Prune(0.5)._survivors(flow, CRITERIA["l2"](graph, flow, None, 0))
    x = torch.from_numpy(inputs_for(graph))
    torch.testing.assert_close(
        run_float(pruned, x), run_float(with_dead_channels(graph, alive), x), rtol=1e-4, atol=1e-4
    )


def test_one_layer_can_have_its_own_width() -> None:
    graph = graph_of(lenet.make(), (1, 28, 28))
    layer = map_channels(graph).groups[0].layers[0]
    pruned = Prune(1.0, layer_widths={layer: 0.5}, alignment=1, floor=1)(graph)
    narrowed = {g.layers: len(g.channels) for g in map_channels(pruned).groups}
    whole = {g.layers: len(g.channels) for g in map_channels(graph).groups}
    assert narrowed[(layer,)] == -(-whole[(layer,)] // 2)
    assert all(narrowed[k] == whole[k] for k in whole if k != (layer,))


@pytest.mark.parametrize("wrong", [{"width": 0.0}, {"width": 1.5}, {"criterion": "magic"}, {"alignment": 0}])
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError):
        Prune(**wrong)  # type: ignore[arg-type]


def test_unknown_layers_and_missing_examples_are_refused() -> None:
    graph = graph_of(lenet.make(), (1, 28, 28))
    with pytest.raises(UserError, match="nowhere"):
        Prune(layer_widths={"nowhere": 0.5})(graph)
    with pytest.raises(UserError, match="examples"):
        Prune(criterion="taylor")(graph)


class Twice(nn.Module):
    """The same layer in two places: one constant, two readers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.again = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.classify = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.again(torch.relu(self.again(torch.relu(self.stem(x))))))
        return self.classify(y.mean((2, 3)))


def test_a_layer_used_twice_is_cut_the_same_way_for_both() -> None:
    graph = graph_of(Twice(), (1, 6, 6))
    pruned = Prune(0.5)(graph)
    assert pruned.type("again.weight").shape == (4, 3, 3, 4)
    assert run_float(pruned, torch.from_numpy(inputs_for(pruned))).shape == (4, 3)
