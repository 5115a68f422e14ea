"""What torch computes, the Graph computes; what cannot be read is named with its place."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import Graph
from pintsize.module import run_float
from pintsize.ops import (
    AveragePool2d,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Matmul,
    Pad,
    Reshape,
    Softmax,
    Transpose,
)
from pintsize.passes.simplify import fold
from pintsize.read.layout import Layout
from pintsize.read.reading import Reading
from pintsize.read.torch_export import read

MODELS = {
    "ds_cnn": (1, 49, 10),
    "mobilenet_v1": (3, 96, 96),
    "resnet8": (3, 32, 32),
    "autoencoder": (640,),
    "mobilenet_v2": (3, 48, 48),
    "tcn": (3, 128),
    "lenet": (1, 28, 28),
    "ecg_net": (4, 160),
}


class Apply(nn.Module):
    """A function as a model."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def randomize(model: nn.Module, seed: int = 0) -> nn.Module:
    """Batch norms with statistics and gains as a trained model has them."""
    torch.manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.running_mean is not None:
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias)
    return model


def outputs(model: nn.Module, reading: Reading, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(torch's, ours) in torch's order, for three random inputs."""
    x = 2 * torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = run_float(reading.graph, torch.from_numpy(reading.arrange(x.numpy())))
        theirs = model.eval()(x.clone())
    return theirs.numpy(), reading.restore(ours.numpy())


def check(model: nn.Module, shape: tuple[int, ...]) -> Graph:
    """Reads the model and compares it with torch; gives the Graph back."""
    reading = read(randomize(model), shape)
    theirs, ours = outputs(model, reading, shape)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    return reading.graph


def ops(graph: Graph) -> list[type]:
    return [type(n.op) for n in graph.nodes]


@pytest.mark.parametrize("name", MODELS)
def test_reads_the_models_that_users_have(name: str) -> None:
    model = importlib.import_module(f"benchmarks.models.{name}").make()
    graph = check(model, MODELS[name])
    assert graph.nodes[-1].name == list(model.named_modules())[-1][0]


def test_a_causal_network_too() -> None:
    check(importlib.import_module("benchmarks.models.tcn").make(causal=True), (3, 64))


IMAGE = (4, 8, 10)

MODULES: dict[str, nn.Module] = {
    "conv": nn.Conv2d(4, 6, 3, stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
    "conv without bias": nn.Conv2d(4, 6, 3, bias=False),
    "conv same, even kernel": nn.Conv2d(4, 6, 4, padding="same"),
    "conv same, dilated": nn.Conv2d(4, 6, (2, 3), padding="same", dilation=(3, 2)),
    "conv valid": nn.Conv2d(4, 6, 3, padding="valid"),
    "depthwise": nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4),
    "depthwise, 3 per channel": nn.Conv2d(4, 12, (3, 2), groups=4),
    "batch norm": nn.BatchNorm2d(4),
    "batch norm, not affine": nn.BatchNorm2d(4, affine=False, eps=1e-2),
    "ReLU": nn.ReLU(),
    "ReLU in place": nn.ReLU(inplace=True),
    "ReLU6": nn.ReLU6(),
    "Hardtanh": nn.Hardtanh(0, 6),
    "Hardtanh in place": nn.Hardtanh(0, 6, inplace=True),
    "Hardswish": nn.Hardswish(),
    "Hardswish in place": nn.Hardswish(inplace=True),
    "LeakyReLU": nn.LeakyReLU(0.1),
    "LeakyReLU in place": nn.LeakyReLU(0.2, inplace=True),
    "Sigmoid": nn.Sigmoid(),
    "Tanh": nn.Tanh(),
    "Softmax": nn.Softmax(1),
    "Softmax along the width": nn.Softmax(-1),
    "MaxPool": nn.MaxPool2d(3, 2, 1),
    "MaxPool dilated": nn.MaxPool2d(2, 1, dilation=2),
    "MaxPool ceil": nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    "MaxPool ceil, window past the end": nn.MaxPool2d(2, 3, 1, ceil_mode=True),
    "AvgPool": nn.AvgPool2d(2),
    "AvgPool, pad counts": nn.AvgPool2d(3, 2, 1),
    "AvgPool, pad does not count": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "AvgPool ceil": nn.AvgPool2d(3, 2, ceil_mode=True),
    "AvgPool ceil, pad counts": nn.AvgPool2d(3, 2, (0, 1), ceil_mode=True),
    "AvgPool ceil, pad does not count": nn.AvgPool2d((3, 4), 3, 1, ceil_mode=True, count_include_pad=False),
    "AdaptiveAvgPool": nn.AdaptiveAvgPool2d(1),
    "AdaptiveAvgPool (2, 5)": nn.AdaptiveAvgPool2d((2, 5)),
    "AdaptiveAvgPool (4, None)": nn.AdaptiveAvgPool2d((4, None)),
    "AdaptiveMaxPool": nn.AdaptiveMaxPool2d((2, 1)),
    "ZeroPad": nn.ZeroPad2d((1, 2, 0, 3)),
    "ConstantPad 0": nn.ConstantPad2d(1, 0.0),
    "Flatten": nn.Flatten(),
    "Flatten some": nn.Sequential(nn.Flatten(2), nn.ReLU()),
    "Unflatten": nn.Sequential(nn.Flatten(), nn.Unflatten(1, (8, 5, 8)), nn.ReLU()),
    "PReLU": nn.PReLU(4),
    "one PReLU": nn.PReLU(),
    "Hardtanh between": nn.Hardtanh(-1.0, 0.5),
    "Upsample": nn.Upsample(scale_factor=2),
    "ReflectionPad": nn.ReflectionPad2d((1, 0, 2, 3)),
    "Dropout": nn.Sequential(nn.Dropout(), nn.Dropout2d(), nn.AlphaDropout(), nn.Identity(), nn.ReLU()),
    "linear on images": nn.Linear(10, 3),
    "transposed conv": nn.ConvTranspose2d(4, 6, 3, stride=(2, 1), padding=(1, 0), output_padding=(1, 0)),
    "transposed conv, gaps": nn.ConvTranspose2d(4, 6, 2, stride=4, output_padding=(3, 2), bias=False),
    "layer norm": nn.LayerNorm(10),
    "layer norm over two axes": nn.LayerNorm((8, 10)),
    "layer norm of all": nn.LayerNorm((4, 8, 10), elementwise_affine=False),
    "weight norm": nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 3, 3)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_on_images(name: str) -> None:
    check(MODULES[name], IMAGE)


FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "torch.relu": torch.relu,
    "relu_": lambda x: (x + 1).relu_(),
    "F.relu6": F.relu6,
    "clamp": lambda x: x.clamp(0, 6),
    "clamp min": lambda x: x.clamp(min=0),
    "clamp_min": lambda x: x.clamp_min(0),
    "clamp_": lambda x: (x * 2).clamp_(0, 6),
    "sigmoid": torch.sigmoid,
    "tanh_": lambda x: (x / 2).tanh_(),
    "softmax": lambda x: F.softmax(x, dim=-3),
    "cat channels": lambda x: torch.cat([x, x.relu()], 1),
    "cat rows": lambda x: torch.cat([x, x.relu(), x], 2),
    "cat columns": lambda x: torch.cat([x, x.relu()], -1),
    "add": lambda x: x + x.relu(),
    "add_": lambda x: x.relu().add_(x),
    "mul": lambda x: x * x.sigmoid(),
    "gate": lambda x: x * x.mean((2, 3), keepdim=True).sigmoid(),
    "gate first": lambda x: x.mean((2, 3), keepdim=True).sigmoid() * x,
    "gate by columns": lambda x: x + x.mean(2, keepdim=True),
    "gate by view": lambda x: x * F.adaptive_avg_pool2d(x, 1).flatten(1).sigmoid().view(-1, 4, 1, 1),
    "number on both sides": lambda x: 3 - 2 * (1 + x) / 4 - 1,
    "in place with numbers": lambda x: x.clone().mul_(2).sub_(1).div_(3).add_(0.5),
    "negative": lambda x: -x,
    "per channel": lambda x: (x - torch.tensor([1.0, 2, 3, 4]).view(1, -1, 1, 1)) / torch.ones(4, 1, 1),
    "constant minus": lambda x: torch.ones(1, 4, 1, 1) - x,
    "per column": lambda x: x * torch.arange(10.0),
    "mean": lambda x: x.mean([2, 3]),
    "mean kept": lambda x: x.mean((-2, -1), keepdim=True),
    "mean of rows": lambda x: x.mean(2),
    "mean of columns": lambda x: x.mean(3),
    "mean of mean": lambda x: x.mean(3).mean(2),
    "amax": lambda x: x.amax((2, 3)),
    "max": lambda x: x.max(-1).values.max(-1)[0],
    "flat max": lambda x: x.flatten(2).max(2)[0],
    "adaptive": lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1),
    "squeeze all": lambda x: F.adaptive_max_pool2d(x, 1).squeeze(),
    "pad": lambda x: F.pad(x, (1, 2)),
    "pad nothing": lambda x: F.pad(x, (0, 0)) + 1,
    "view": lambda x: x.view(x.shape[0], -1),
    "view -1": lambda x: x.view(-1, 320),
    "reshape": lambda x: x.reshape(x.size(0), 8, 40).relu(),
    "channel shuffle": lambda x: x.view(-1, 2, 2, 8, 10).transpose(1, 2).reshape(-1, 4, 8, 10).relu(),
    "permute": lambda x: x.permute(0, 2, 3, 1).contiguous(),
    "permute other": lambda x: x.permute(0, 3, 1, 2).relu(),
    "permute back": lambda x: x.permute(0, 2, 3, 1).relu().permute(0, 3, 1, 2),
    "permute nothing": lambda x: x.permute(0, 1, 2, 3).relu(),
    "permute negative": lambda x: x.permute(-4, -2, -1, -3).relu(),
    "transpose": lambda x: x.transpose(1, 2).relu(),
    "swapaxes": lambda x: x.swapaxes(-1, -2).relu(),
    "tokens": lambda x: x.flatten(2).transpose(1, 2).mean(1),
    "unsqueeze": lambda x: x.unsqueeze(1).relu().squeeze(1),
    "times a matrix": lambda x: x @ torch.arange(30.0).view(10, 3),
    "times a vector": lambda x: x @ torch.arange(10.0),
    "a matrix times": lambda x: torch.arange(24.0).view(3, 8) @ x,
    "times transposed": lambda x: x @ x.transpose(2, 3),
    "gram": lambda x: x.flatten(2) @ x.flatten(2).transpose(1, 2) / 80,
    "layer norm of channels": lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2),
    "mean of channels": lambda x: x.mean(1),
    "mean of channels, kept": lambda x: x - x.mean(1, keepdim=True),
    "mean of all but rows": lambda x: x.mean((1, 3)),
    "sum of columns": lambda x: x.sum(-1),
    "sum of channels": lambda x: x.sum((1, 2), keepdim=True),
    "outer sum": lambda x: x.mean(2, keepdim=True) + x.mean(3, keepdim=True),
    "spatial gate": lambda x: x * x[:, :1].sigmoid(),
    "difference": lambda x: x.relu() - x,
    "small minus large": lambda x: x.mean((2, 3), keepdim=True) - x,
    "constant grid": lambda x: x * torch.arange(80.0).view(8, 10) + torch.ones(1, 4, 8, 10),
    "from a constant grid": lambda x: torch.arange(320.0).view(4, 8, 10) - x,
    "by a constant grid": lambda x: x / (1 + torch.arange(80.0).view(8, 10)),
    "per row": lambda x: x * torch.arange(8.0).view(8, 1),
    "maximum": lambda x: torch.maximum(x, -x),
    "minimum with a constant": lambda x: torch.minimum(x, torch.tensor([0.5, 0, 1, 2]).view(4, 1, 1)),
    "clamp max": lambda x: x.clamp(max=0.3),
    "clamp between": lambda x: x.clamp(-0.2, 0.9),
    "chunk": lambda x: torch.cat(x.chunk(3, 1)[::-1], 1),
    "split": lambda x: x.split([1, 3], 1)[1] * x.split(1, 1)[2],
    "slice": lambda x: x[:, 1:3, ::2, -4:],
    "narrow": lambda x: x.narrow(-1, 2, 3),
    "select channel": lambda x: x[:, 2],
    "select row": lambda x: x[:, :, -1].relu(),
    "select column": lambda x: x[..., 3].relu(),
    "unbind": lambda x: x.unbind(2)[3] + x.unbind(2)[0],
    "index_select": lambda x: x.index_select(1, torch.tensor([3, 0, 0])),
    "index": lambda x: x[:, :, [5, 1]],
    "flip": lambda x: x.flip(1, 3),
    "tile": lambda x: x.tile((2, 1, 3)),
    "repeat": lambda x: x.repeat(1, 2, 1, 1),
    "expand": lambda x: x[:, :, :1].expand(-1, -1, 5, -1),
    "stack": lambda x: torch.stack([x, x.relu()], 2).flatten(1, 2),
    "GLU": lambda x: F.glu(x, 1),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2).relu(),
    "ELU": lambda x: F.elu(x, 0.5),
    "GELU": F.gelu,
    "GELU by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "hardsigmoid": F.hardsigmoid,
    "log_softmax": lambda x: F.log_softmax(x, 1),
    "abs": torch.abs,
    "exp": torch.exp,
    "square": lambda x: x**2 + x.square(),
    "root": lambda x: (x.abs() + 1).sqrt() + (x.abs() + 1).rsqrt(),
    "nearest": lambda x: F.interpolate(x, scale_factor=2),
    "nearest, to a size": lambda x: F.interpolate(x, (11, 7)),
    "nearest, by an odd factor": lambda x: F.interpolate(x, scale_factor=1.3),
    "nearest-exact": lambda x: F.interpolate(x, (5, 17), mode="nearest-exact"),
    "bilinear": lambda x: F.interpolate(x, scale_factor=(2, 0.5), mode="bilinear"),
    "bilinear, corners": lambda x: F.interpolate(x, (11, 7), mode="bilinear", align_corners=True),
    "reflect": lambda x: F.pad(x, (1, 2, 3, 0), mode="reflect"),
    "replicate": lambda x: F.pad(x, (1, 2, 3, 0), mode="replicate"),
    "pad with a number": lambda x: F.pad(x, (1, 1), value=-0.5),
    "pad channels": lambda x: F.pad(x, (0, 1, 0, 0, 1, 2)),
    "casts": lambda x: x.float().to(torch.float32).detach().relu(),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_on_images(name: str) -> None:
    check(Apply(FUNCTIONS[name]), IMAGE)


SIGNALS: dict[str, nn.Module] = {
    "conv": nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2),
    "conv same": nn.Conv1d(4, 6, 4, padding="same"),
    "depthwise": nn.Conv1d(4, 8, 3, groups=4),
    "transposed": nn.ConvTranspose1d(4, 6, 4, stride=3, padding=1, output_padding=2),
    "batch norm": nn.BatchNorm1d(4),
    "pools": nn.Sequential(nn.MaxPool1d(3, 2, 1, ceil_mode=True), nn.AvgPool1d(3, 2, 1)),
    "adaptive max": nn.AdaptiveMaxPool1d(3),
    "pad": nn.Sequential(nn.ConstantPad1d((3, 0), 0.0), nn.Conv1d(4, 3, 4)),
    "flatten": nn.Sequential(nn.Conv1d(4, 3, 3), nn.Flatten(), nn.Linear(39, 2)),
    "linear along time": nn.Sequential(nn.Conv1d(4, 3, 3), nn.Linear(13, 2)),
    "mean": nn.Sequential(nn.Conv1d(4, 3, 3), Apply(lambda x: x.mean(-1))),
    "upsample": nn.Upsample(scale_factor=3),
    "upsample linearly": nn.Upsample(30, mode="linear"),
    "reflect": nn.ReflectionPad1d((2, 1)),
    "last step": nn.Sequential(nn.Conv1d(4, 3, 3), Apply(lambda x: x[:, :, -1])),
    "halves": Apply(lambda x: x[:, :2] * x[:, 2:].sigmoid()),
    "as an image": nn.Sequential(Apply(lambda x: x.unsqueeze(1)), nn.Conv2d(1, 2, 3), nn.ReLU()),
    "as one row": nn.Sequential(
        nn.AdaptiveAvgPool1d(5),
        Apply(lambda x: x.unsqueeze(2)),
        nn.Conv2d(4, 2, (1, 3)),
        Apply(lambda x: x.squeeze(2)),
    ),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_modules_on_signals(name: str) -> None:
    check(SIGNALS[name], (4, 15))


SEQUENCES: dict[str, nn.Module] = {
    "linear": nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)),
    "linear, flattened": nn.Sequential(nn.Linear(5, 4), nn.Flatten(), nn.Linear(28, 3)),
    "mean over time": nn.Sequential(nn.Linear(5, 4), Apply(lambda x: x.mean(1))),
    "max over time, kept": nn.Sequential(nn.Linear(5, 4), Apply(lambda x: x.amax(1, keepdim=True))),
    "cat features": nn.Sequential(nn.Linear(5, 4), Apply(lambda x: torch.cat([x, x.relu()], -1))),
    "a place for each step": Apply(lambda x: x + torch.arange(35.0).view(1, 7, 5)),
    "last step": nn.Sequential(nn.Linear(5, 4), Apply(lambda x: x[:, -1])),
    "pad steps": Apply(lambda x: F.pad(x, (0, 0, 2, 1))),
    "cat steps": nn.Sequential(nn.Linear(5, 4), Apply(lambda x: torch.cat([x, x.relu()], 1))),
    "conv after transpose": nn.Sequential(Apply(lambda x: x.transpose(1, 2)), nn.Conv1d(5, 3, 3)),
    "norm over steps": nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(7)),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_modules_on_sequences_of_features(name: str) -> None:
    check(SEQUENCES[name], (7, 5))


def test_features() -> None:
    check(nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(-1)), (6,))


def test_an_input_with_channels_last_is_taken_as_it_is() -> None:
    model = nn.Sequential(Apply(lambda x: x.permute(0, 3, 1, 2)), nn.Conv2d(3, 4, 3))
    reading = read(model, (8, 9, 3))
    assert reading.input_layout is Layout.PLAIN
    assert ops(reading.graph) == [Conv2d]
    check(model, (8, 9, 3))


def test_a_sequence_becomes_a_signal_without_moving() -> None:
    graph = check(nn.Sequential(Apply(lambda x: x.transpose(1, 2)), nn.Conv1d(5, 3, 3)), (7, 5))
    assert ops(graph) == [Reshape, Conv2d]


def test_layouts_of_inputs() -> None:
    assert read(nn.Conv2d(3, 2, 3), (3, 8, 9)).input_layout is Layout.IMAGE
    assert read(nn.Conv1d(3, 2, 3), (3, 9)).input_layout is Layout.SIGNAL
    assert read(nn.Linear(9, 2), (3, 9)).input_layout is Layout.PLAIN
    assert read(nn.Conv1d(3, 2, 3), (3, 9)).graph.type("input").shape == (1, 9, 3)


def test_pixels_that_are_flattened_where_nothing_moves_need_one_reshape() -> None:
    assert ops(check(nn.Sequential(nn.Flatten(), nn.Linear(6, 2)), (1, 2, 3)))[0] is Reshape
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    assert ops(check(pooled, IMAGE))[:2] == [AveragePool2d, Reshape]
    assert ops(check(nn.Flatten(), IMAGE)) == [Transpose, Reshape]


def test_weights_have_channels_last() -> None:
    conv, depthwise = nn.Conv2d(4, 6, (3, 5)), nn.Conv2d(4, 8, (3, 5), groups=4)
    graph = read(conv, IMAGE).graph
    assert graph.type("weight").shape == (6, 3, 5, 4)
    graph = read(depthwise, IMAGE).graph
    assert graph.nodes[0].op == DepthwiseConv2d(multiplier=2)
    assert graph.type("weight").shape == (3, 5, 8)


def test_padding_that_counts_becomes_a_pad() -> None:
    assert ops(read(nn.AvgPool2d(3, 2, 1), IMAGE).graph) == [Pad, AveragePool2d]


def test_constants_of_arithmetic_become_a_batch_norm() -> None:
    graph = read(Apply(lambda x: x * 2 + 1), IMAGE).graph
    assert [n.op for n in graph.nodes] == [BatchNorm(epsilon=0.0)] * 2


def test_nodes_know_their_place() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.conv(x)) + x

    graph = read(nn.Sequential(Block(), Block()), IMAGE).graph
    assert [n.name for n in graph.nodes] == ["0.conv", "relu", "add", "1.conv", "relu_1", "add_1"]
    assert graph.nodes[3].source.startswith("1.conv (Conv2d) test_torch_export.py:")
    assert graph.nodes[4].source.startswith("1 (Block) test_torch_export.py:")


def test_a_layer_used_twice_is_stored_once() -> None:
    layer = nn.Linear(5, 5)
    graph = check(nn.Sequential(layer, nn.ReLU(), layer), (5,))
    assert graph.weight_bytes == 4 * 30


def test_the_graph_does_not_share_memory_with_the_model() -> None:
    model = nn.Linear(3, 2)
    graph = read(model, (3,)).graph
    before = graph.constant("weight").copy()
    nn.init.zeros_(model.weight)
    np.testing.assert_array_equal(graph.constant("weight"), before)


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3), nn.Dropout())
    model[1].eval()
    state = {k: v.clone() for k, v in model.state_dict().items()}
    read(model, IMAGE)
    assert [m.training for m in model.modules()] == [True, True, False, True]
    assert all(torch.equal(state[k], v) for k, v in model.state_dict().items())
    assert all(p.requires_grad for p in model.parameters())


def test_writes_in_place_change_every_name_of_the_tensor() -> None:
    def forward(x: torch.Tensor) -> torch.Tensor:
        y = x * 2
        z = F.dropout(y, training=False)
        F.relu(y, inplace=True)
        return y + z

    check(Apply(forward), IMAGE)


def test_a_copy_is_not_changed_in_place() -> None:
    def forward(x: torch.Tensor) -> torch.Tensor:
        y = x.clone()
        y.relu_()
        return y + x

    check(Apply(forward), IMAGE)


def test_a_view_of_what_is_written_in_place_is_refused() -> None:
    def forward(x: torch.Tensor) -> torch.Tensor:
        y = x * 2
        flat = y.view(-1, 320)
        y.relu_()
        return flat

    with pytest.raises(UnsupportedOp, match=r"aten\.relu_ .*writes in place"):
        read(Apply(forward), IMAGE)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3)).eval()
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(model, (torch.zeros(1, 1, 8, 8),)), path)
    torch.save(model.state_dict(), tmp_path / "state.pt")
    return path


def test_an_archive_and_a_program_are_read_like_the_model(archive: Path) -> None:
    program = torch.export.load(archive)
    theirs, ours = outputs_of_program(program.module(), read(archive))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    again = read(program, name="again").graph
    assert [n.op for n in again.nodes] == [n.op for n in read(str(archive)).graph.nodes]


def outputs_of_program(module: nn.Module, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    x = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = run_float(reading.graph, torch.from_numpy(reading.arrange(x.numpy())))
        return module(x).numpy(), reading.restore(ours.numpy())


def test_an_archive_of_another_shape_than_given(archive: Path) -> None:
    with pytest.raises(ModelError, match="exported for another input"):
        read(archive, (1, 9, 9))


def test_a_file_that_is_no_archive(
    archive: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    truncated = tmp_path / "truncated.pt2"
    truncated.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    text = tmp_path / "text.pt2"
    text.write_text("not a model")
    empty = tmp_path / "empty.pt2"
    empty.touch()
    for path in (truncated, text, empty, tmp_path / "state.pt"):
        with pytest.raises(ModelError, match=f"{path.name}: not an archive"):
            read(path)
    for path in (tmp_path / "missing.pt2", tmp_path):
        with pytest.raises(ModelError, match="no such file"):
            read(path)
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


class Unreadable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Mish(), nn.Conv2d(4, 4, 1, groups=2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(x)
        parts = x.roll(2, 1)
        return F.group_norm(parts, 2)  # the last line


def test_all_unsupported_ops_are_named_at_once_with_their_places() -> None:
    with pytest.raises(UnsupportedOp) as caught:
        read(Unreadable(), IMAGE, name="net")
    head, *lines = str(caught.value).split("\n  ")
    assert head == "4 ops of model 'net' cannot be read:"
    mish, groups, roll, group_norm = lines
    assert mish.startswith("aten.mish at blocks.1 (Mish), ")
    assert "test_torch_export.py:" in mish
    assert "`x = self.blocks(x)`: use ReLU" in mish
    assert groups.startswith("aten.conv2d at blocks.2 (Conv2d), ")
    assert "groups=2 with 4 input channels: use groups=1, or groups=4 (depthwise)" in groups
    assert roll.startswith("aten.roll at the model itself (Unreadable), ")
    assert "`return F.group_norm(parts, 2)  # the last line`: use BatchNorm" in group_norm


REFUSED: dict[str, tuple[nn.Module, str]] = {
    "SiLU": (nn.SiLU(), "use ReLU"),
    "SELU": (nn.SELU(), "use ReLU|scaled ELU"),
    "cube": (Apply(lambda x: x**3), "the powers"),
    "groups": (nn.Conv2d(4, 4, 1, groups=2), "groups=2"),
    "circular": (nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), "constant, reflect, replicate"),
    "circular pad": (nn.CircularPad2d(1), "constant, reflect, replicate are supported"),
    "crop": (nn.ZeroPad2d(-1), "cropping is done by a slice"),
    "rows and columns at once": (Apply(lambda x: x[:, :, [0, 1], [1, 2]]), "along several axes"),
    "uneven factor": (nn.Upsample(scale_factor=1.3, mode="bilinear"), "give the size"),
    "transposed in groups": (nn.ConvTranspose2d(4, 4, 2, 2, groups=2), "groups=1 and dilation=1"),
    "group norm": (nn.GroupNorm(2, 4), "use BatchNorm"),
    "product with a stack": (Apply(lambda x: x @ torch.ones(4, 10, 3)), "one matrix"),
    "batch statistics": (nn.BatchNorm2d(4, track_running_stats=False), "statistics of the batch"),
    "uneven": (nn.AdaptiveAvgPool2d(3), "unequal size"),
    "divisor": (nn.AvgPool2d(2, divisor_override=3), "divisor_override"),
    "quotient": (Apply(lambda x: 1 / x), "."),
    "division": (Apply(lambda x: x / x.relu()), "division by a tensor"),
    "zero": (Apply(lambda x: x / 0), "divides by zero"),
    "alpha": (Apply(lambda x: torch.add(x, x, alpha=2)), "alpha"),
    "batch size": (Apply(lambda x: x / x.shape[0]), "must be a number"),
    "mean of all": (Apply(lambda x: x + x.mean()), "mixes the inputs"),
    "mean of batch": (Apply(lambda x: x + x.mean(0, keepdim=True)), "mixes the inputs"),
    "cat batch": (Apply(lambda x: torch.cat([x, x])), "."),
    "max of channels": (Apply(lambda x: x.amax(1)), "spatial axes only"),
    "random": (Apply(lambda x: x + torch.rand(4, 1, 1)), "random"),
    "argmax": (Apply(lambda x: x.argmax(1)), "program around the model|only real numbers"),
    "batch moved": (Apply(lambda x: x.permute(1, 0, 2, 3)), "batch"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    model, reason = REFUSED[name]
    with pytest.raises(UnsupportedOp, match=reason):
        read(model, IMAGE)


def test_a_program_in_training_mode() -> None:
    model = nn.Sequential(nn.Conv2d(4, 3, 1), nn.BatchNorm2d(3), nn.Dropout()).train()
    program = torch.export.export(model, (torch.zeros(2, *IMAGE),))
    with pytest.raises(UnsupportedOp, match=r"(?s)model\.eval\(\).*aten\.dropout at 2 \(Dropout\)"):
        read(program)


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_a_decomposed_program_says_so() -> None:
    program = torch.export.export(nn.Conv2d(4, 3, 1), (torch.zeros(2, *IMAGE),)).run_decompositions()
    with pytest.raises(UnsupportedOp, match="without run_decompositions"):
        read(program)


class TwoInputs(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


class Branches(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return x
        return -x


UNEXPORTABLE: dict[str, tuple[nn.Module, tuple[int, ...] | None, str]] = {
    "two inputs": (TwoInputs(), (3,), "argument|input"),
    "two outputs": (Apply(lambda x: (x.relu(), x.tanh())), (3,), "returns 2 tensors"),  # pyright: ignore[reportArgumentType]
    "no shape": (nn.Linear(3, 2), None, "give the shape"),
    "empty shape": (nn.Linear(3, 2), (3, 0), "holds no numbers"),
    "other shape": (nn.Linear(3, 2), (4,), r"cannot export model 'model' for an input of shape \(4,\)"),
    "control flow": (Branches(), (3,), "data-dependent"),
    "a fault": (Apply(lambda x: x.nonsense), (3,), "AttributeError: .*nonsense"),
    "identity": (nn.Identity(), (3,), "computes nothing"),
    "constant": (Apply(lambda x: torch.ones(3)), (3,), "does not depend on its input"),
}


@pytest.mark.parametrize("name", UNEXPORTABLE)
def test_a_model_that_is_none(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    model, shape, reason = UNEXPORTABLE[name]
    with pytest.raises(ModelError, match=reason) as caught:
        read(model, shape)
    assert len(str(caught.value).splitlines()) <= 2
    assert capfd.readouterr() == ("", "")


def test_two_inputs_in_a_program() -> None:
    program = torch.export.export(TwoInputs(), (torch.zeros(2, 3), torch.zeros(2, 3)))
    with pytest.raises(ModelError, match=r"takes 2 inputs \(x, y\)"):
        read(program)


@pytest.mark.parametrize("x", [torch.zeros(5), torch.zeros(()), torch.zeros(2, 5, dtype=torch.int64)])
def test_a_program_whose_input_is_no_batch_of_real_numbers(x: torch.Tensor) -> None:
    with pytest.raises(ModelError, match=r"must be real numbers, .*the batch first"):
        read(torch.export.export(Apply(lambda x: x + 1), (x,)))


class Attention(nn.Module):
    """Self-attention with two heads, as transformers for small devices write it."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.fused = fused

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # (batch, 5, 8)
        heads = (
            layer(self.norm(x)).view(-1, 5, 2, 4).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        query, key, value = heads
        if self.fused:
            mixed = F.scaled_dot_product_attention(query, key, value)
        else:
            mixed = (query @ key.transpose(-2, -1) / 2).softmax(-1) @ value
        return x + self.out(mixed.transpose(1, 2).reshape(-1, 5, 8))


@pytest.mark.parametrize("fused", [False, True])
def test_attention(fused: bool) -> None:
    graph = fold(check(Attention(fused), (5, 8)))
    assert [n.op for n in graph.nodes if isinstance(n.op, Matmul | Softmax)] == [
        Matmul(transposed_b=True),
        Softmax(0.5),
        Matmul(),
    ]
    assert not {BatchNorm, DepthwiseConv2d} & set(ops(graph))


def test_masked_attention_is_refused() -> None:
    model = Apply(lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True))
    with pytest.raises(UnsupportedOp, match="is_causal is not supported"):
        read(model, (5, 8))


def test_one_cause_is_told_once() -> None:
    attention = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    masked = Apply(lambda x: attention(x, src_mask=torch.full((5, 5), -torch.inf).triu(1)))
    masked.attention = attention
    with pytest.raises(UnsupportedOp, match=r"at attention\.self_attn \(MultiheadAttention\)") as caught:
        read(masked, (5, 8))
    assert len(str(caught.value).splitlines()) < 10


def test_weights_that_are_not_finite() -> None:
    model = nn.Linear(3, 2)
    nn.init.constant_(model.weight, float("nan"))
    with pytest.raises(ModelError, match="weight holds NaN"):
        read(model, (3,))


def test_an_example_says_the_shape_too() -> None:
    assert read(nn.Conv1d(3, 2, 3), example=torch.zeros(1, 3, 9)).graph.type("input").shape == (1, 9, 3)


@st.composite
def pools(draw: st.DrawFn) -> nn.Module:
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    stride = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    ceil = draw(st.booleans())
    if draw(st.booleans()):
        return nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil)
    return nn.AvgPool2d(kernel, stride, padding, ceil_mode=ceil, count_include_pad=draw(st.booleans()))


@settings(max_examples=40, deadline=None)
@given(pool=pools(), height=st.integers(4, 9), width=st.integers(4, 9))
def test_pools_of_every_geometry(pool: nn.Module, height: int, width: int) -> None:
    check(pool, (2, height, width))


@st.composite
def convolutions(draw: st.DrawFn) -> nn.Module:
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    groups = draw(st.sampled_from((1, 4)))
    padding = draw(st.sampled_from(("same", "valid", 0, (0, 2), (3, 1))))
    stride = (1, 1) if padding == "same" else draw(pairs)
    kernel, dilation, bias = draw(pairs), draw(pairs), draw(st.booleans())
    return nn.Conv2d(4, 4 * draw(st.integers(1, 2)), kernel, stride, padding, dilation, groups, bias)


@settings(max_examples=40, deadline=None)
@given(convolution=convolutions(), height=st.integers(7, 10), width=st.integers(7, 10))
def test_convolutions_of_every_geometry(convolution: nn.Module, height: int, width: int) -> None:
    check(convolution, (4, height, width))
