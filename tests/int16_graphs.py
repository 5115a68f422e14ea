"""Graphs whose activations are int16: drawn ones, one with every kernel, and joined to int8 graphs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from pintsize.compress.quantize import Bits, Quantize
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import (
    Add,
    AveragePool2d,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    Linear,
    Lstm,
    MaxPool2d,
    Mul,
    Pad,
    Requantize,
    Reshape,
    Sigmoid,
    Slice,
    Tanh,
    Transpose,
)
from tests.drawn import (
    ACTIVATIONS,
    Sketch,
    draw_conv2d,
    draw_depthwise_conv2d,
    draw_linear,
    draw_pool,
    draw_recurrent,
)
from tests.examples import constant

INT8 = TensorType((), "int8", (0.03,), -11)


def draw_gate(s: Sketch) -> None:
    """A tensor with what a function makes of it, or with a constant per channel."""
    x = s.pick(list(s.shapes))
    op = s.draw(st.sampled_from([Add, Mul]))(s.draw(ACTIVATIONS))
    if s.draw(st.booleans()):
        s.add(op, x, s.add(s.draw(st.sampled_from([Sigmoid(), Tanh()])), x))
        return
    name = f"c{len(s.constants)}"
    s.constants[name] = constant(name, s.rng.normal(0, 1, s.shapes[x][-1]))
    s.add(op, x, name)


def draw_flat(s: Sketch) -> None:
    s.add(Reshape((-1,)), s.pick(list(s.shapes)))


def draw_joined(s: Sketch) -> None:
    """Beside what a function makes of it, on a grid of its own, or beside itself."""
    x = s.pick(list(s.shapes))
    other = s.add(Sigmoid(), x) if s.draw(st.booleans()) else x
    s.add(Concat(s.draw(st.integers(0, len(s.shapes[x]) - 1))), x, other)


def draw_moved(s: Sketch) -> None:
    x = s.pick(list(s.shapes))
    shape = s.shapes[x]
    kind = s.draw(st.integers(0, 2))
    if kind == 0:
        s.add(Transpose(tuple(s.draw(st.permutations(range(len(shape)))))), x)
    elif kind == 1:
        s.add(Pad(tuple(s.draw(st.integers(0, 2)) for _ in range(2 * len(shape)))), x)
    else:
        begin = tuple(s.draw(st.integers(0, n - 1)) for n in shape)
        s.add(Slice(begin, shape, tuple(s.draw(st.sampled_from([1, 1, 2])) for _ in shape)), x)


def draw_lstm(s: Sketch) -> None:
    draw_recurrent(s, ["lstm"])


@st.composite
def int16_graphs(draw: st.DrawFn) -> Graph:
    """An integer Graph of int16 activations, between int8 borders now and then."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(2, 6)), draw(st.integers(1, 6)), draw(st.integers(1, 4)))
    s = Sketch(draw, rng, {"x": shape})
    for _ in range(draw(st.integers(1, 6))):
        kinds = [draw_conv2d, draw_depthwise_conv2d, draw_pool] if len(s.shapes[s.last]) == 3 else []
        kinds += [draw_linear, draw_gate, draw_joined, draw_lstm, draw_moved, draw_flat]
        draw(st.sampled_from(kinds))(s)
    if not s.nodes:
        s.add(Tanh(), "x")
    graph = Graph("int16", {"x": Tensor("x", TensorType(shape))}, (), ("x",), (s.last,))
    samples = (rng.normal(0, 1, (16, *shape)) * 10.0 ** draw(st.floats(-2, 1))).astype(np.float32)
    bits: dict[str, Bits] = {
        n.name: draw(st.sampled_from([8, 8, 4, 2])) for n in s.nodes if n.op.activations == 1
    }
    graph = Quantize(layer_bits=bits, activation_bits=16)(rebuild(graph, s.nodes, s.constants), samples)
    return within_int8(graph) if draw(st.booleans()) else graph


def within_int8(graph: Graph) -> Graph:
    """The graph behind an int8 input and before an int8 output."""
    (x,), (y,) = graph.inputs, graph.outputs
    before = Node("widened", Requantize(), ("int8 in",), x)
    after = Node("narrowed", Requantize(), (y,), "int8 out")
    borders = {
        name: Tensor(name, replace(INT8, shape=graph.type(end).shape))
        for name, end in (("int8 in", x), ("int8 out", y))
    }
    nodes = (before, *graph.nodes, after)
    return replace(
        graph, tensors={**graph.tensors, **borders}, nodes=nodes, inputs=("int8 in",), outputs=("int8 out",)
    )


def followed_by(first: Graph, second: Graph) -> Graph:
    """An int8 graph, and an int16 one of other names on what it makes; the output is int8 again."""
    tail = within_int8(second)
    tensors = {n: t for n, t in tail.tensors.items() if n != "int8 in"}
    (made,) = first.outputs
    nodes = [replace(n, inputs=tuple(made if i == "int8 in" else i for i in n.inputs)) for n in tail.nodes]
    return replace(
        first, tensors={**first.tensors, **tensors}, nodes=(*first.nodes, *nodes), outputs=tail.outputs
    )


def every_int16_kernel() -> Graph:
    """The integer Graph: input (6,), output (6,), all activations int16."""
    rng = np.random.default_rng(8)
    shapes = {"wide conv": (4, 2, 1, 2), "wide depth": (1, 3, 8), "wide linear": (6, 24)}
    gates = {"wide lstm.w": (3, 4, 3), "wide lstm.r": (3, 4, 3), "wide lstm.b": (3, 4)}
    constants = {"wide shift": constant("wide shift", rng.normal(0, 1, 8))}
    for name, shape in shapes.items():
        constants[f"{name}.w"] = constant(f"{name}.w", rng.normal(0, 1, shape))
        width = shape[-1] if len(shape) == 3 else shape[0]
        constants[f"{name}.b"] = constant(f"{name}.b", rng.normal(0, 0.2, width))

    def layer(name: str, op: Conv2d | DepthwiseConv2d | Linear, x: str) -> Node:
        return Node(name, op, (x, f"{name}.w", f"{name}.b"), name)

    constants |= {name: constant(name, rng.normal(0, 0.7, shape)) for name, shape in gates.items()}
    nodes = [
        Node("wide image", Reshape((1, 3, 2)), ("wide in",), "wide image"),
        layer("wide conv", Conv2d((1, 1), (1, 0, 0, 0)), "wide image"),
        Node("wide max", MaxPool2d((1, 2), (1, 1), (0, 0, 0, 1)), ("wide conv",), "wide max"),
        Node("wide mean", AveragePool2d((1, 2), (1, 1), (0, 0, 0, 1)), ("wide conv",), "wide mean"),
        Node("wide tanh", Tanh(), ("wide mean",), "wide tanh"),
        Node("wide both", Concat(), ("wide max", "wide tanh"), "wide both"),
        layer("wide depth", DepthwiseConv2d((1, 1), (0, 0, 1, 1), activation="relu"), "wide both"),
        Node("wide sigmoid", Sigmoid(), ("wide depth",), "wide sigmoid"),
        Node("wide gated", Mul(), ("wide sigmoid", "wide depth"), "wide gated"),
        Node("wide shifted", Add("relu6"), ("wide gated", "wide shift"), "wide shifted"),
        Node("wide flat", Reshape((24,)), ("wide shifted",), "wide flat"),
        layer("wide linear", Linear(), "wide flat"),
        Node("wide steps", Reshape((2, 3)), ("wide linear",), "wide steps"),
        Node("wide lstm", Lstm(), ("wide steps", *gates), "wide lstm"),
        Node("wide together", Reshape((6,)), ("wide lstm",), "wide together"),
        Node("wide again", Requantize(), ("wide together",), "wide again"),
    ]
    graph = Graph(
        "every int16 kernel",
        {"wide in": Tensor("wide in", TensorType((6,)))},
        (),
        ("wide in",),
        ("wide again",),
    )
    samples = rng.normal(0.3, 1, (64, 6)).astype(np.float32)
    return Quantize(layer_bits={"wide depth": 4}, activation_bits=16)(
        rebuild(graph, nodes, constants), samples
    )
