"""What is not a legal Graph is refused, rule by rule, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pintsize.compress.quantize import Quantize
from pintsize.errors import SpecError
from pintsize.graph import Graph, Node, State, Tensor, TensorType, rebuild
from pintsize.ops import Add, BatchNorm, Concat, Linear, MaxPool2d, Mul, Relu, Reshape, Sigmoid
from pintsize.spec import RULES, Stage, check
from tests.examples import constant

Change = Callable[[Graph], Graph]


def float_graph() -> Graph:
    rng = np.random.default_rng(0)
    constants = {"w": constant("w", rng.normal(0, 1, (3, 4))), "b": constant("b", rng.normal(0, 1, 3))}
    nodes = [
        Node("pool", MaxPool2d(), ("x",), "p"),
        Node("flat", Reshape(), ("p",), "f"),
        Node("linear", Linear(), ("f", "w", "b"), "l"),
        Node("sigmoid", Sigmoid(), ("l",), "s"),
        Node("mul", Mul(), ("l", "s"), "m"),
        Node("add", Add(), ("m", "l"), "a"),
        Node("concat", Concat(), ("a", "s"), "y"),
    ]
    graph = Graph("small", {"x": Tensor("x", TensorType((4, 4, 1)))}, (), ("x",), ("y",))
    return rebuild(graph, nodes, constants)


def annotated_graph() -> Graph:
    samples = np.random.default_rng(1).normal(0, 1, (32, 4, 4, 1)).astype(np.float32)
    return Quantize().annotate(float_graph(), samples)


def integer_graph() -> Graph:
    samples = np.random.default_rng(1).normal(0, 1, (32, 4, 4, 1)).astype(np.float32)
    return Quantize()(float_graph(), samples)


GRAPHS: dict[Stage, Callable[[], Graph]] = {
    "float": float_graph,
    "folded": float_graph,
    "annotated": annotated_graph,
    "integer": integer_graph,
}


def node(number: int, **changes: object) -> Change:
    """The graph with other fields in one of its nodes."""

    def change(g: Graph) -> Graph:
        nodes = list(g.nodes)
        nodes[number] = replace(nodes[number], **changes)  # type: ignore[arg-type]
        return replace(g, nodes=tuple(nodes))

    return change


def kind(name: str, **changes: object) -> Change:
    """The graph with another type of one tensor."""
    return lambda g: g.with_tensors(
        replace(g.tensors[name], type=replace(g.type(name), **changes))  # type: ignore[arg-type]
    )


def data(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda g: g.with_tensors(replace(g.tensors[name], data=change(g.constant(name))))


def batch_norm(g: Graph) -> Graph:
    names = ("gain", "bias", "mean", "variance")
    constants = {n: constant(n, np.ones(3)) for n in names}
    return rebuild(g, [*g.nodes, Node("bn", BatchNorm(), ("l", *names), "z")], constants)


def state(tensor: str = "ring", following: str = "l", dtype: str = "int8", times: int = 1) -> Change:
    """The graph with a state like its tensor l, perhaps listed twice."""

    def change(g: Graph) -> Graph:
        known = g if tensor in g.tensors else g.with_tensors(replace(g.tensors["l"], name=tensor))
        return replace(known, states=(State(tensor, following, np.zeros(3, dtype)),) * times)

    return change


def carried_by(number: int, following: str = "") -> Change:
    return lambda g: node(number, carried=("ring",))(state(following=following)(g))


ILLEGAL: list[tuple[str, Stage, Change, str]] = [
    ("two outputs", "float", lambda g: replace(g, outputs=("y", "s")), "needs one input and one output"),
    ("no input", "float", lambda g: replace(g, inputs=()), "needs one input and one output"),
    ("nothing to do", "float", lambda g: replace(g, nodes=(), outputs=("x",)), "there is nothing to compute"),
    ("unknown tensor", "float", node(0, inputs=("z",)), "tensor z is used but not defined"),
    ("unknown output", "float", lambda g: replace(g, outputs=("z",)), "tensor z is used but not defined"),
    ("order", "float", lambda g: replace(g, nodes=g.nodes[::-1]), "add reads m before it is computed"),
    ("written twice", "float", node(4, output="s"), "mul writes s, which exists already"),
    ("written constant", "float", node(3, output="b"), "sigmoid writes b, which exists already"),
    ("output missing", "float", lambda g: replace(g, nodes=g.nodes[:-1]), "output y is never computed"),
    ("same names", "float", node(1, name="pool"), "two nodes are named pool"),
    ("shape", "float", kind("p", shape=(3, 2, 1)), "pool makes (2, 2, 1), its output says (3, 2, 1)"),
    ("misfit", "float", node(0, op=MaxPool2d((9, 9))), "pool: window (9, 9)"),
    ("data shape", "float", data("b", lambda b: b[:2]), "b: data (2,) in a tensor (3,)"),
    ("NaN", "float", data("w", lambda w: w * np.nan), "w holds NaN or infinity"),
    ("computed weight", "float", node(2, inputs=("f", "w", "l")), "linear reads l before it is computed"),
    (
        "two activations",
        "float",
        node(2, inputs=("f", "f", "b")),
        "linear (linear) needs 1 computed input, has 2",
    ),
    ("constant operand", "float", node(5, inputs=("b", "b")), "add (add) computes from constants alone"),
    ("integer too early", "float", kind("w", dtype="int8"), "w is int8"),
    ("batch-norm", "folded", batch_norm, "bn is a batch_norm"),
    ("no scale", "annotated", kind("l", scale=()), "l has no scale"),
    ("zero scale", "annotated", kind("l", scale=(0.0,)), "l has a scale that is not positive"),
    ("infinite scale", "annotated", kind("l", scale=(np.inf,)), "l has a scale that is not positive"),
    ("wide activation", "annotated", kind("l", dtype="int32"), "l is int32; activations are int8"),
    (
        "grids of an operand",
        "annotated",
        node(5, inputs=("m", "w")),
        "constant w must be int8 with one scale",
    ),
    ("tied scale", "annotated", kind("p", scale=(0.1,)), "pool (max_pool2d) must keep its input's scale"),
    ("tied zero point", "annotated", kind("f", zero_point=99), "flat (reshape) must keep its input's scale"),
    ("fixed output", "annotated", kind("s", scale=(0.01,)), "sigmoid (sigmoid) must have scale 0.00390625"),
    ("real codes", "integer", data("w", lambda w: w + 0.5), "w holds float64, not codes"),
    ("code -128", "integer", data("w", lambda w: np.full_like(w, -128)), "w exceeds ±127"),
    ("narrow code", "integer", kind("w", dtype="int4"), "w exceeds ±7"),
    ("large bias", "integer", data("b", lambda b: b * 0 + 2**30), "linear can overflow its accumulator"),
    ("fine linear", "integer", kind("l", scale=(1e-30,)), "linear has an output grid too fine"),
    ("fine mul", "integer", kind("m", scale=(1e-30,)), "mul has an output grid too fine"),
    ("fine add", "integer", kind("a", scale=(1e-30,)), "add has an output grid too fine"),
    ("state too early", "annotated", state(), "ring is a state: only what is quantized runs step by step"),
    ("carried too early", "float", node(5, carried=("ring",)), "tensor ring is used but not defined"),
    ("unknown next", "integer", state(following="z"), "tensor z is used but not defined"),
    ("state twice", "integer", state(times=2), "state ring is listed twice"),
    ("computed state", "integer", state("s"), "state s must be neither a constant nor an input nor computed"),
    (
        "next not computed",
        "integer",
        state(following="x"),
        "needs a next value that a node computes on the same",
    ),
    (
        "next on another grid",
        "integer",
        state(following="s"),
        "needs a next value that a node computes on the same",
    ),
    ("no next", "integer", state(following=""), "state ring needs a next value or one node that carries it"),
    ("initial of another width", "integer", state(dtype="int16"), "state ring begins with int16 (3,)"),
    ("two nexts", "integer", carried_by(5, "l"), "state ring needs a next value or one node that carries it"),
    ("nothing to carry", "integer", carried_by(5), "add (add) must carry nothing"),
    ("no state", "integer", lambda g: node(5, carried=("l",))(g), "l is carried, but no state"),
    ("fine concat", "integer", kind("y", scale=(1e-30,)), "concat has an output grid too fine"),
]


@pytest.mark.parametrize("stage", GRAPHS)
def test_legal_graphs_pass(stage: Stage) -> None:
    check(GRAPHS[stage](), stage)


@pytest.mark.parametrize(("stage", "change", "reason"), [i[1:] for i in ILLEGAL], ids=[i[0] for i in ILLEGAL])
def test_illegal_graphs_are_refused_with_the_reason(stage: Stage, change: Change, reason: str) -> None:
    with pytest.raises(SpecError) as caught:
        check(change(GRAPHS[stage]()), stage)
    assert reason in str(caught.value)


def test_a_constant_read_by_two_layers_is_refused_once_it_has_a_grid() -> None:
    graph = integer_graph()
    again = Node("again", Linear(), ("f", "w", "b"), "again")
    graph = replace(
        graph.with_tensors(replace(graph.tensors["l"], name="again")), nodes=(*graph.nodes, again)
    )
    with pytest.raises(SpecError, match="constant w is read more than once"):
        check(graph, "integer")


def test_all_broken_rules_are_listed_at_once() -> None:
    graph = kind("l", scale=())(kind("m", dtype="int32")(annotated_graph()))
    with pytest.raises(SpecError) as caught:
        check(graph, "annotated")
    assert "l has no scale" in str(caught.value)
    assert "m is int32" in str(caught.value)


def test_every_rule_is_broken_by_some_test() -> None:
    """A rule without a test would show here: break each graph and see which rules speak."""
    speaking = {"constants_have_one_reader", "tensors_are_known"}
    speaking.add("recurrent_accumulators_fit")  # tests/ops/test_recurrent.py
    speaking |= {"ids_come_from_outside", "ids_are_exact"}  # tests/ops/test_embedding.py
    for _, stage, change, _ in ILLEGAL:
        graph = change(GRAPHS[stage]())
        for rule in RULES[stage]:
            try:
                if list(rule(graph)):
                    speaking.add(rule.__name__)
            except KeyError:  # an unknown tensor: check asks no further rule then
                pass
    assert speaking >= {rule.__name__ for rules in RULES.values() for rule in rules}


def test_a_state_with_a_next_value_is_legal() -> None:
    check(state()(integer_graph()), "integer")


def test_an_elementwise_op_may_stand_anywhere() -> None:
    graph = Graph("relu", {"x": Tensor("x", TensorType((2,)))}, (), ("x",), ("y",))
    check(rebuild(graph, [Node("relu", Relu(), ("x",), "y")]), "folded")
