"""Training's forward pass is the device's arithmetic, and it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings

from pintsize.arithmetic import quantize
from pintsize.compress.quantize import Quantize, freeze
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import GraphModule, run_float, run_integers, tied_groups
from pintsize.ops import BatchNorm, Concat, Conv2d, Linear, MaxPool2d, Relu, Reshape, Sigmoid
from tests.drawn import Drawn, drawn_graphs
from tests.examples import constant


@settings(max_examples=150)
@given(drawn_graphs())
def test_the_forward_pass_computes_the_frozen_graphs_integers(drawn: Drawn) -> None:
    module, x = drawn.module(), drawn.samples * 1.5
    codes = module.forward_codes(torch.from_numpy(x)).detach().numpy()
    graph = freeze(module.graph())
    kind = graph.type("x")
    assert np.array_equal(codes, run_integers(graph, quantize(x, kind.scale[0], kind.zero_point)))


@pytest.mark.long
@settings(max_examples=2000)
@given(drawn_graphs(largest=12))
def test_the_forward_pass_computes_the_frozen_graphs_integers_on_many_graphs(drawn: Drawn) -> None:
    module = drawn.module()
    codes = module.forward_codes(torch.from_numpy(drawn.samples)).detach().numpy()
    graph = freeze(module.graph())
    kind = graph.type("x")
    assert np.array_equal(codes, run_integers(graph, quantize(drawn.samples, kind.scale[0], kind.zero_point)))


@settings(max_examples=50)
@given(drawn_graphs())
def test_every_gradient_is_finite(drawn: Drawn) -> None:
    module = drawn.module()
    loss = module(torch.from_numpy(drawn.samples)).square().mean()
    assume(loss.requires_grad)  # some graphs have nothing to learn
    loss.backward()
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    assert all(torch.isfinite(g).all() for g in gradients)


def classifier() -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(0)
    constants = {
        t.name: t
        for t in (
            constant("w0", rng.normal(0, 0.5, (6, 3, 3, 2))),
            constant("b0", rng.normal(0, 0.1, 6)),
            constant("w1", rng.normal(0, 0.3, (3, 6 * 9))),
            constant("b1", np.zeros(3)),
        )
    }
    nodes = [
        Node("conv", Conv2d(padding=(1, 1, 1, 1), activation="relu"), ("x", "w0", "b0"), "h"),
        Node("pool", MaxPool2d(), ("h",), "p"),
        Node("flat", Reshape(), ("p",), "f"),
        Node("linear", Linear(), ("f", "w1", "b1"), "y"),
    ]
    graph = Graph("classifier", {"x": Tensor("x", TensorType((6, 6, 2)))}, (), ("x",), ("y",))
    return rebuild(graph, nodes, constants), rng.normal(0, 1, (96, 6, 6, 2)).astype(np.float32)


def test_training_moves_weights_biases_and_scales_and_stays_exact() -> None:
    graph, x = classifier()
    y = torch.from_numpy((x.mean((1, 2)) @ [[1, -1, 0], [0, 1, -1]]).argmax(1))
    module = GraphModule(Quantize(weight_bits=4).annotate(graph, x))
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    optimizer = torch.optim.Adam(module.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(module(torch.from_numpy(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    assert all(not torch.equal(p, before[name]) for name, p in module.named_parameters())
    frozen = freeze(module.graph())
    kind = frozen.type("x")
    codes = module.forward_codes(torch.from_numpy(x)).detach().numpy()
    assert np.array_equal(codes, run_integers(frozen, quantize(x, kind.scale[0], kind.zero_point)))


def test_an_untrained_float_module_is_the_graph() -> None:
    graph, x = classifier()
    module = GraphModule(graph)
    assert torch.equal(module(torch.from_numpy(x)), run_float(graph, torch.from_numpy(x)))
    again = module.graph()
    assert all(np.array_equal(again.constant(c), graph.constant(c)) for c in ("w0", "b0", "w1", "b1"))


def test_the_integer_module_answers_in_real_numbers() -> None:
    graph, x = classifier()
    module = GraphModule(Quantize().annotate(graph, x))
    with torch.no_grad():
        real, codes = module(torch.from_numpy(x)), module.forward_codes(torch.from_numpy(x))
    kind = module.graph().type("y")
    assert torch.allclose(real, (codes - kind.zero_point) * kind.scale[0])
    assert (real - run_float(graph, torch.from_numpy(x))).abs().max() < 8 * kind.scale[0]


def test_observers_see_every_nodes_output() -> None:
    graph, x = classifier()
    seen: list[str] = []
    module = GraphModule(Quantize().annotate(graph, x))
    module.observe = lambda name, value: seen.append(name)
    module(torch.from_numpy(x[:2]))
    assert seen == ["h", "p", "f", "y"]


def test_batch_norm_trains_on_the_batch_and_remembers_it() -> None:
    names = ("gain", "bias", "mean", "variance")
    constants = {n: constant(n, np.array([v, v])) for n, v in zip(names, (1.0, 0.0, 0.0, 1.0), strict=True)}
    graph = Graph("bn", {"x": Tensor("x", TensorType((4, 4, 2)))}, (), ("x",), ("y",))
    graph = rebuild(graph, [Node("bn", BatchNorm(), ("x", *names), "y")], constants)
    x = torch.randn(64, 4, 4, 2, generator=torch.Generator().manual_seed(0)) * 3 + 5
    module = GraphModule(graph, momentum=1.0)
    y = module(x).detach()
    assert abs(float(y.mean())) < 1e-4
    assert abs(float(y.var()) - 1) < 1e-2
    assert np.allclose(module.graph().constant("mean"), 5, atol=0.3)
    module.eval()
    assert torch.allclose(module(x), y, atol=1e-2)


def test_a_constant_gain_and_bias_are_no_statistics_in_training() -> None:
    """x · gain + bias in a model is read as a batch norm without ε; the batch must not be normalized by it."""
    names = ("gain", "shift", "mean", "variance")
    constants = [constant(n, np.full(2, v)) for n, v in zip(names, (0.5, -1.0, 0.0, 1.0), strict=True)]
    tensors = {t.name: t for t in (Tensor("x", TensorType((2,))), *constants, Tensor("y", TensorType((2,))))}
    node = Node("affine", BatchNorm(epsilon=0.0), ("x", *names), "y")
    module = GraphModule(Graph("affine", tensors, (node,), ("x",), ("y",))).train()
    assert module(torch.tensor([[2.0, 6.0], [4.0, 8.0]])).tolist() == [[0.0, 2.0], [1.0, 3.0]]


def test_tied_tensors_share_one_scale_except_with_a_fixed_one() -> None:
    nodes = [
        Node("relu", Relu(), ("x",), "r"),
        Node("pool", MaxPool2d((1, 1), (1, 1)), ("r",), "p"),
        Node("sigmoid", Sigmoid(), ("x",), "s"),
        Node("concat", Concat(), ("p", "s"), "y"),
    ]
    graph = rebuild(Graph("g", {"x": Tensor("x", TensorType((2, 2, 1)))}, (), ("x",), ("y",)), nodes)
    groups = tied_groups(graph)
    assert groups["r"] == groups["p"] == groups["y"]
    assert len({groups["x"], groups["r"], groups["s"]}) == 3


def test_run_integers_does_not_depend_on_the_batch() -> None:
    graph, x = classifier()
    integers = Quantize()(graph, x)
    codes = np.random.default_rng(0).integers(-128, 128, (20, 6, 6, 2)).astype(np.int8)
    whole = run_integers(integers, codes)
    assert np.array_equal(whole, run_integers(integers, codes, batch=7))
    assert np.array_equal(whole[3:4], run_integers(integers, codes[3:4]))
