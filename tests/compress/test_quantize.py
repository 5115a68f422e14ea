"""Post-training quantization: legal graphs, the widths that were asked for, and little lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from pintsize.arithmetic import SCALE_BITS, SCALE_REACH, WEIGHT_MAX, brief_scales, dequantize, quantize
from pintsize.compress.quantize import Quantize, correct_biases, freeze, own_constants
from pintsize.compress.weight_scales import weight_scales
from pintsize.errors import DataError, SpecError, UserError
from pintsize.graph import BITS, Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import run_float, run_integers
from pintsize.ops import BatchNorm, Concat, Conv2d, Linear, MaxPool2d, Mul, Relu, Reshape, Sigmoid
from pintsize.spec import check
from pintsize.write.c import write
from tests.compiled import run_on_host
from tests.drawn import Drawn, drawn_graphs, random_codes
from tests.examples import constant


def network() -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(5)
    shapes = {"stem": (8, 3, 3, 2), "body": (8, 3, 3, 8), "head": (4, 8 * 9)}
    constants = {
        f"{n}.w": constant(f"{n}.w", rng.normal(0, 1 / np.sqrt(np.prod(s[1:])), s)) for n, s in shapes.items()
    }
    constants |= {f"{n}.b": constant(f"{n}.b", rng.normal(0, 0.1, s[0])) for n, s in shapes.items()}
    same = (1, 1, 1, 1)
    nodes = [
        Node("stem", Conv2d(padding=same, activation="relu"), ("x", "stem.w", "stem.b"), "s"),
        Node("body", Conv2d(padding=same, activation="relu"), ("s", "body.w", "body.b"), "h"),
        Node("pool", MaxPool2d(), ("h",), "p"),
        Node("flat", Reshape(), ("p",), "f"),
        Node("head", Linear(), ("f", "head.w", "head.b"), "y"),
    ]
    graph = Graph("network", {"x": Tensor("x", TensorType((6, 6, 2)))}, (), ("x",), ("y",))
    return rebuild(graph, nodes, constants), rng.normal(0, 1, (256, 6, 6, 2)).astype(np.float32)


def output(graph: Graph, x: np.ndarray) -> np.ndarray:
    """The integer Graph's output in real numbers."""
    a, y = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    return dequantize(run_integers(graph, quantize(x, a.scale[0], a.zero_point)), y.scale[0], y.zero_point)


def error(graph: Graph, integers: Graph, x: np.ndarray) -> float:
    """Root mean squared error relative to the output's own size."""
    exact = run_float(graph, torch.from_numpy(x)).numpy()
    return float(np.sqrt(np.square(output(integers, x) - exact).mean() / np.square(exact).mean()))


@settings(max_examples=60)
@given(drawn_graphs())
def test_every_drawn_graph_quantizes_to_a_legal_one(drawn: Drawn) -> None:
    annotated = drawn.quantize.annotate(drawn.graph, drawn.samples)
    check(annotated, "annotated")
    check(freeze(annotated), "integer")


def test_narrower_weights_lose_more_and_eight_bits_little() -> None:
    graph, x = network()
    errors = [error(graph, Quantize(weight_bits=bits)(graph, x), x) for bits in (8, 4, 2)]
    assert errors[0] < 0.03
    assert errors[0] < errors[1] < errors[2] < 0.8


def test_one_layer_may_have_a_width_of_its_own() -> None:
    graph, x = network()
    quantized = Quantize(layer_bits={"body": 4})(graph, x)
    assert [BITS[quantized.type(f"{n}.w").dtype] for n in ("stem", "body", "head")] == [8, 4, 8]
    assert np.abs(quantized.constant("body.w")).max() <= WEIGHT_MAX[4]
    assert quantized.weight_bytes < Quantize()(graph, x).weight_bytes


def test_an_unknown_layer_is_named_with_those_there_are() -> None:
    graph, x = network()
    with pytest.raises(UserError, match=r"no layer with weights is named \['boddy'\].*'stem', 'body'"):
        Quantize(layer_bits={"boddy": 4})(graph, x)


@pytest.mark.parametrize("options", [{"weight_bits": 3}, {"layer_bits": {"a": 16}}])
def test_an_unknown_width_is_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"weights may have \[2, 4, 8\] bits"):
        Quantize(**options)  # type: ignore[arg-type]


def test_samples_are_needed() -> None:
    graph, x = network()
    with pytest.raises(DataError, match="at least one sample"):
        Quantize()(graph, x[:0])


def test_batch_norms_must_be_folded_first() -> None:
    names = ("gain", "bias", "mean", "variance")
    constants = {n: constant(n, np.ones(2)) for n in names}
    graph = Graph("g", {"x": Tensor("x", TensorType((2,)))}, (), ("x",), ("y",))
    graph = rebuild(graph, [Node("bn", BatchNorm(), ("x", *names), "y")], constants)
    with pytest.raises(SpecError, match="bn is a batch_norm"):
        Quantize()(graph, np.ones((3, 2), np.float32))


def test_the_original_graph_is_left_alone() -> None:
    graph, x = network()
    before = {c: graph.constant(c).copy() for n in graph.nodes for c in graph.constants(n)}
    Quantize()(graph, x)
    assert all(np.array_equal(graph.constant(c), d) for c, d in before.items())
    check(graph, "folded")


def test_the_same_samples_give_the_same_graph() -> None:
    graph, x = network()
    one, two = Quantize(weight_bits=4)(graph, x), Quantize(weight_bits=4)(graph, x)
    assert all(one.type(n) == two.type(n) for n in one.tensors)


def test_tied_types_share_grids() -> None:
    nodes = [
        Node("relu", Relu(), ("x",), "r"),
        Node("double", Mul(), ("r", "r"), "d"),
        Node("sigmoid", Sigmoid(), ("x",), "s"),
        Node("concat", Concat(), ("r", "d", "s"), "c"),
        Node("pool", MaxPool2d(), ("c",), "y"),
    ]
    graph = rebuild(Graph("g", {"x": Tensor("x", TensorType((2, 2, 1)))}, (), ("x",), ("y",)), nodes)
    x = np.random.default_rng(0).normal(0, 2, (100, 2, 2, 1)).astype(np.float32)
    quantized = Quantize()(graph, x)
    grids = {n: (quantized.type(n).scale, quantized.type(n).zero_point) for n in "xrdscy"}
    assert grids["r"] == grids["d"] == grids["c"] == grids["y"]
    assert grids["s"] == ((1 / 256,), -128)
    assert grids["x"] != grids["r"]


def test_bias_correction_takes_back_the_shift_of_the_mean() -> None:
    """Inputs with a mean of 3 and weights that round the same way: the planted error is one-sided."""
    rng = np.random.default_rng(0)
    weight = np.full((4, 32), 0.3) + rng.normal(0, 0.02, (4, 32))
    weight[:, 0] = 1.0
    constants = {"w": constant("w", weight), "b": constant("b", np.zeros(4))}
    graph = Graph("g", {"x": Tensor("x", TensorType((32,)))}, (), ("x",), ("y",))
    graph = rebuild(graph, [Node("linear", Linear(), ("x", "w", "b"), "y")], constants)
    x = rng.normal(3, 0.3, (500, 32)).astype(np.float32)
    exact = run_float(graph, torch.from_numpy(x)).numpy()
    shifts = [
        np.abs((output(Quantize(weight_bits=2, correct_biases=c)(graph, x), x) - exact).mean(0)).max()
        for c in (False, True)
    ]
    assert shifts[1] < shifts[0] / 5


def test_bias_correction_without_rounding_changes_nothing() -> None:
    graph, x = network()
    annotated = Quantize(correct_biases=False).annotate(graph, x)
    zero = {n: np.zeros(annotated.type(n).shape[-1]) for n in annotated.tensors}
    corrected = correct_biases(annotated, zero)
    assert np.array_equal(corrected.constant("body.b"), annotated.constant("body.b"))


def test_equalization_helps_where_channels_differ_a_hundredfold() -> None:
    graph, x = network()
    sizes = np.geomspace(0.03, 3, 8).astype(np.float32)
    graph = graph.with_tensors(
        constant("stem.w", graph.constant("stem.w") * sizes.reshape(-1, 1, 1, 1)),
        constant("stem.b", graph.constant("stem.b") * sizes),
        constant("body.w", graph.constant("body.w") / sizes),
    )
    plain, even = (error(graph, Quantize(equalize_layers=e)(graph, x), x) for e in (False, True))
    assert even < plain / 2


def test_an_all_zero_channel_gives_its_bias() -> None:
    constants = {
        "w": constant("w", np.array([[0.0, 0.0], [1.0, -1.0]])),
        "b": constant("b", np.array([0.7, 0.0])),
    }
    graph = Graph("g", {"x": Tensor("x", TensorType((2,)))}, (), ("x",), ("y",))
    graph = rebuild(graph, [Node("linear", Linear(), ("x", "w", "b"), "y")], constants)
    x = np.random.default_rng(0).normal(0, 1, (50, 2)).astype(np.float32)
    quantized = Quantize()(graph, x)
    assert np.abs(output(quantized, x)[:, 0] - 0.7).max() <= quantized.type("y").scale[0]


def dead_network() -> tuple[Graph, np.ndarray]:
    graph, x = network()
    return graph.with_tensors(constant("stem.b", np.full(8, -1000.0))), x


def test_a_dead_layer_overflows_nothing() -> None:
    """All its outputs are 0, so their grid says nothing about the numbers that its accumulator holds."""
    graph, x = dead_network()
    quantized = Quantize()(graph, x)
    codes = random_codes(quantized, 20)
    expected = run_integers(quantized, codes)
    assert np.array_equal(run_on_host(write(quantized).files, codes), expected.reshape(20, -1))
    assert error(graph, quantized, x) < 0.03


def test_layers_that_share_weights_get_copies_on_their_own_grids() -> None:
    """One torch module called twice: its two inputs have two scales, hence two biases."""
    rng = np.random.default_rng(0)
    constants = {"w": constant("w", rng.normal(0, 2, (6, 6))), "b": constant("b", rng.normal(0, 1, 6))}
    nodes = [
        Node("once", Linear("relu"), ("x", "w", "b"), "h"),
        Node("twice", Linear("relu"), ("h", "w", "b"), "y"),
    ]
    graph = rebuild(Graph("g", {"x": Tensor("x", TensorType((6,)))}, (), ("x",), ("y",)), nodes, constants)
    x = rng.normal(0, 1, (300, 6)).astype(np.float32)
    quantized = Quantize()(graph, x)
    assert len({c for n in quantized.nodes for c in quantized.constants(n)}) == 4
    assert error(graph, quantized, x) < 0.03
    again = own_constants(quantized)
    assert [n.inputs for n in again.nodes] == [n.inputs for n in quantized.nodes]


def test_numbers_of_hopelessly_different_size_are_the_users_to_mend() -> None:
    """x and its eighth power on one grid: no scale serves both."""
    nodes = [
        Node("a", Mul(), ("x", "x"), "a"),
        Node("b", Mul(), ("a", "a"), "b"),
        Node("c", Mul(), ("b", "b"), "c"),
    ]
    nodes.append(Node("concat", Concat(), ("x", "c"), "y"))
    graph = rebuild(Graph("g", {"x": Tensor("x", TensorType((2,)))}, (), ("x",), ("y",)), nodes)
    x = np.full((4, 2), 1e4, np.float32)
    with pytest.raises(UserError, match="normalize them in the model"):
        Quantize()(graph, x)


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_a_weights_scale_is_found_per_channel(bits: int) -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([0.5, 1.0, 30.0])
    weight = rng.normal(0, 1, (3, 200)) * sizes[:, None]
    scales = weight_scales(weight, 0, bits)  # type: ignore[arg-type]
    assert scales / sizes == pytest.approx(np.full(3, (scales / sizes)[1]), rel=0.4)
    if bits == 8:
        least = np.abs(weight).max(1) / 127
        assert (scales >= least).all()
        assert scales == pytest.approx(least, rel=2.0**-5)


def test_a_weights_scales_have_few_bits_and_lie_near_each_other() -> None:
    weight = np.random.default_rng(0).normal(0, 1, (40, 9)) * np.geomspace(1e-6, 10, 40)[:, None]
    scales = weight_scales(weight, 0, 4)
    significant = np.frexp(scales)[0] * 2**SCALE_BITS
    assert np.array_equal(significant, np.round(significant))
    assert scales.min() == scales.max() * SCALE_REACH
    assert np.array_equal(
        brief_scales(torch.from_numpy(scales.astype(np.float32))).numpy(), scales.astype(np.float32)
    )


def test_freezing_needs_an_annotated_graph() -> None:
    graph, x = network()
    annotated = Quantize().annotate(graph, x)
    broken = annotated.with_tensors(
        replace(annotated.tensors["h"], type=replace(annotated.type("h"), scale=()))
    )
    with pytest.raises(SpecError, match="h has no scale"):
        freeze(broken)
