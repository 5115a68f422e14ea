"""One graph that needs every C kernel, in all widths of weights."""

from __future__ import annotations

import numpy as np

from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import (
    Add,
    AveragePool2d,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    HardSwish,
    Linear,
    MaxPool2d,
    Mul,
    Pad,
    Reshape,
    Sigmoid,
    Softmax,
    Transpose,
)
from tests.examples import constant

WEIGHTS = {
    "conv": (5, 3, 2, 3),
    "narrow": (6, 2, 2, 5),
    "binary": (7, 1, 3, 6),
    "depth8": (2, 2, 14),
    "depth4": (3, 2, 15),
    "depth2": (2, 1, 15),
    "squeeze": (15, 15),
    "logits": (6, 9),
}
BITS = {"narrow": 4, "binary": 2, "depth4": 4, "depth2": 2, "squeeze": 4, "hidden": 2}


def every_kernel() -> Graph:
    """The integer Graph: input (9, 8, 3), output (6,)."""
    rng = np.random.default_rng(7)
    constants = {}
    for name, shape in WEIGHTS.items():
        width = shape[-1] if len(shape) == 3 else shape[0]
        fan_in = np.prod(shape) / width
        constants[f"{name}.w"] = constant(f"{name}.w", rng.normal(0, 1.5 / np.sqrt(fan_in), shape))
        constants[f"{name}.b"] = constant(f"{name}.b", rng.normal(0, 0.2, width))

    def layer(name: str, op: Conv2d | DepthwiseConv2d | Linear, x: str) -> Node:
        return Node(name, op, (x, f"{name}.w", f"{name}.b"), name)

    nodes = [
        Node("pad", Pad((1, 0, 0, 2)), ("x",), "pad"),
        layer("conv", Conv2d((1, 2), (1, 0, 1, 0), (2, 1), "relu"), "pad"),
        layer("narrow", Conv2d((1, 1), (0, 1, 1, 0)), "conv"),
        layer("binary", Conv2d((1, 1), (0, 0, 2, 1), (1, 2), "relu6"), "narrow"),
        layer("depth8", DepthwiseConv2d(padding=(1, 0, 0, 1), multiplier=2, activation="relu"), "binary"),
        Node("pool", MaxPool2d((2, 2), (1, 1), (0, 1, 1, 0)), ("depth8",), "pool"),
        Node("sigmoid", Sigmoid(), ("pool",), "sigmoid"),
        Node("first", AveragePool2d((1, 1), (1, 1)), ("pool",), "first"),
        Node("both", Concat(), ("first", "sigmoid"), "both"),
        Node("mean", AveragePool2d((3, 2), (3, 2), (1, 1, 0, 0)), ("both",), "mean"),
    ]
    graph = Graph("every kernel", {"x": Tensor("x", TensorType((9, 8, 3)))}, (), ("x",), ("softmax",))
    height, width, channels = rebuild(graph, nodes, constants).type("mean").shape
    for name, shape in {"mix": (15, 1, 1, channels), "hidden": (9, height * width * 15)}.items():
        constants[f"{name}.w"] = constant(f"{name}.w", rng.normal(0, 1 / np.sqrt(shape[-1]), shape))
        constants[f"{name}.b"] = constant(f"{name}.b", rng.normal(0, 0.2, shape[0]))
    nodes += [
        layer("mix", Conv2d(), "mean"),
        layer("depth4", DepthwiseConv2d((1, 1), (1, 1, 0, 1), (1, 1)), "mix"),
        layer("depth2", DepthwiseConv2d((1, 1), (0, 1, 0, 0)), "depth4"),
        Node("residual", Add(), ("depth2", "mix"), "residual"),
        Node("global", AveragePool2d((height, width), (1, 1)), ("residual",), "global"),
        layer("squeeze", Linear(), "global"),
        Node("gate", Sigmoid(), ("squeeze",), "gate"),
        Node("gated", Mul(), ("residual", "gate"), "gated"),
        Node("shifted", Add("relu"), ("gated", "global"), "shifted"),
        Node("swish", HardSwish(), ("shifted",), "swish"),
        Node("turned", Transpose((2, 0, 1)), ("swish",), "turned"),
        Node("flat", Reshape(), ("turned",), "flat"),
        layer("hidden", Linear("relu"), "flat"),
        layer("logits", Linear(), "hidden"),
        Node("softmax", Softmax(), ("logits",), "softmax"),
    ]
    samples = rng.normal(0.3, 1, (64, 9, 8, 3)).astype(np.float32)
    return Quantize(layer_bits=BITS)(rebuild(graph, nodes, constants), samples)
