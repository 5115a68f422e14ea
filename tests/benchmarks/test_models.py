from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from benchmarks.models import autoencoder, ds_cnn, ecg_net, lenet, mobilenet_v1, mobilenet_v2, resnet8, tcn


@dataclass(frozen=True)
class Example:
    """What an architecture must be: `parameters` as the MLPerf Tiny reference models count them.

    They count weights, one bias per output channel and four numbers per channel of a batch-norm.
    """

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    outputs: int
    parameters: int
    macs: int


EXAMPLES = {
    "ds_cnn": Example(ds_cnn.make, (1, 49, 10), 12, 24_908, 2_656_768),
    "mobilenet_v1": Example(mobilenet_v1.make, (3, 96, 96), 2, 221_794, 7_489_664),
    "resnet8": Example(resnet8.make, (3, 32, 32), 10, 78_666, 12_501_632),
    "autoencoder": Example(autoencoder.make, (640,), 640, 269_992, 264_192),
    "mobilenet_v2": Example(mobilenet_v2.make, (3, 48, 48), 10, 56_658, 2_987_264),
    "tcn": Example(tcn.make, (3, 128), 6, 6_326, 712_800),
    "tcn_causal": Example(lambda: tcn.make(causal=True), (3, 128), 6, 6_326, 712_800),
    "lenet": Example(lenet.make, (1, 28, 28), 10, 61_706, 416_520),
    "ecg_net": Example(lambda: ecg_net.make(6, 128), (6, 128), 4, 24_356, 397_440),
}


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Example:
    return EXAMPLES[request.param]


def test_gives_finite_outputs_of_the_stated_size(example: Example) -> None:
    with torch.no_grad():
        out = example.make().eval()(torch.randn(3, *example.shape))
    assert out.shape == (3, example.outputs)
    assert out.isfinite().all()


def test_has_the_stated_parameters(example: Example) -> None:
    assert parameters(example.make()) == example.parameters


def test_ds_cnn_has_the_stated_weights_once_batch_norm_is_folded() -> None:
    model = ds_cnn.make()
    norms = sum(m.num_features for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    assert parameters(model) - 4 * norms == 22_604


def test_costs_the_stated_multiply_accumulates(example: Example) -> None:
    assert macs(example.make().eval(), torch.zeros(1, *example.shape)) == example.macs


def test_survives_export(example: Example) -> None:
    model, x = example.make().eval(), torch.randn(1, *example.shape)
    exported = torch.export.export(model, (x,))
    with torch.no_grad():
        torch.testing.assert_close(exported.module()(x), model(x))


def test_causal_tcn_sees_no_later_sample() -> None:
    blocks = tcn.make(causal=True).eval().blocks
    x = torch.randn(1, 3, 128)
    changed = torch.cat([x[:, :, :64], torch.randn(1, 3, 64)], dim=2)
    with torch.no_grad():
        before, after = blocks(x), blocks(changed)
    torch.testing.assert_close(after[:, :, :64], before[:, :, :64])
    assert not torch.equal(after[:, :, 64:], before[:, :, 64:])


def parameters(model: nn.Module) -> int:
    layers = [m for m in model.modules() if isinstance(m, (nn.Conv1d, nn.Conv2d, nn.Linear))]
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    weights_and_biases = sum(m.weight.numel() + m.weight.shape[0] for m in layers)
    return weights_and_biases + 4 * sum(m.num_features for m in norms)


def macs(model: nn.Module, x: torch.Tensor) -> int:
    """Counted where they happen: each output value of a layer costs one row of its weights."""
    counts: list[int] = []

    def count(module: nn.Module, _: object, out: torch.Tensor) -> None:
        weight = module.get_parameter("weight")
        counts.append(out[0].numel() * weight[0].numel())

    for module in model.modules():
        if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(x)
    return sum(counts)
