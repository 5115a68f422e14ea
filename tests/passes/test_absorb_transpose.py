"""Transposes vanish into weights or against each other."""

from __future__ import annotations

from pintsize.ops import Add, Conv2d, LeakyRelu, Linear, Relu, Reshape, Sigmoid, Transpose
from pintsize.passes.absorb_transpose import absorb_transpose
from pintsize.passes.simplify import fold
from tests.passes.drawing import Sketch
from tests.passes.meaning import assert_same_meaning, ops


def test_a_flatten_as_torch_does_it_costs_nothing() -> None:
    sketch = Sketch((3, 4, 5))
    sketch.add(Transpose((2, 0, 1)))
    sketch.add(Reshape())
    sketch.linear(6)
    graph = assert_same_meaning(sketch.graph(), absorb_transpose)
    assert [n.op for n in graph.nodes] == [Reshape((-1,)), Linear()]


def test_ops_around_the_flatten_do_not_hinder() -> None:
    sketch = Sketch((3, 4, 5))
    sketch.add(Transpose((2, 1, 0)))
    sketch.add(Relu())
    sketch.add(Reshape((60,)))
    sketch.batch_norm()
    flat = sketch.add(LeakyRelu())
    first = sketch.linear(6)
    sketch.add(Sigmoid(), source=flat)
    sketch.linear(6)
    sketch.add(Add(), first)
    graph = assert_same_meaning(sketch.graph(), absorb_transpose)
    assert Transpose not in ops(graph)


def test_weights_that_are_read_in_two_orders_are_kept_apart() -> None:
    sketch = Sketch((3, 4, 5))
    sketch.add(Reshape())
    kept = sketch.linear(6)
    weight, bias = sketch.nodes[-1].inputs[1:]
    sketch.add(Transpose((2, 0, 1)), source="x")
    sketch.add(Reshape())
    sketch.add(Linear(), weight, bias)
    sketch.add(Add(), kept)
    assert Transpose not in ops(assert_same_meaning(sketch.graph(), absorb_transpose))


def test_a_flatten_that_the_user_sees_keeps_its_order() -> None:
    sketch = Sketch((3, 4, 5))
    sketch.add(Transpose((2, 0, 1)))
    sketch.add(Reshape())
    assert ops(assert_same_meaning(sketch.graph(), absorb_transpose)) == [Transpose, Reshape]


def test_transposes_cancel_across_an_activation() -> None:
    sketch = Sketch((3, 4, 5))
    sketch.conv(4)
    sketch.add(Transpose((2, 0, 1)))
    sketch.add(Relu())
    sketch.add(Transpose((1, 2, 0)))
    assert ops(assert_same_meaning(sketch.graph(), fold)) == [Conv2d]


def test_idle_moves_vanish() -> None:
    sketch = Sketch((3, 1, 5))
    sketch.add(Transpose((0, 1, 2)))
    sketch.add(Transpose((1, 0, 2)))
    sketch.add(Reshape((3, 5)))
    sketch.add(Reshape((3, 1, 5)))
    sketch.conv(2, kernel=(1, 1))
    assert ops(assert_same_meaning(sketch.graph(), absorb_transpose)) == [Conv2d]
