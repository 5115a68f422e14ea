"""Quantization without training: legal, repeatable, and nearer to the float network than rounding to the nearest."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from pintsize.compress.post_training import PostTraining
from pintsize.compress.quantize import freeze
from pintsize.errors import UserError
from pintsize.graph import BITS, Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import AveragePool2d, Conv2d, DepthwiseConv2d, Linear, Reshape
from pintsize.spec import check
from pintsize.verify import float_outputs, integer_outputs
from tests.drawn import Drawn, drawn_graphs
from tests.examples import constant


def network(activation: str = "relu") -> tuple[Graph, np.ndarray]:
    """A small depthwise-separable network, and pictures whose neighbouring pixels are alike."""
    draw = np.random.default_rng(5)
    shapes = {"stem": (8, 3, 3, 2), "depth": (3, 3, 8), "point": (12, 1, 1, 8), "head": (4, 12)}
    fans = {"stem": 18, "depth": 9, "point": 8, "head": 12}
    outputs = {"stem": 8, "depth": 8, "point": 12, "head": 4}
    constants = {
        f"{n}.w": constant(f"{n}.w", draw.normal(0, 1.4 / fans[n] ** 0.5, s)) for n, s in shapes.items()
    }
    constants |= {f"{n}.b": constant(f"{n}.b", draw.normal(0, 0.1, outputs[n])) for n in shapes}
    same = (1, 1, 1, 1)
    nodes = [
        Node("stem", Conv2d(padding=same, activation=activation), ("x", "stem.w", "stem.b"), "s"),  # type: ignore[arg-type]
        Node("depth", DepthwiseConv2d(padding=same, activation=activation), ("s", "depth.w", "depth.b"), "d"),  # type: ignore[arg-type]
        Node("point", Conv2d(activation=activation), ("d", "point.w", "point.b"), "p"),  # type: ignore[arg-type]
        Node("pool", AveragePool2d((6, 6)), ("p",), "a"),
        Node("flat", Reshape(), ("a",), "m"),
        Node("head", Linear(), ("m", "head.w", "head.b"), "y"),
    ]
    graph = rebuild(
        Graph("network", {"x": Tensor("x", TensorType((6, 6, 2)))}, (), ("x",), ("y",)), nodes, constants
    )
    noise = draw.normal(0, 1, (300, 8, 8, 2))
    x = (noise[:, :-2, :-2] + noise[:, 1:-1, 1:-1] + noise[:, 2:, 2:]).astype(np.float32)
    return graph, x


def error(graph: Graph, integers: Graph, x: np.ndarray) -> float:
    """Mean squared error relative to the output's own size."""
    exact = float_outputs(graph, x)
    return float(np.square(integer_outputs(integers, x) - exact).mean() / np.square(exact).mean())


@settings(max_examples=25, deadline=None)
@given(drawn_graphs())
def test_every_drawn_graph_becomes_a_legal_one(drawn: Drawn) -> None:
    how = PostTraining(drawn.quantize.weight_bits, activation_bits=drawn.quantize.activation_bits)
    annotated = how.annotate(drawn.graph, drawn.samples)
    check(annotated, "annotated")
    check(freeze(annotated), "integer")


@pytest.mark.parametrize("bits", [4, 2])
@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_unseen_samples_come_nearer_than_with_nearest_codes(bits: int, activation: str) -> None:
    graph, x = network(activation)
    seen, unseen = x[:200], x[200:]
    plain = PostTraining(bits, equalize_layers=False, adapt_rounding=False, correct_biases=False)  # type: ignore[arg-type]
    fitted = PostTraining(bits)  # type: ignore[arg-type]
    errors = [error(graph, how(graph, seen), unseen) for how in (fitted, plain)]
    assert errors[0] < 0.6 * errors[1]


def test_each_step_alone_brings_the_outputs_nearer() -> None:
    graph, x = network()
    plain = PostTraining(4, equalize_layers=False, adapt_rounding=False, correct_biases=False)
    worst = error(graph, plain(graph, x), x)
    biases = PostTraining(4, equalize_layers=False, adapt_rounding=False)
    rounding = PostTraining(4, equalize_layers=False, correct_biases=False)
    assert error(graph, biases(graph, x), x) < worst
    assert error(graph, rounding(graph, x), x) < worst


def test_layers_have_their_own_widths() -> None:
    graph, x = network()
    done = PostTraining(8, {"point": 2, "stem": 4})(graph, x)
    assert {n: BITS[done.type(f"{n}.w").dtype] for n in ("stem", "depth", "point", "head")} == {
        "stem": 4, "depth": 8, "point": 2, "head": 8,
    }  # fmt: skip
    with pytest.raises(UserError, match=r"no layer with weights is named \['pointy'\]"):
        PostTraining(8, {"pointy": 4})(graph, x)


def test_activations_of_16_bits_lose_less() -> None:
    graph, x = network()
    narrow, wide = (PostTraining(8, activation_bits=a)(graph, x) for a in (8, 16))
    assert wide.type(wide.inputs[0]).dtype == "int16"
    assert error(graph, wide, x) < error(graph, narrow, x)


def test_the_same_samples_give_the_same_codes() -> None:
    graph, x = network()
    one, two = (PostTraining(4)(graph, x) for _ in range(2))
    assert all(one.type(n) == two.type(n) for n in one.tensors)
    assert all(np.array_equal(one.constant(c), two.constant(c)) for n in one.nodes for c in one.constants(n))


def test_one_sample_is_enough_to_run() -> None:
    graph, x = network()
    done = PostTraining(4)(graph, x[:1])
    assert np.isfinite(integer_outputs(done, x)).all()
    assert error(graph, done, x) < 1.0


def test_every_layer_is_told() -> None:
    graph, x = network()
    told: list[tuple[int, int]] = []
    PostTraining().annotate(graph, x[:8], lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_weights_lie_on_their_grids() -> None:
    graph, x = network()
    annotated = PostTraining(4).annotate(graph, x)
    scale = np.array(annotated.type("head.w").scale, np.float32)[:, None]
    steps = annotated.constant("head.w") / scale
    assert np.abs(steps - np.round(steps)).max() < 1e-4
    assert torch.equal(
        *(
            torch.from_numpy(a)
            for a in (np.round(steps), freeze(annotated).constant("head.w").astype(np.float32))
        )
    )
