"""The forward pass used in fine-tuning, the frozen Graph and the compiled C give the same integers, model by model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.models import autoencoder, ds_cnn, ecg_net, lenet, mobilenet_v1, mobilenet_v2, resnet8, tcn
from pintsize.compress.quantize import Bits, Quantize, freeze
from pintsize.emulate import HostModel
from pintsize.graph import Graph
from pintsize.module import GraphModule, run_integers
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read
from pintsize.verify import input_codes, verify
from pintsize.write.c import write

SIGNAL = (1, 128)
MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "ds_cnn": (ds_cnn.make, (1, 49, 10), 64),
    "mobilenet_v1": (mobilenet_v1.make, (3, 96, 96), 6),
    "resnet8": (resnet8.make, (3, 32, 32), 16),
    "autoencoder": (autoencoder.make, (640,), 64),
    "mobilenet_v2": (mobilenet_v2.make, (3, 32, 32), 16),
    "tcn": (tcn.make, (), 32),
    "lenet": (lenet.make, (1, 28, 28), 64),
    "ecg_net": (ecg_net.make, (4, 160), 32),
}


def first_channels(model: nn.Module) -> int:
    return next(m for m in model.modules() if isinstance(m, nn.Conv1d)).in_channels


def random_model(name: str) -> tuple[nn.Module, tuple[int, ...], np.ndarray]:
    """Random weights, random statistics in every batch norm, random inputs."""
    torch.manual_seed(0)
    make, shape, count = MODELS[name]
    model = make()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    shape = shape or (first_channels(model), 128)
    return model, shape, torch.randn(count, *shape).numpy()


def trained_a_little(name: str, bits: Bits) -> tuple[GraphModule, Graph, np.ndarray]:
    model, shape, x = random_model(name)
    reading = read(model, sample_shape=shape)
    arranged = reading.arrange(x)
    module = GraphModule(Quantize(bits).annotate(fold(reading.graph), arranged))
    optimizer = torch.optim.Adam(module.parameters(), 1e-3)
    for _ in range(2):
        optimizer.zero_grad()
        module(torch.from_numpy(arranged)).square().mean().backward()
        optimizer.step()
    return module.eval(), freeze(module.graph()), arranged


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("name", MODELS)
def test_training_graph_and_c_agree_on_every_integer(name: str, bits: Bits) -> None:
    module, graph, x = trained_a_little(name, bits)
    trained = module.forward_codes(torch.from_numpy(x)).detach().numpy().astype(np.int8)
    codes = input_codes(graph, x)
    frozen = run_integers(graph, codes)
    np.testing.assert_array_equal(trained, frozen)
    with HostModel(write(graph).files) as host:
        np.testing.assert_array_equal(host.run(codes.reshape(len(codes), -1)), frozen.reshape(len(codes), -1))


@pytest.mark.long
@pytest.mark.parametrize("name", ["ds_cnn", "autoencoder", "tcn", "lenet", "mobilenet_v2"])
def test_every_core_agrees(name: str) -> None:
    _, graph, x = trained_a_little(name, 8)
    codes = input_codes(graph, x[:3])
    checks, _ = verify(write(graph).files, codes, run_integers(graph, codes))
    assert len(checks) >= 6
    assert all(c.mismatches == 0 for c in checks)
