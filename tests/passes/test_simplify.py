"""The structural passes leave the function as it is, and less to compute."""

from __future__ import annotations

import importlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pintsize.graph import Graph
from pintsize.ops import (
    Add,
    AveragePool2d,
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Linear,
    MaxPool2d,
    Reshape,
)
from pintsize.passes.absorb_transpose import absorb_transpose
from pintsize.passes.fold_batch_norm import fold_batch_norm
from pintsize.passes.fuse_activation import fuse_activation
from pintsize.passes.fuse_pad import fuse_pad
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from tests.passes.drawing import sketches
from tests.passes.meaning import Pass, assert_same_meaning, ops

PASSES: tuple[Pass, ...] = (absorb_transpose, fold_batch_norm, fuse_activation, fuse_pad, simplify, fold)
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


@pytest.fixture(scope="module", params=MODELS)
def model_graph(request: pytest.FixtureRequest) -> Graph:
    torch.manual_seed(0)
    model = importlib.import_module(f"benchmarks.models.{request.param}").make()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return read(model, MODELS[request.param]).graph


@pytest.mark.parametrize("apply", PASSES, ids=lambda p: p.__name__)
def test_models_keep_their_meaning(model_graph: Graph, apply: Pass) -> None:
    assert_same_meaning(model_graph, apply)


def test_models_are_folded_to_what_a_device_computes(model_graph: Graph) -> None:
    left = set(ops(fold(model_graph)))
    assert left <= {Conv2d, DepthwiseConv2d, Linear, Add, MaxPool2d, AveragePool2d, Reshape}


def test_simplified_models_still_have_their_batch_norms(model_graph: Graph) -> None:
    assert ops(simplify(model_graph)).count(BatchNorm) == ops(model_graph).count(BatchNorm)


@settings(max_examples=150, deadline=None)
@given(graph=sketches(), apply=st.sampled_from(PASSES))
def test_drawn_graphs_keep_their_meaning(graph: Graph, apply: Pass) -> None:
    assert_same_meaning(graph, apply)


@settings(max_examples=60, deadline=None)
@given(graph=sketches())
def test_folding_twice_changes_nothing(graph: Graph) -> None:
    once = fold(graph)
    assert [(n.op, n.inputs) for n in fold(once).nodes] == [(n.op, n.inputs) for n in once.nodes]
    assert BatchNorm not in ops(once)
