"""Batch norms go into the weights, and where they cannot, they become a convolution."""

from __future__ import annotations

from torch import nn

from pintsize.ops import Add, Conv2d, DepthwiseConv2d, Linear, Relu, Reshape
from pintsize.passes.fold_batch_norm import fold_batch_norm
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read
from tests.passes.drawing import Sketch
from tests.passes.meaning import assert_same_meaning, ops


def test_batch_norm_goes_into_the_layer_before_it() -> None:
    for layer in (Sketch.conv, Sketch.depthwise):
        sketch = Sketch((5, 6, 3))
        layer(sketch)
        sketch.batch_norm()
        assert len(assert_same_meaning(sketch.graph(), fold_batch_norm).nodes) == 1


def test_batch_norms_in_a_row_fold_too() -> None:
    sketch = Sketch((7,))
    sketch.linear(4)
    sketch.batch_norm()
    sketch.batch_norm()
    assert ops(assert_same_meaning(sketch.graph(), fold_batch_norm)) == [Linear]


def test_a_batch_norm_on_its_own_becomes_a_depthwise_convolution() -> None:
    for shape, expected in (
        ((5, 6, 3), [DepthwiseConv2d]),
        ((7,), [Reshape, DepthwiseConv2d, Reshape]),
        ((4, 7), [Reshape, DepthwiseConv2d, Reshape]),
        ((2, 3, 4, 5), [Reshape, DepthwiseConv2d, Reshape]),
    ):
        sketch = Sketch(shape)
        sketch.batch_norm()
        assert ops(assert_same_meaning(sketch.graph(), fold_batch_norm)) == expected


def test_a_layer_that_others_read_keeps_its_weights() -> None:
    sketch = Sketch((5, 6, 3))
    before = sketch.conv(3)
    sketch.batch_norm()
    sketch.add(Add(), before)
    assert ops(assert_same_meaning(sketch.graph(), fold_batch_norm)) == [Conv2d, DepthwiseConv2d, Add]


def test_a_batch_norm_behind_an_activation_does_not_pass_it() -> None:
    sketch = Sketch((5, 6, 3))
    sketch.conv(3)
    sketch.add(Relu())
    sketch.batch_norm()
    assert ops(assert_same_meaning(sketch.graph(), fold)) == [Conv2d, DepthwiseConv2d]


def test_shared_weights_fold_each_for_itself() -> None:
    layer = nn.Linear(5, 5)
    model = nn.Sequential(layer, nn.BatchNorm1d(5), nn.ReLU(), layer, nn.BatchNorm1d(5, eps=0.5), layer)
    graph = assert_same_meaning(read(model, (5,)).graph, fold)
    assert ops(graph) == [Linear, Linear, Linear]
