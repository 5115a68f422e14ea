"""One graph that needs every C kernel, in all widths of weights."""

from __future__ import annotations

import numpy as np

from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import (
    Add,
    Argmax,
    AveragePool2d,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    Gather,
    Gru,
    HardSwish,
    LayerNorm,
    Linear,
    LogSoftmax,
    Lstm,
    Matmul,
    MaxPool2d,
    Minimum,
    Mul,
    Pad,
    Prelu,
    Reshape,
    ResizeBilinear,
    ResizeNearest,
    Sigmoid,
    Slice,
    Softmax,
    Sub,
    Sum,
    Svdf,
    Tile,
    Transpose,
    TransposeConv2d,
)
from tests.examples import constant
from tests.int16_graphs import every_int16_kernel, followed_by

WEIGHTS = {
    "conv": (5, 3, 2, 3),
    "narrow": (6, 2, 2, 5),
    "binary": (7, 1, 3, 6),
    "depth8": (2, 2, 14),
    "depth4": (3, 2, 15),
    "depth2": (2, 1, 15),
    "squeeze": (15, 15),
    "up": (15, 3, 2, 15),
    "norm": (15,),
    "logits": (6, 9),
}
BITS = {"narrow": 4, "binary": 2, "depth4": 4, "depth2": 2, "squeeze": 4, "up": 4, "hidden": 2, "lstm": 4}
RECURRENT = {
    "lstm.w": (4, 4, 3), "lstm.r": (4, 4, 4), "lstm.b": (4, 4),
    "gru.w": (5, 3, 4), "gru.r": (5, 3, 5), "gru.b": (5, 3), "gru.d": (5, 3),
    "svdf.w": (6, 5), "svdf.t": (6, 2), "svdf.b": (3,),
}  # fmt: skip


def every_kernel() -> Graph:
    """The integer Graph: input (9, 8, 3), output (6,); int16 activations near its end."""
    rng = np.random.default_rng(7)
    constants = {}
    for name, shape in WEIGHTS.items():
        width = shape[-1] if len(shape) == 3 else shape[0]
        fan_in = np.prod(shape) / width
        constants[f"{name}.w"] = constant(f"{name}.w", rng.normal(0, 1.5 / np.sqrt(fan_in), shape))
        constants[f"{name}.b"] = constant(f"{name}.b", rng.normal(0, 0.2, width))

    def layer(name: str, op: Conv2d | DepthwiseConv2d | LayerNorm | Linear | TransposeConv2d, x: str) -> Node:
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
    constants |= {name: constant(name, rng.normal(0, 0.7, shape)) for name, shape in RECURRENT.items()}
    constants["slopes"] = constant("slopes", rng.normal(0, 0.5, 15))
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
        Node("part", Slice((0, 0, 0), (height, width, 7), (1, 1, 1)), ("swish",), "part"),
        Node("rest", Gather(tuple(range(7, 15)), -1), ("swish",), "rest"),
        Node("sides", Concat(), ("part", "rest"), "sides"),
        Node("tall", ResizeNearest((height + 1, width)), ("sides",), "tall"),
        Node("twice", Tile((2, 1, 1)), ("tall",), "twice"),
        Node("sized", ResizeBilinear((height, width)), ("twice",), "sized"),
        Node("prelu", Prelu(), ("sized", "slopes"), "prelu"),
        Node("capped", Minimum(), ("prelu", "swish"), "capped"),
        Node("total", Sum((0, 1), keep=True), ("capped",), "total"),
        Node("missing", Sub(), ("capped", "total"), "missing"),
        layer("up", TransposeConv2d((1, 1), (1, 1, 0, 1)), "missing"),
        layer("norm", LayerNorm(), "up"),
        Node("likeness", Matmul(transposed_b=True), ("norm", "norm"), "likeness"),
        Node("likely", Softmax(2.0), ("likeness",), "likely"),
        Node("mixed", Matmul(), ("likely", "norm"), "mixed"),
        Node("turned", Transpose((2, 0, 1)), ("mixed",), "turned"),
        Node("flat", Reshape(), ("turned",), "flat"),
        layer("hidden", Linear("relu"), "flat"),
        Node("steps", Reshape((3, 3)), ("hidden",), "steps"),
        Node("lstm", Lstm(), ("steps", "lstm.w", "lstm.r", "lstm.b"), "lstm"),
        Node("gru", Gru(), ("lstm", "gru.w", "gru.r", "gru.b", "gru.d"), "gru"),
        Node("svdf", Svdf(2), ("gru", "svdf.w", "svdf.t", "svdf.b"), "svdf"),
        Node("together", Reshape((9,)), ("svdf",), "together"),
        layer("logits", Linear(), "together"),
        Node("logs", LogSoftmax(), ("logits",), "logs"),
        Node("best", Argmax(keep=True), ("logs",), "best"),
        Node("raised", Add(), ("logits", "best"), "raised"),
        Node("softmax", Softmax(), ("raised",), "softmax"),
    ]
    samples = rng.normal(0.3, 1, (64, 9, 8, 3)).astype(np.float32)
    int8 = Quantize(layer_bits=BITS)(rebuild(graph, nodes, constants), samples)
    return followed_by(int8, every_int16_kernel())
