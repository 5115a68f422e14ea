"""Activations go into the op before them where that computes the same."""

from __future__ import annotations

import pytest

from pintsize.graph import Op
from pintsize.ops import Add, AveragePool2d, Conv2d, MaxPool2d, Mul, Relu, Relu6, Reshape, Transpose
from pintsize.passes.fuse_activation import fuse_activation
from tests.passes.drawing import Sketch
from tests.passes.meaning import assert_same_meaning, ops


@pytest.mark.parametrize(("activation", "word"), [(Relu(), "relu"), (Relu6(), "relu6")])
def test_activations_fuse(activation: Op, word: str) -> None:
    sketch = Sketch((5, 6, 3))
    residual = sketch.conv(3)
    sketch.depthwise()
    sketch.add(activation)
    sketch.add(Mul(), residual)
    sketch.add(activation)
    sketch.add(Add(), residual)
    sketch.add(activation)
    graph = assert_same_meaning(sketch.graph(), fuse_activation)
    assert [getattr(n.op, "activation", "") for n in graph.nodes] == ["none", word, word, word]


def test_an_activation_goes_through_what_keeps_order() -> None:
    sketch = Sketch((6, 6, 3))
    sketch.conv(4)
    sketch.add(MaxPool2d())
    sketch.add(Transpose((2, 0, 1)))
    sketch.add(Reshape())
    sketch.add(Relu())
    graph = assert_same_meaning(sketch.graph(), fuse_activation)
    assert ops(graph) == [Conv2d, MaxPool2d, Transpose, Reshape]


def test_an_average_is_not_passed_by_an_activation() -> None:
    sketch = Sketch((6, 6, 3))
    sketch.conv(4)
    sketch.add(AveragePool2d())
    sketch.add(Relu())
    assert ops(assert_same_meaning(sketch.graph(), fuse_activation)) == [Conv2d, AveragePool2d, Relu]


def test_what_is_read_before_its_activation_stays() -> None:
    sketch = Sketch((5, 6, 3))
    before = sketch.conv(3)
    sketch.add(Relu())
    sketch.add(Add(), before)
    assert ops(assert_same_meaning(sketch.graph(), fuse_activation)) == [Conv2d, Relu, Add]
