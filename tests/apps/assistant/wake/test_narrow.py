"""Weights of 4 bits while the network learns, and that the integers keep them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pintsize import Quantize, read_torch
from pintsize.apps.assistant.wake.narrow import BITS, fix, narrow, narrow_layers, on_grid
from pintsize.apps.assistant.wake.network import Network, absorb_input_norm
from pintsize.apps.assistant.wake.shape import MELS, Shape
from pintsize.integers import run_integers
from pintsize.passes.simplify import fold

SHAPE = Shape(width=34, kernel=3, dilations=(1,), stem=3)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    made = Network(SHAPE, 3)
    with torch.no_grad():
        for _ in range(3):
            made(torch.randn(8, MELS, SHAPE.frames) * 3.0 - 10.0)  # for the norms
    return made


def test_a_row_has_few_values_near_its_own() -> None:
    weight = torch.randn(5, 40, generator=torch.Generator().manual_seed(1))
    made = on_grid(weight)
    assert all(len(row.unique()) <= 15 for row in made)
    assert float((made - weight).square().mean() / weight.square().mean()) < 0.02
    torch.testing.assert_close(on_grid(made), made)


def test_large_layers_are_narrow_and_learn_on(network: Network) -> None:
    assert set(narrow_layers(network)) == {"stem", "blocks.0.pointwise"}
    before = [p.clone() for p in network.parameters()]
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    narrow(network)
    network.train()
    network(torch.randn(8, MELS, SHAPE.frames)).square().mean().backward()
    optimizer.step()
    assert all(not torch.equal(p, old) for p, old in zip(network.parameters(), before, strict=True))
    fix(network.eval())
    point = narrow_layers(network)["blocks.0.pointwise"].weight.detach()
    torch.testing.assert_close(on_grid(point), point)


def test_integers_are_those_that_it_learnt_with(network: Network) -> None:
    x = np.random.default_rng(0).normal(-10, 3, (64, 1, SHAPE.frames, MELS)).astype(np.float32)
    narrow(network)
    fix(network.eval())
    with torch.no_grad():
        wanted = network(torch.from_numpy(x[:, 0]).transpose(1, 2))[:, :, 0].numpy()
    absorb_input_norm(network)
    read = fold(read_torch(network, (MELS, SHAPE.frames)).graph)
    how = Quantize(layer_bits=dict.fromkeys(narrow_layers(network), BITS), equalize_layers=False)
    graph = how(read, x)
    taken, given = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    codes = np.clip(np.rint(x / taken.scale[0]) + taken.zero_point, -128, 127).astype(np.int8)
    found = (run_integers(graph, codes).reshape(64, 3) - given.zero_point) * given.scale[0]
    assert np.abs(found - wanted).mean() < 0.1 * wanted.std()
