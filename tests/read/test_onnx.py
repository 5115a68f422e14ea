"""ONNX models as Graphs: every op against ONNX Runtime, quantized models code by code, refusals by name."""

from __future__ import annotations

import io
import re
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.models import autoencoder, ds_cnn, ecg_net, lenet, mobilenet_v2, resnet8, tcn
from pintsize.arithmetic import dequantize, quantize
from pintsize.compress.quantize import Quantize
from pintsize.errors import MissingExtra, ModelError, UnsupportedOp
from pintsize.module import GraphModule, run_float, run_integers
from pintsize.passes.simplify import fold
from pintsize.read.onnx import read_onnx
from pintsize.read.onnx_ops import READERS
from pintsize.read.reading import Reading
from pintsize.spec import check
from tests.onnx_models import build, numbers, onnx, quantized, run, typed

helper = onnx.helper
node = helper.make_node
DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "reads-onnx.md"

IMAGE, SIGNAL, ROWS, FEATURES = ("n", 4, 8, 6), ("n", 3, 10), ("n", 5, 6), ("n", 6)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def one(op: str, *inputs: str, **attributes: Any) -> list[Any]:
    return [node(op, ["x", *inputs], ["y"], name=f"the_{op.lower()}", **attributes)]


W, W1 = numbers(5, 4, 3, 3, scale=0.3), numbers(5, 3, 3, scale=0.3)
BN = {
    "g": abs(numbers(4)) + 0.5,
    "b": numbers(4, seed=1),
    "m": numbers(4, seed=2),
    "v": abs(numbers(4, seed=3)) + 0.5,
}
SPREAD = {"c": numbers(4, 8, 6), "row": numbers(1, 1, 1, 6), "ch": numbers(1, 4, 1, 1)}

#: name → (nodes, input shape, constants, opset)
CASES: dict[str, tuple[list[Any], tuple[Any, ...], dict[str, np.ndarray], int]] = {
    "conv": (one("Conv", "w", "b", pads=[1, 2, 0, 1], strides=[2, 1]), IMAGE, {"w": W, "b": numbers(5)}, 17),
    "conv without bias": (one("Conv", "w", dilations=[2, 2]), IMAGE, {"w": W}, 13),
    "conv same upper": (one("Conv", "w", auto_pad="SAME_UPPER", strides=[2, 2]), IMAGE, {"w": W}, 17),
    "conv same lower": (one("Conv", "w", auto_pad="SAME_LOWER", strides=[2, 2]), IMAGE, {"w": W}, 17),
    "conv valid": (one("Conv", "w", auto_pad="VALID"), IMAGE, {"w": W}, 17),
    "conv 1-d": (one("Conv", "w", pads=[2, 0], dilations=[2]), SIGNAL, {"w": W1}, 17),
    "conv depthwise": (one("Conv", "w", group=4, pads=[1, 1, 1, 1]), IMAGE, {"w": numbers(8, 1, 3, 3)}, 17),
    "conv transpose": (
        one("ConvTranspose", "w", "b", strides=[2, 2], pads=[1, 0, 1, 1], output_padding=[0, 1]), IMAGE,
        {"w": numbers(4, 5, 3, 3), "b": numbers(5)}, 17,
    ),
    "conv transpose 1-d": (one("ConvTranspose", "w", strides=[2]), SIGNAL, {"w": numbers(3, 2, 4)}, 17),
    "gemm": (one("Gemm", "w", "b", transB=1), FEATURES, {"w": numbers(3, 6), "b": numbers(3)}, 17),
    "gemm scaled": (one("Gemm", "w", "b", alpha=0.5, beta=2.0), FEATURES, {"w": numbers(6, 3), "b": numbers(1)}, 17),
    "matmul": (one("MatMul", "w"), ROWS, {"w": numbers(6, 3)}, 17),
    "matmul of two": (
        [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("MatMul", ["x", "t"], ["y"])], ROWS, {}, 17,
    ),
    "batch norm": (one("BatchNormalization", "g", "b", "m", "v", epsilon=1e-3), IMAGE, BN, 15),
    "layer norm": (one("LayerNormalization", "g", "b"), ROWS, {"g": numbers(6), "b": numbers(6, seed=2)}, 17),
    "layer norm in parts": (
        [node("ReduceMean", ["x"], ["m"], axes=[-1]), node("Sub", ["x", "m"], ["d"]), node("Pow", ["d", "two"], ["p"]),
         node("ReduceMean", ["p"], ["v"], axes=[-1]), node("Add", ["v", "e"], ["t"]), node("Sqrt", ["t"], ["s"]),
         node("Div", ["d", "s"], ["q"]), node("Mul", ["q", "g"], ["h"]), node("Add", ["h", "b"], ["y"])],
        ROWS, {"two": np.float32(2), "e": np.float32(1e-3), "g": numbers(6), "b": numbers(6, seed=3)}, 13,
    ),
    "add itself": (one("Add", "x"), IMAGE, {}, 17),
    "add to channels": (one("Add", "ch"), IMAGE, SPREAD, 17),
    "add a number": (one("Add", "c"), IMAGE, {"c": np.array(2.5, np.float32)}, 17),
    "add a whole": (one("Add", "c"), IMAGE, SPREAD, 17),
    "multiply columns": (one("Mul", "row"), IMAGE, SPREAD, 17),
    "subtract from a number": ([node("Sub", ["c", "x"], ["y"])], FEATURES, {"c": np.array([3.0], np.float32)}, 17),
    "subtract": ([node("Relu", ["x"], ["r"]), node("Sub", ["r", "x"], ["y"])], IMAGE, {}, 17),
    "gate per channel": (
        [node("GlobalAveragePool", ["x"], ["p"]), node("Sigmoid", ["p"], ["s"]), node("Mul", ["x", "s"], ["y"])],
        IMAGE, {}, 17,
    ),
    "gate per pixel": (
        [node("Conv", ["x", "w"], ["p"]), node("Sigmoid", ["p"], ["s"]), node("Mul", ["x", "s"], ["y"])],
        IMAGE, {"w": numbers(1, 4, 1, 1)}, 17,
    ),
    "fewer axes": (
        [node("ReduceMean", ["x"], ["m"], axes=[1], keepdims=0), node("Relu", ["m"], ["r"]),
         node("Unsqueeze", ["r", "one"], ["u"]), node("Add", ["x", "u"], ["y"])],
        IMAGE, {"one": ints(1)}, 17,
    ),
    "divide": (one("Div", "c"), IMAGE, {"c": np.array(4.0, np.float32)}, 17),
    "negate": (one("Neg"), IMAGE, {}, 17),
    "minimum": ([node("Relu", ["x"], ["r"]), node("Neg", ["x"], ["q"]), node("Min", ["r", "q"], ["y"])], IMAGE, {}, 17),
    "maximum": ([node("Neg", ["x"], ["q"]), node("Max", ["x", "q"], ["y"])], IMAGE, {}, 17),
    "maximum with 0": (one("Max", "c"), IMAGE, {"c": np.array(0.0, np.float32)}, 17),
    "clip to 6": (one("Clip", "l", "h"), IMAGE, {"l": np.float32(0), "h": np.float32(6)}, 17),
    "clip": (one("Clip", "l", "h"), IMAGE, {"l": np.float32(-0.5), "h": np.float32(0.7)}, 17),
    "clip below": (one("Clip", "l"), IMAGE, {"l": np.float32(-0.5)}, 17),
    "clip above": (one("Clip", "", "h"), IMAGE, {"h": np.float32(0.25)}, 17),
    "relu": (one("Relu"), IMAGE, {}, 17),
    "leaky relu": (one("LeakyRelu", alpha=0.2), IMAGE, {}, 17),
    "prelu": (one("PRelu", "s"), IMAGE, {"s": numbers(4, 1, 1)}, 17),
    "elu": (one("Elu", alpha=0.7), IMAGE, {}, 17),
    "gelu": (one("Gelu"), IMAGE, {}, 20),
    "gelu tanh": (one("Gelu", approximate="tanh"), IMAGE, {}, 20),
    "gelu in parts": (
        [node("Div", ["x", "root"], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["e", "one"], ["a"]),
         node("Mul", ["x", "a"], ["m"]), node("Mul", ["m", "half"], ["y"])],
        IMAGE, {"root": np.float32(np.sqrt(2)), "one": np.float32(1), "half": np.float32(0.5)}, 17,
    ),
    "gelu in parts, halved first": (
        [node("Mul", ["x", "half"], ["h"]), node("Mul", ["x", "root"], ["d"]), node("Erf", ["d"], ["e"]),
         node("Add", ["one", "e"], ["a"]), node("Mul", ["h", "a"], ["y"])],
        IMAGE, {"root": np.float32(np.sqrt(0.5)), "one": np.float32(1), "half": np.float32(0.5)}, 17,
    ),
    "hard sigmoid": (one("HardSigmoid", alpha=0.3, beta=0.4), IMAGE, {}, 17),
    "hard swish": (one("HardSwish"), IMAGE, {}, 17),
    "sigmoid": (one("Sigmoid"), IMAGE, {}, 17),
    "tanh": (one("Tanh"), IMAGE, {}, 17),
    "exp": (one("Exp"), IMAGE, {}, 17),
    "abs": (one("Abs"), IMAGE, {}, 17),
    "square": (one("Pow", "c"), IMAGE, {"c": np.array(2.0, np.float32)}, 17),
    "root": ([node("Abs", ["x"], ["a"]), node("Sqrt", ["a"], ["y"])], IMAGE, {}, 17),
    "softmax": (one("Softmax"), ROWS, {}, 17),
    "softmax of channels": (one("Softmax", axis=1), IMAGE, {}, 17),
    "log softmax": (one("LogSoftmax"), ROWS, {}, 17),
    "max pool": (one("MaxPool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]), IMAGE, {}, 17),
    "max pool ceil": (one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), IMAGE, {}, 17),
    "max pool 1-d": (one("MaxPool", kernel_shape=[3], strides=[2]), SIGNAL, {}, 17),
    "average pool": (one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]), IMAGE, {}, 17),
    "average pool padding": (
        one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1), IMAGE, {}, 17,
    ),
    "global average pool": (one("GlobalAveragePool"), IMAGE, {}, 17),
    "global max pool": (one("GlobalMaxPool"), SIGNAL, {}, 17),
    "mean over pixels": (one("ReduceMean", axes=[2, 3], keepdims=0), IMAGE, {}, 17),
    "mean by input": (one("ReduceMean", "a"), IMAGE, {"a": ints(-1, -2)}, 18),
    "mean of channels": (one("ReduceMean", axes=[1]), IMAGE, {}, 17),
    "mean of features": (one("ReduceMean", axes=[-1], keepdims=0), ROWS, {}, 17),
    "largest pixel": (one("ReduceMax", axes=[2, 3]), IMAGE, {}, 17),
    "sum": (one("ReduceSum", "a", keepdims=0), ROWS, {"a": ints(1)}, 17),
    "argmax": (one("ArgMax", axis=1, keepdims=1), FEATURES, {}, 17),
    "concat": ([node("Relu", ["x"], ["r"]), node("Concat", ["x", "r"], ["y"], axis=1)], IMAGE, {}, 17),
    "concat rows": ([node("Relu", ["x"], ["r"]), node("Concat", ["x", "r"], ["y"], axis=-2)], IMAGE, {}, 17),
    "split": (
        [node("Split", ["x", "s"], ["a", "b"], axis=1), node("Concat", ["b", "a"], ["y"], axis=1)],
        IMAGE, {"s": ints(1, 3)}, 17,
    ),
    "split evenly": (
        [node("Split", ["x"], ["a", "b"], axis=2, num_outputs=2), node("Add", ["a", "b"], ["y"])], IMAGE, {}, 18,
    ),
    "slice": (
        one("Slice", "s", "e", "a", "t"), IMAGE,
        {"s": ints(1, -1), "e": ints(2**31, -(2**31)), "a": ints(2, 3), "t": ints(2, -1)}, 17,
    ),
    "gather": (one("Gather", "i", axis=1), IMAGE, {"i": ints(2, 0, -1)}, 17),
    "gather one": (one("Gather", "i", axis=2), IMAGE, {"i": np.array(3)}, 17),
    "pad": (one("Pad", "p", "v"), IMAGE, {"p": ints(0, 0, 1, 0, 0, 0, 2, 1), "v": np.float32(0.5)}, 17),
    "pad reflected": (one("Pad", "p", mode="reflect"), IMAGE, {"p": ints(0, 0, 1, 0, 0, 0, 2, 1)}, 17),
    "pad edge by axes": (one("Pad", "p", "", "a", mode="edge"), IMAGE, {"p": ints(1, 2), "a": ints(-1)}, 18),
    "resize nearest": (
        one("Resize", "", "s", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        IMAGE, {"s": np.array([1, 1, 2, 3], np.float32)}, 17,
    ),
    "resize nearest half": (
        one("Resize", "", "", "s", mode="nearest", coordinate_transformation_mode="half_pixel",
            nearest_mode="round_prefer_floor"), IMAGE, {"s": ints(1, 4, 4, 9)}, 17,
    ),
    "resize linear": (
        one("Resize", "", "s", mode="linear", coordinate_transformation_mode="half_pixel"),
        IMAGE, {"s": np.array([1, 1, 2, 0.5], np.float32)}, 17,
    ),
    "resize corners": (
        one("Resize", "", "", "s", mode="linear", coordinate_transformation_mode="align_corners"),
        IMAGE, {"s": ints(1, 4, 5, 7)}, 17,
    ),
    "reshape": (one("Reshape", "s"), IMAGE, {"s": ints(0, -1, 6)}, 17),
    "flatten": (
        [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w"], ["y"])], IMAGE, {"w": numbers(192, 3)}, 17,
    ),
    "squeeze": (
        [node("GlobalAveragePool", ["x"], ["p"]), node("Squeeze", ["p", "a"], ["y"])], IMAGE, {"a": ints(2, -1)}, 17,
    ),
    "unsqueeze": (one("Unsqueeze", "a"), ROWS, {"a": ints(1)}, 17),
    "transpose": (one("Transpose", perm=[0, 2, 1, 3]), IMAGE, {}, 17),
    "channels last inside": (
        [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], ["c"]),
         node("Transpose", ["c"], ["y"], perm=[0, 2, 3, 1])], ("n", 8, 6, 4), {"w": W}, 17,
    ),
    "tile": (one("Tile", "r"), IMAGE, {"r": ints(1, 2, 1, 3)}, 17),
    "expand": (
        [node("GlobalAveragePool", ["x"], ["p"]), node("Expand", ["p", "s"], ["y"])], IMAGE,
        {"s": ints(1, 4, 3, 2)}, 17,
    ),
    "dropout and identity": (
        [node("Dropout", ["x"], ["d"]), node("Identity", ["d"], ["i"]), node("Cast", ["i"], ["c"], to=1),
         node("Relu", ["c"], ["y"])], IMAGE, {}, 17,
    ),
    "shape computed": (
        [node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["n"]), node("Unsqueeze", ["n", "axis"], ["u"]),
         node("Constant", [], ["rest"], value_ints=[-1, 4]), node("Concat", ["u", "rest"], ["t"], axis=0),
         node("Reshape", ["x", "t"], ["y"])], IMAGE, {"zero": np.array(0), "axis": ints(0)}, 17,
    ),
    "lstm": (
        [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node("LSTM", ["t", "w", "r", "b"], ["o"], hidden_size=4),
         node("Squeeze", ["o", "one"], ["q"]), node("Transpose", ["q"], ["y"], perm=[1, 0, 2])],
        ROWS, {"w": numbers(1, 16, 6), "r": numbers(1, 16, 4), "b": numbers(1, 32), "one": ints(1)}, 17,
    ),
    "lstm last state": (
        [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node("LSTM", ["t", "w", "r"], ["", "h"], hidden_size=4),
         node("Squeeze", ["h", "zero"], ["y"])],
        ROWS, {"w": numbers(1, 16, 6), "r": numbers(1, 16, 4), "zero": ints(0)}, 17,
    ),
    "gru": (
        [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
         node("GRU", ["t", "w", "r", "b"], ["o"], hidden_size=4, linear_before_reset=1),
         node("Squeeze", ["o", "one"], ["q"]), node("Gather", ["q", "last"], ["y"], axis=0)],
        ROWS,
        {"w": numbers(1, 12, 6), "r": numbers(1, 12, 4), "b": numbers(1, 24), "one": ints(1), "last": np.array(-1)}, 17,
    ),
    "gru reset before": (
        [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node("GRU", ["t", "w", "r", "b"], ["o"], hidden_size=4),
         node("Squeeze", ["o", "one"], ["q"]), node("Transpose", ["q"], ["y"], perm=[1, 0, 2])],
        ROWS, {"w": numbers(1, 12, 6), "r": numbers(1, 12, 4), "b": numbers(1, 24), "one": ints(1)}, 17,
    ),
    "opset 21": (one("Conv", "w"), IMAGE, {"w": W}, 21),
}  # fmt: skip


def assert_same_function(model: bytes, shape: tuple[int, ...], tolerance: float = 1e-4) -> Reading:
    """Read, plain and folded, the model computes what ONNX Runtime says, for three inputs."""
    reading = read_onnx(model)
    check(reading.graph, "float")
    x = numbers(3, *shape, seed=11)
    wanted = run(model, x)
    for graph in (reading.graph, fold(reading.graph)):
        found = reading.restore(run_float(graph, torch.from_numpy(reading.arrange(x))).numpy())
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, atol=tolerance, rtol=1e-4)
    return reading


@pytest.mark.parametrize("name", CASES)
def test_an_op_computes_what_onnx_runtime_computes(name: str) -> None:
    nodes, shape, constants, opset = CASES[name]
    assert_same_function(typed(build(nodes, shape, constants, opset)), shape[1:])


def test_every_op_that_is_read_has_a_case() -> None:
    used = {n.op_type for nodes, *_ in CASES.values() for n in nodes}
    assert set(READERS) - used == {"Size"}
    assert used - set(READERS) == {"Constant", "Erf"}


MODELS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "ds_cnn": (ds_cnn.make, (1, 49, 10)),
    "resnet8": (resnet8.make, (3, 32, 32)),
    "mobilenet_v2": (mobilenet_v2.make, (3, 48, 48)),
    "autoencoder": (autoencoder.make, (640,)),
    "tcn": (lambda: tcn.make(causal=True), (3, 128)),
    "lenet": (lenet.make, (1, 28, 28)),
    "ecg_net": (ecg_net.make, (4, 160)),
}


def with_statistics(model: nn.Module) -> nn.Module:
    """Batch norms as after some training."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval()


def as_onnx(model: nn.Module, shape: tuple[int, ...]) -> bytes:
    """What torch.onnx.export writes, with an open batch."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its own exporter deprecated
        torch.onnx.export(
            model.eval(), (torch.zeros(1, *shape),), file, dynamo=False, opset_version=17, input_names=["x"],
            dynamic_axes={"x": {0: "n"}},
        )  # fmt: skip
    return file.getvalue()


@cache
def exported(name: str) -> tuple[bytes, tuple[int, ...]]:
    """A benchmark model with random weights."""
    make, shape = MODELS[name]
    torch.manual_seed(3)
    return as_onnx(with_statistics(make()), shape), shape


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_torch_exported_is_read(name: str) -> None:
    model, shape = exported(name)
    assert_same_function(model, shape)


def assert_codes_agree(model: bytes, shape: tuple[int, ...], largest: int, rate: float) -> Reading:
    """Our integers against ONNX Runtime's, which requantizes in float: at most so many steps apart, so often."""
    reading = read_onnx(model)
    check(reading.graph, "integer")
    first, last = (reading.graph.type(n[0]) for n in (reading.graph.inputs, reading.graph.outputs))
    x = numbers(32, *shape, seed=5)
    codes = run_integers(reading.graph, quantize(reading.arrange(x), first.scale[0], first.zero_point))
    found = reading.restore(dequantize(codes, last.scale[0], last.zero_point))
    steps = np.rint((found - run(model, x, plain=True)) / last.scale[0])
    assert np.abs(steps).max() <= largest
    assert (steps != 0).mean() <= rate
    return reading


@pytest.mark.parametrize(
    ("name", "per_channel", "signed"),
    [("ds_cnn", True, False), ("resnet8", True, False), ("resnet8", False, False), ("resnet8", True, True),
     ("autoencoder", False, False), ("tcn", True, False), ("lenet", False, True)],
)  # fmt: skip
def test_what_onnx_runtime_quantized_is_read_in_codes(
    name: str, per_channel: bool, signed: bool, tmp_path: Path
) -> None:
    model, shape = exported(name)
    codes = quantized(model, numbers(16, *shape), tmp_path, per_channel, signed)
    assert_codes_agree(codes, shape, largest=2, rate=0.4)


class Block(nn.Module):
    """Attention and a small perceptron over a sequence, as in a transformer."""

    def __init__(self, features: int = 8, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(features), nn.LayerNorm(features)
        self.project, self.join = nn.Linear(features, 3 * features), nn.Linear(features, features)
        self.more = nn.Sequential(nn.Linear(features, 16), nn.ReLU(), nn.Linear(16, features))
        self.answer = nn.Linear(features, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, steps, features = x.shape
        split = (n, steps, self.heads, features // self.heads)
        q, k, v = (t.reshape(split).transpose(1, 2) for t in self.project(self.before(x)).chunk(3, -1))
        weights = torch.softmax(q @ k.transpose(-1, -2) * 0.5, -1)
        x = x + self.join((weights @ v).transpose(1, 2).reshape(n, steps, features))
        return self.answer((x + self.more(self.between(x))).mean(1))


def test_a_transformer_is_read_in_real_numbers_and_in_codes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = as_onnx(Block(), (6, 8))
    assert_same_function(model, (6, 8))
    assert_codes_agree(quantized(model, numbers(16, 6, 8), tmp_path), (6, 8), largest=4, rate=0.6)


def test_a_recurrent_model_of_torch_is_read() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LSTM(5, 7, batch_first=True), nn.GRU(7, 6, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(x)[0])[0][:, -1]

    torch.manual_seed(0)
    assert_same_function(as_onnx(Recurrent(), (9, 5)), (9, 5))


def test_a_float_model_trains_and_quantizes_like_one_of_torch() -> None:
    model, shape = exported("resnet8")
    reading = read_onnx(model)
    module = GraphModule(reading.graph)
    x = torch.from_numpy(reading.arrange(numbers(4, *shape)))
    module(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters() if p.requires_grad)
    check(Quantize(8)(fold(module.graph()), x.numpy()), "integer")


#: float ops that ONNX Runtime's quantizer surrounds wholly, each behind a convolution
QUANTIZED_OPS: dict[str, tuple[list[Any], dict[str, np.ndarray]]] = {
    "relu": ([node("Relu", ["c"], ["y"])], {}),
    "clip said by the range": ([node("Clip", ["c", "l", "h"], ["y"])], {"l": np.float32(-0.5), "h": np.float32(0.5)}),
    "leaky relu": ([node("LeakyRelu", ["c"], ["y"])], {}),
    "sigmoid": ([node("Sigmoid", ["c"], ["y"])], {}),
    "softmax": ([node("Softmax", ["c"], ["y"], axis=1)], {}),
    "add itself": ([node("Sigmoid", ["c"], ["s"]), node("Mul", ["c", "s"], ["y"])], {}),
    "add a constant per channel": ([node("Add", ["c", "k"], ["y"])], {"k": numbers(5, 1, 1)}),
    "multiply a constant": ([node("Mul", ["c", "k"], ["y"])], {"k": np.array([0.3], np.float32)}),
    "add a whole constant": ([node("Add", ["c", "k"], ["y"])], {"k": numbers(5, 6, 4)}),
    "max pool": ([node("MaxPool", ["c"], ["y"], kernel_shape=[2, 2])], {}),
    "average pool": ([node("AveragePool", ["c"], ["y"], kernel_shape=[2, 2])], {}),
    "global average pool": ([node("GlobalAveragePool", ["c"], ["y"])], {}),
    "concat": ([node("Relu", ["c"], ["r"]), node("Concat", ["c", "r"], ["y"], axis=1)], {}),
    "transpose": ([node("Transpose", ["c"], ["y"], perm=[0, 2, 1, 3])], {}),
    "resize": (
        [node("Resize", ["c", "", "s"], ["y"], coordinate_transformation_mode="asymmetric", nearest_mode="floor")],
        {"s": np.array([1, 1, 2, 2], np.float32)},
    ),
    "pad": ([node("Pad", ["c", "p"], ["y"])], {"p": ints(0, 0, 1, 1, 0, 0, 1, 1)}),
    "split": ([node("Split", ["c", "s"], ["a", "y"], axis=1)], {"s": ints(2, 3)}),
    "matmul": ([node("MatMul", ["c", "k"], ["y"])], {"k": numbers(4, 3)}),
    "conv transpose": ([node("ConvTranspose", ["c", "k"], ["y"], strides=[2, 2])], {"k": numbers(5, 2, 2, 2)}),
    "layer norm": ([node("LayerNormalization", ["c", "g", "b"], ["y"])], {"g": numbers(4), "b": numbers(4, seed=2)}),
    "mean": ([node("ReduceMean", ["c"], ["m"], axes=[2, 3]), node("Conv", ["m", "k"], ["y"])],
             {"k": numbers(3, 5, 1, 1)}),
    "flatten and gemm": (
        [node("Relu", ["c"], ["r"]), node("Flatten", ["r"], ["f"]), node("Gemm", ["f", "k", "b"], ["y"])],
        {"k": numbers(120, 3), "b": numbers(3)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", QUANTIZED_OPS)
def test_a_quantized_op_is_read_in_codes(name: str, tmp_path: Path) -> None:
    nodes, constants = QUANTIZED_OPS[name]
    nodes = [node("Conv", ["x", "w"], ["c"]), *nodes]
    model = typed(build(nodes, IMAGE, {"w": W, **constants}))
    per_channel = "conv transpose" not in name
    codes = quantized(
        model, numbers(16, 4, 8, 6), tmp_path, per_channel=per_channel, ForceQuantizeNoInputCheck=True
    )
    assert_codes_agree(codes, (4, 8, 6), largest=4, rate=0.35)


def qdq(
    zero_point: np.ndarray, scale: float = 0.1, weight: np.ndarray | None = None, **changes: Any
) -> bytes:
    """Conv in codes; what a test changes: the weight's codes and zero point."""
    codes = np.clip(np.rint(W * 100), -127, 127).astype(np.int8) if weight is None else weight
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        node("DequantizeLinear", ["w", "t", "wz"], ["v"]), node("Conv", ["d", "v"], ["c"], name="the_conv"),
        node("QuantizeLinear", ["c", "o", "z"], ["p"]), node("DequantizeLinear", ["p", "o", "z"], ["y"]),
    ]  # fmt: skip
    constants = {
        "s": np.float32(0.03), "z": np.uint8(120), "w": codes, "t": np.float32(scale), "wz": zero_point,
        "o": np.float32(4), **changes,
    }  # fmt: skip
    return build(nodes, IMAGE, constants)


def test_unsigned_weights_with_their_zero_in_the_middle_are_read(tmp_path: Path) -> None:
    codes = np.clip(np.rint(W * 100) + 128, 1, 255).astype(np.uint8)
    assert_codes_agree(typed(qdq(np.uint8(128), weight=codes)), (4, 8, 6), largest=1, rate=0.1)  # type: ignore[arg-type]


def test_uint8_and_int8_activations_are_the_same_codes() -> None:
    unsigned = read_onnx(qdq(np.int8(0))).graph  # type: ignore[arg-type]
    signed = read_onnx(qdq(np.int8(0), z=np.int8(-8))).graph  # type: ignore[arg-type]
    codes = np.random.default_rng(0).integers(-128, 128, (4, 8, 6, 4)).astype(np.int8)
    assert unsigned.type("x").zero_point == -8
    assert np.array_equal(run_integers(unsigned, codes), run_integers(signed, codes))


@pytest.mark.parametrize(
    ("zero_point", "weight"),
    [(np.int8(0), np.full(W.shape, -128, np.int8)), (np.int8(-20), np.full(W.shape, 120, np.int8))],
)
def test_weights_beyond_127_are_refused_with_what_to_do(zero_point: np.ndarray, weight: np.ndarray) -> None:
    with pytest.raises(UnsupportedOp, match=r"the_conv: its weights have codes of 1\d\d.*WeightSymmetric"):
        read_onnx(qdq(zero_point, weight=weight))


def test_an_op_without_quantized_output_is_named() -> None:
    model = onnx.load_from_string(qdq(np.int8(0)))  # type: ignore[arg-type]
    del model.graph.node[4:]
    model.graph.node.append(node("Sigmoid", ["c"], ["y"]))
    with pytest.raises(
        UnsupportedOp, match=r"no QuantizeLinear and DequantizeLinear stand behind\s+Conv the_conv"
    ):
        read_onnx(model.SerializeToString())


def test_a_tensor_read_with_and_without_its_codes_is_refused() -> None:
    model = onnx.load_from_string(qdq(np.int8(0)))  # type: ignore[arg-type]
    model.graph.node.extend([node("Sigmoid", ["c"], ["s"]), node("Add", ["s", "y"], ["sum"])])
    model.graph.output[0].name = "sum"
    with pytest.raises(ModelError, match="without its codes"):
        read_onnx(model.SerializeToString())


def test_other_codes_than_8_bits_are_refused() -> None:
    with pytest.raises(UnsupportedOp, match="activations are int8 or uint8, not uint16"):
        read_onnx(qdq(np.int8(0), z=np.uint16(120)))  # type: ignore[arg-type]


def test_a_clip_that_the_range_does_not_say_is_refused() -> None:
    model = onnx.load_from_string(qdq(np.int8(0), l=np.float32(-1), h=np.float32(1)))  # type: ignore[arg-type]
    model.graph.node.insert(4, node("Clip", ["c", "l", "h"], ["k"]))
    model.graph.node[5].input[0] = "k"
    with pytest.raises(UnsupportedOp, match=r"bounds to \(-1.0, 1.0\) to a wider range"):
        read_onnx(model.SerializeToString())


def test_all_missing_ops_are_listed_at_once() -> None:
    nodes = [
        node("Erf", ["x"], ["a"], name="first"), node("Conv", ["a", "w"], ["b"]),
        node("Einsum", ["b"], ["c"], name="second", equation="i"), node("Erf", ["c"], ["y"], name="third"),
    ]  # fmt: skip
    with pytest.raises(UnsupportedOp) as caught:
        read_onnx(build(nodes, IMAGE, {"w": W}))
    assert re.search(r"2 ops.*\n  Erf at first, third: .*\n  Einsum at second: ", str(caught.value))


def test_all_unsupported_uses_are_listed_at_once() -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"], name="grouped", group=2),
        node("Softmax", ["x"], ["b"], name="batched", axis=0), node("Add", ["a", "b"], ["y"]),
    ]  # fmt: skip
    with pytest.raises(UnsupportedOp) as caught:
        read_onnx(build(nodes, IMAGE, {"w": W}))
    assert re.search(
        r"2 ops.*\n  Conv at grouped: groups=2.*\n  Softmax at batched: .*batch", str(caught.value)
    )


def test_an_open_shape_asks_for_one() -> None:
    model = build(one("Relu"), ("n", 3, "h", "w"))
    with pytest.raises(ModelError, match=r"leaves the shape of its input open \(3,\?,\?\).*--shape"):
        read_onnx(model)
    assert read_onnx(model, shape=(3, 8, 6)).graph.type("x").shape == (8, 6, 3)
    with pytest.raises(ModelError, match="not"):
        read_onnx(model, shape=(4, 8, 6))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"", "no ONNX model"),
        (b"\x08\x07not protobuf at all", "no ONNX model"),
        (build(one("Relu"), IMAGE, opset=12), "opset 12; 13 to 21"),
        (build(one("Relu"), (2, 4, 8, 6)), "batches of 2"),
        (build([node("Relu", ["y"], ["z"]), node("Relu", ["z"], ["y"])], IMAGE), "in a circle"),
        (build([*one("Relu"), *one("Tanh")], IMAGE), "two nodes compute 'y'"),
        (build(one("Relu"), (1, 2**31, 4)), "too large"),
        (build([*one("Relu"), node("Relu", ["x"], ["z"])], IMAGE, outputs=("y", "z")), "returns 2 tensors"),
        (build(one("Identity"), IMAGE), "computes nothing"),
        (build(one("Tile", "r"), IMAGE, {"r": ints(1, 2**20, 2**20, 1)}), "too large"),
        (build(one("MaxPool", kernel_shape=[2**30, 1], pads=[2**29, 0, 2**29, 0]), IMAGE), "are allowed"),
        (build([node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])], IMAGE, {"s": ints(2**40)}),
         "too large"),
        (build(one("Add", "c"), IMAGE, {"c": np.array(np.nan, np.float32)}), "NaN"),
    ],
)  # fmt: skip
def test_a_damaged_or_hostile_model_is_refused(model: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_onnx(model)


def test_a_tensor_that_declares_more_than_it_holds_is_refused() -> None:
    model = onnx.load_from_string(build(one("Conv", "w"), IMAGE, {"w": W}))
    for dims in ([2**20, 2**20], [5, 4, 3, 4], [-5, 4, 3, -3]):
        model.graph.initializer[0].dims[:] = dims
        with pytest.raises(ModelError, match=r"'w'"):
            read_onnx(model.SerializeToString())


def external(folder: Path, location: str, offset: int = 0, length: int | None = None) -> Path:
    """A model beside whose file `weights.bin` its weights lie, at what `location` says."""
    model = onnx.load_from_string(build(one("Conv", "w"), IMAGE, {"w": W}))
    tensor = model.graph.initializer[0]
    content = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    for key, value in (("location", location), ("offset", offset), ("length", length or len(content))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    (folder / "inside").mkdir(exist_ok=True)
    (folder / "outside.bin").write_bytes(content)
    (folder / "inside" / "weights.bin").write_bytes(bytes(offset) + content)
    path = folder / "inside" / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("offset", [0, 64])
def test_external_data_beside_the_model_is_read(offset: int, tmp_path: Path) -> None:
    graph = read_onnx(external(tmp_path, "weights.bin", offset)).graph
    assert np.array_equal(graph.constant("w"), W.transpose(0, 2, 3, 1))


@pytest.mark.parametrize(
    "location",
    ["../outside.bin", "/etc/passwd", "a/../../outside.bin", "C:\\x", "..\\x", "", "link.bin", "none.bin"],
)
def test_external_data_outside_the_folder_is_refused(location: str, tmp_path: Path) -> None:
    path = external(tmp_path, location)
    (tmp_path / "inside" / "link.bin").symlink_to(tmp_path / "outside.bin")
    with pytest.raises(ModelError, match="tensor 'w'"):
        read_onnx(path)


def test_external_data_that_is_too_short_or_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not there"):
        read_onnx(external(tmp_path, "weights.bin", length=10**9))
    path = external(tmp_path, "weights.bin", 4)
    (tmp_path / "inside" / "weights.bin").write_bytes(b"short")
    with pytest.raises(ModelError, match="not there"):
        read_onnx(path)
    with pytest.raises(ModelError, match="give the model's path"):
        read_onnx(path.read_bytes())


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"pintsize\[onnx\]"):
        read_onnx(b"")


def test_the_reference_names_what_is_read() -> None:
    cells = [
        line.split("|")[1]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    named = {name for cell in cells for name in re.findall(r"`([A-Za-z]+)`", cell)}
    assert named == set(READERS) | {"Constant", "DequantizeLinear", "QuantizeLinear"}
