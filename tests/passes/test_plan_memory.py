"""The arena: exactly as large as linked, and nobody overwrites what is still needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.compress.quantize import Quantize
from pintsize.emulate import build, core, execute
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import run_integers
from pintsize.ops import Add, Concat, Linear, MaxPool2d, Mul, Relu, Reshape, Sigmoid, Tanh
from pintsize.passes.place_buffers import check_placement
from pintsize.passes.plan_memory import MemoryPlan, plan_memory
from pintsize.write.c import write
from pintsize.write.c.calls import ISAS, Isa
from tests.compiled import run_on_host
from tests.drawn import Drawn, drawn_graphs, random_codes
from tests.every_kernel import every_kernel
from tests.examples import constant


def integers(*nodes: Node, shape: tuple[int, ...] = (2, 2, 3), output: str = "y") -> Graph:
    x = Tensor("x", TensorType(shape))
    graph = rebuild(Graph("g", {"x": x}, (), ("x",), (output,)), nodes)
    samples = np.random.default_rng(0).normal(0, 2, (64, *shape)).astype(np.float32)
    return Quantize()(graph, samples)


def chain(*steps: tuple[str, object, Sequence[str]]) -> list[Node]:
    return [Node(name, op, tuple(inputs), name) for name, op, inputs in steps]  # type: ignore[arg-type]


def assert_computes_right(graph: Graph) -> MemoryPlan:
    codes = random_codes(graph, 20)
    program = write(graph)
    assert np.array_equal(run_on_host(program.files, codes), run_integers(graph, codes).reshape(20, -1))
    check_placement(program.plan.buffers, program.plan.placement)
    return program.plan


def test_a_residual_keeps_its_first_operand() -> None:
    """r is read again after the sigmoid, so the sigmoid may not overwrite it."""
    nodes = chain(("r", Relu(), "x"), ("s", Sigmoid(), "r"), ("a", Add(), ("r", "s")), ("y", Tanh(), "a"))
    plan = assert_computes_right(integers(*nodes))
    assert plan.places["r"] == plan.places["a"] == "out"  # the sum overwrites r, which ends there
    assert plan.places["s"] == "arena"
    assert plan.arena_bytes == 12


def test_elementwise_chains_take_no_second_buffer() -> None:
    nodes = chain(("a", Relu(), "x"), ("b", Sigmoid(), "a"), ("c", Tanh(), "b"), ("y", Concat(), "cc"))
    plan = assert_computes_right(integers(*nodes))
    assert plan.buffer_of["a"] == plan.buffer_of["b"] == plan.buffer_of["c"]
    assert plan.arena_bytes == 12


def test_a_second_operand_may_be_overwritten_too() -> None:
    nodes = chain(
        ("a", Relu(), "x"),
        ("b", Sigmoid(), "x"),
        ("m", Mul(), "ab"),
        ("n", Add(), ("a", "m")),
        ("y", Concat(), "nn"),
    )
    plan = assert_computes_right(integers(*nodes))
    assert plan.buffer_of["m"] == plan.buffer_of["b"]
    assert plan.arena_bytes == 24


def test_a_repeating_operand_is_never_overwritten() -> None:
    pool = MaxPool2d((2, 2), (2, 2))
    nodes = chain(
        ("p", pool, "x"), ("a", Relu(), "x"), ("m", Mul(), "ap"), ("n", Add(), "mp"), ("y", Concat(), "np")
    )
    nodes[-1] = Node("y", MaxPool2d((1, 1), (1, 1)), ("n",), "y")
    plan = assert_computes_right(integers(*nodes))
    assert plan.buffer_of["p"] != plan.buffer_of["m"]


def test_the_same_tensor_may_be_both_operands() -> None:
    assert_computes_right(integers(*chain(("a", Relu(), "x"), ("b", Mul(), "aa"), ("y", Concat(), "bb"))))


def test_the_callers_input_is_never_written() -> None:
    """A view of the input is read after an elementwise op on another view of it."""
    nodes = chain(("f", Reshape(), "x"), ("r", Relu(), "f"), ("t", Tanh(), "f"), ("y", Concat(), "rtf"))
    plan = assert_computes_right(integers(*nodes))
    assert plan.places["f"] == "in"
    assert plan.places["r"] == plan.places["t"] == "arena"


def test_a_reshape_of_the_input_that_is_also_read_later() -> None:
    nodes = chain(
        ("f", Reshape(), "x"), ("g", Reshape((2, 2, 3)), "f"), ("r", Relu(), "x"), ("y", Add(), "gr")
    )
    assert_computes_right(integers(*nodes))


@pytest.mark.parametrize("steps", [1, 3])
def test_a_graph_of_nothing_but_reshapes_copies(steps: int) -> None:
    targets = [(-1,), (3, -1), (12,)]
    names = ["x", "a", "b", "y"][: steps + 1]
    names[-1] = "y"
    nodes = [Node(b, Reshape(t), (a,), b) for a, b, t in zip(names[:-1], names[1:], targets, strict=False)]
    plan = assert_computes_right(integers(*nodes))
    assert plan.arena_bytes == 0
    assert plan.places["y"] == "out"


def test_the_output_may_be_produced_in_place() -> None:
    nodes = chain(("p", MaxPool2d((1, 1), (1, 1)), "x"), ("r", Relu(), "p"), ("y", Reshape(), "r"))
    plan = assert_computes_right(integers(*nodes))
    assert set(plan.places.values()) == {"in", "out"}
    assert plan.arena_bytes == 0


def test_an_output_that_is_read_again_stays_as_it_is() -> None:
    nodes = chain(("y", Relu(), "x"), ("s", Sigmoid(), "y"), ("t", Tanh(), "y"), ("u", Reshape(), "y"))
    plan = assert_computes_right(integers(*nodes))
    assert [n for n, place in plan.places.items() if place == "out"] == ["y"]


def test_what_nobody_reads_still_has_a_place_of_its_own() -> None:
    nodes = chain(("a", Relu(), "x"), ("dead", Tanh(), "a"), ("s", Sigmoid(), "a"), ("y", Concat(), "sa"))
    plan = assert_computes_right(integers(*nodes))
    assert plan.buffer_of["dead"] != plan.buffer_of["a"]


def test_a_weighted_layer_never_overwrites_its_input() -> None:
    constants = {"w": constant("w", np.eye(6)[::-1]), "b": constant("b", np.zeros(6))}
    x = Tensor("x", TensorType((6,)))
    nodes = [
        Node("r", Relu(), ("x",), "r"),
        Node("l", Linear(), ("r", "w", "b"), "l"),
        Node("y", Tanh(), ("l",), "y"),
    ]
    graph = rebuild(Graph("g", {"x": x}, (), ("x",), ("y",)), nodes, constants)
    samples = np.random.default_rng(0).normal(0, 1, (64, 6)).astype(np.float32)
    plan = assert_computes_right(Quantize()(graph, samples))
    assert plan.places["l"] == "out"
    assert plan.places["r"] == "arena"


def test_the_arena_is_as_large_as_the_linked_one() -> None:
    graph = every_kernel()
    program = write(graph)
    linked = build(program.files, core("cortex-m4"))
    assert program.plan.arena_bytes == linked.arena_bytes == linked.symbols["model_arena"].size_bytes
    assert linked.ram_bytes >= program.plan.arena_bytes


def test_a_plan_is_the_same_before_and_after_quantization() -> None:
    nodes = chain(("a", Relu(), "x"), ("s", Sigmoid(), "a"), ("b", Add(), "as"), ("y", Concat(), "bs"))
    x = Tensor("x", TensorType((2, 2, 3)))
    floats = rebuild(Graph("g", {"x": x}, (), ("x",), ("y",)), nodes)
    assert plan_memory(floats) == plan_memory(integers(*nodes))


@settings(max_examples=200)
@given(drawn_graphs(largest=12))
def test_live_buffers_never_share_bytes(drawn: Drawn) -> None:
    """And no buffer is written while a tensor in it is still to be read."""
    graph = drawn.graph
    plan = plan_memory(graph)
    check_placement(plan.buffers, plan.placement)
    for step, node in enumerate(graph.nodes):
        if isinstance(node.op, Reshape):
            continue
        home = plan.buffer_of.get(node.output, plan.places[node.output])
        later = {
            i
            for n in graph.nodes[step + 1 :]
            for i in n.inputs
            if i not in (node.output, *_views(graph, node.output))
        }
        written_before = {"x", *(n.output for n in graph.nodes[:step])}
        clobbered = {t for t in later & written_before if plan.buffer_of.get(t, plan.places[t]) == home}
        assert not clobbered


def _views(graph: Graph, name: str) -> list[str]:
    views = [name]
    for node in graph.nodes:
        if isinstance(node.op, Reshape) and node.inputs[0] in views:
            views.append(node.output)
    return views


# input and output in the arena


def assert_computes_right_in_the_arena(graph: Graph, isa: Isa = "portable") -> MemoryPlan:
    codes = random_codes(graph, 20)
    program = write(graph, isa=isa, reuse_io=True)
    assert np.array_equal(run_on_host(program.files, codes), run_integers(graph, codes).reshape(20, -1))
    check_placement(program.plan.buffers, program.plan.placement, program.plan.overlaps)
    assert program.io_bytes == 0
    return program.plan


def test_the_output_takes_the_place_of_an_input_nobody_reads_again() -> None:
    plan = assert_computes_right_in_the_arena(integers(*chain(("a", Relu(), "x"), ("y", Tanh(), "a"))))
    assert plan.arena_bytes == 12
    assert plan.offset("x") == plan.offset("y") == 0


def test_an_input_that_is_read_again_is_kept() -> None:
    nodes = chain(("r", Relu(), "x"), ("t", Tanh(), "r"), ("y", Concat(), "xt"))
    plan = assert_computes_right_in_the_arena(integers(*nodes))
    assert plan.buffer_of["r"] != plan.buffer_of["x"]


def test_reshapes_of_the_input_to_the_output_cost_nothing() -> None:
    plan = assert_computes_right_in_the_arena(integers(Node("y", Reshape((-1,)), ("x",), "y")))
    assert plan.arena_bytes == 12


@settings(max_examples=30)
@given(drawn_graphs(largest=12), st.sampled_from(ISAS))
def test_drawn_graphs_in_the_arena_compute_right_with_every_kernel(drawn: Drawn, isa: Isa) -> None:
    assert_computes_right_in_the_arena(drawn.integers(), isa)


def test_the_linked_program_has_no_buffers_beside_the_arena() -> None:
    graph = every_kernel()
    codes = random_codes(graph, 3)
    program = write(graph, reuse_io=True)
    built = build(program.files, core("cortex-m3"))
    assert built.ram_bytes == built.arena_bytes == program.plan.arena_bytes
    found = execute(built, codes.reshape(3, -1)).outputs
    assert np.array_equal(found, run_integers(graph, codes).reshape(3, -1))
