"""What lives and dies together beyond channels: attention heads, widths around norms, hidden units of a GRU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.channels import ChannelMap, map_channels
from pintsize.compress.importance import CRITERIA, Examples
from pintsize.compress.prune import Prune, remove_channels
from pintsize.compress.quantize import Quantize, freeze
from pintsize.graph import Graph
from pintsize.module import GraphModule, run_float, run_integers
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.verify import input_codes, random_codes, verify
from pintsize.write.c import write

STEPS, WIDTH, HEADS, IDS = 5, 16, 4, 40


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(IDS, WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 24, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.last = nn.Linear(WIDTH, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.layers(self.table(x.long())).mean(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(6, 12, batch_first=True)
        self.last = nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.gru(x)[0][:, -1])


def transformer() -> Graph:
    torch.manual_seed(0)
    return simplify(read(Transformer(), (STEPS,)).graph)


def recurrent() -> Graph:
    torch.manual_seed(0)
    return simplify(read(Recurrent(), (STEPS, 6)).graph)


def orders(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, IDS, (count, STEPS)).astype(np.float32)


def signals(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (count, STEPS, 6)).astype(np.float32)


MODELS = {"transformer": (transformer, orders), "recurrent": (recurrent, signals)}


def width_by_layer(flow: ChannelMap) -> dict[str, tuple[int, int]]:
    """First layer of a group → (channels, unit)."""
    return {group.layers[0]: (len(group.channels), group.unit) for group in flow.groups}


def real(graph: Graph, x: np.ndarray) -> np.ndarray:
    return run_float(graph, torch.from_numpy(x)).detach().numpy()


def test_heads_inner_widths_and_the_width_of_all_layers_are_groups() -> None:
    flow = map_channels(transformer())
    assert width_by_layer(flow) == {
        "table": (WIDTH, 1),
        "layers.layers.0.self_attn.q": (HEADS, WIDTH // HEADS),
        "layers.layers.0.linear1": (24, 1),
    }
    heads = next(g for g in flow.groups if g.unit > 1)
    assert [name.rsplit(".", 1)[1] for name in heads.layers] == ["q", "k", "v"]


def test_a_removed_head_is_a_head_that_says_nothing() -> None:
    graph, x = transformer(), orders(20)
    flow = map_channels(graph)
    heads = next(g for g in flow.groups if g.unit > 1)
    every = {int(i) for ids in (*flow.tensors.values(), *flow.slices.values()) for i in ids}
    smaller = remove_channels(graph, flow, every - {heads.channels[1]})
    last = graph.tensors["layers.layers.0.self_attn.out_proj.weight"]
    assert last.data is not None
    silent = last.data.copy()
    silent[:, WIDTH // HEADS : 2 * (WIDTH // HEADS)] = 0
    silenced = graph.with_tensors(type(last)(last.name, last.type, silent))
    assert smaller.weight_bytes < graph.weight_bytes
    np.testing.assert_allclose(real(smaller, x), real(silenced, x), atol=1e-5)
    shapes = {n.op.name: smaller.type(n.output).shape for n in smaller.nodes}
    assert shapes["softmax"] == (HEADS - 1, STEPS, STEPS)


def test_a_removed_unit_is_one_that_nobody_hears() -> None:
    graph, x = recurrent(), signals(20)
    flow = map_channels(graph)
    unit = flow.groups[0].channels[3]
    every = {int(i) for ids in (*flow.tensors.values(), *flow.slices.values()) for i in ids}
    smaller = remove_channels(graph, flow, every - {unit})
    deaf = []
    for name, axis in (("gru.weight_hh_l0", 2), ("last.weight", 1)):
        tensor = graph.tensors[name]
        assert tensor.data is not None
        data = tensor.data.copy()
        data[(slice(None),) * axis + (3,)] = 0
        deaf.append(type(tensor)(name, tensor.type, data))
    np.testing.assert_allclose(real(smaller, x), real(graph.with_tensors(*deaf), x), atol=1e-5)


@pytest.mark.parametrize(
    ("alignment", "width", "heads"), [(4, 0.5, 2), (8, 0.5, 2), (8, 0.3, 2), (1, 0.1, 1)]
)
def test_alignment_and_floor_count_outputs_not_heads(alignment: int, width: float, heads: int) -> None:
    pruned = Prune(width, alignment=alignment, floor=4)(transformer())
    assert pruned.type("layers.layers.0.self_attn.q").shape[-1] == heads * WIDTH // HEADS


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("name", MODELS)
def test_every_criterion_ranks_them(name: str, criterion: str) -> None:
    make, data = MODELS[name]
    graph = make()
    pruned = Prune(0.5, criterion=criterion)(graph, Examples(data(16)))  # pyright: ignore[reportArgumentType]
    assert pruned.macs < 0.6 * graph.macs
    assert real(pruned, data(4)).shape == (4, 3)


def test_positions_along_the_axis_of_heads_are_known() -> None:
    graph = transformer()
    flow = map_channels(graph)
    heads = next(g for g in flow.groups if g.unit > 1)
    softmax = next(n.output for n in graph.nodes if n.op.name == "softmax")
    assert tuple(flow.along[softmax, 0].tolist()) == heads.channels
    assert (softmax, 2) not in flow.along
    assert softmax not in flow.tensors


@pytest.mark.parametrize("name", MODELS)
def test_pruned_they_learn_in_integers_and_c_computes_the_same(name: str) -> None:
    make, data = MODELS[name]
    annotated = Quantize(4).annotate(fold(Prune(0.5)(make())), data(64))
    module = GraphModule(annotated)
    optimizer = torch.optim.Adam(module.parameters(), 1e-3)
    target = torch.randint(0, 3, (16,), generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(4):
        loss = nn.functional.cross_entropy(module(torch.from_numpy(data(16))), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    graph = freeze(module.graph())
    codes = np.concatenate([random_codes(graph, 8), input_codes(graph, data(8))])
    module_codes = module.eval().forward_codes(torch.from_numpy(data(8))).detach().numpy()
    assert np.array_equal(module_codes, run_integers(graph, codes)[8:])
    checks, _ = verify(write(graph).files, codes, run_integers(graph, codes), ("host", "cortex-m4"))
    assert [c.mismatches for c in checks] == [0] * len(checks)
