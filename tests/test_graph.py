"""The Graph: sizes, costs, who makes and reads what, and rebuilding after a change."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import Add, Conv2d, Linear, Relu, Reshape
from tests.examples import constant


@pytest.fixture
def graph() -> Graph:
    constants = {
        t.name: t
        for t in (
            constant("w0", np.ones((4, 3, 3, 2))),
            constant("b0", np.zeros(4)),
            constant("w1", np.ones((5, 64))),
            constant("b1", np.zeros(5)),
            constant("unused", np.zeros(7)),
        )
    }
    nodes = [
        Node("conv", Conv2d(padding=(1, 1, 1, 1)), ("x", "w0", "b0"), "h"),
        Node("relu", Relu(), ("h",), "r"),
        Node("add", Add(), ("r", "h"), "s"),
        Node("flat", Reshape(), ("s",), "f"),
        Node("linear", Linear(), ("f", "w1", "b1"), "y"),
    ]
    return rebuild(
        Graph("g", {"x": Tensor("x", TensorType((4, 4, 2)))}, (), ("x",), ("y",)), nodes, constants
    )


@pytest.mark.parametrize(
    ("dtype", "size"), [("float32", 40), ("int32", 40), ("int8", 10), ("int4", 6), ("int2", 4)]
)
def test_narrow_rows_are_rounded_up_to_bytes(dtype: str, size: int) -> None:
    assert TensorType((2, 5), dtype).bytes == size  # type: ignore[arg-type]


def test_shapes_follow_from_the_ops(graph: Graph) -> None:
    assert [graph.type(n).shape for n in "hrsfy"] == [(4, 4, 4), (4, 4, 4), (4, 4, 4), (64,), (5,)]


def test_costs_are_counted(graph: Graph) -> None:
    assert [graph.cost(n).macs for n in graph.nodes] == [16 * 4 * 18, 0, 0, 0, 5 * 64]
    assert graph.macs == 16 * 4 * 18 + 5 * 64
    assert graph.weight_bytes == 4 * (4 * 18 + 4 + 5 * 64 + 5)
    assert graph.cost(graph.nodes[2]).activation_bytes == 3 * 4 * 64


def test_a_node_knows_its_neighbours(graph: Graph) -> None:
    assert graph.producer("h") is graph.nodes[0]
    assert graph.producer("x") is None
    assert graph.consumers("h") == (graph.nodes[1], graph.nodes[2])
    assert graph.activations(graph.nodes[0]) == ("x",)
    assert graph.constants(graph.nodes[0]) == ("w0", "b0")


def test_an_activation_has_no_data(graph: Graph) -> None:
    with pytest.raises(KeyError, match="h is an activation"):
        graph.constant("h")


def test_rebuilding_drops_what_nobody_reads_and_infers_shapes_anew(graph: Graph) -> None:
    assert "unused" not in graph.tensors
    narrow = {
        "w0": constant("w0", np.ones((3, 3, 3, 2))),
        "b0": constant("b0", np.zeros(3)),
        "w1": constant("w1", np.ones((5, 48))),
    }
    smaller = rebuild(graph, graph.nodes, narrow)
    assert smaller.type("s").shape == (4, 4, 3)
    assert smaller.weight_bytes < graph.weight_bytes
    assert graph.type("s").shape == (4, 4, 4)


def test_rebuilding_refuses_what_does_not_fit(graph: Graph) -> None:
    with pytest.raises(ValueError, match="linear: weight"):
        rebuild(graph, graph.nodes, {"w1": constant("w1", np.ones((5, 63)))})


def test_with_tensors_leaves_the_original_alone(graph: Graph) -> None:
    changed = graph.with_tensors(constant("b0", np.ones(4)))
    assert changed.constant("b0").sum() == 4
    assert graph.constant("b0").sum() == 0
