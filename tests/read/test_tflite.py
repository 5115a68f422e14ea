"""Reading .tflite: shapes, borders, constants, whole models, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.module import run_float, run_integers
from pintsize.ops import Conv2d, Linear, Mul, Relu, Reshape, Sigmoid, Transpose
from pintsize.read.tflite import read_tflite
from pintsize.read.tflite_folding import FOLDS
from pintsize.read.tflite_ops import READS
from pintsize.spec import check
from pintsize.write.c import write
from pintsize.write.tflite import drafted, write_tflite
from pintsize.write.tflite.flat import FlatOperator, FlatTensor, flatbuffer
from tests.compiled import run_on_host
from tests.examples import example_graph, example_integers, examples

pytest.importorskip("tflite", reason="needs the tflite schema bindings")

REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "mlperf_tiny_reference"
MODELS = ("ad01_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")
#: what .tflite has no operator for
UNWRITTEN = re.compile(
    r"(batch_norm|gru|svdf|hard_sigmoid|layer_norm|embedding)_|max_pool2d_1|pad_4|elu_0|transpose_conv2d_2|^argmax_0"
    r"|(biquad|log_mel|resample|running_average|slide|z_score)_"
)
WHOLE = {"reshape_0", "requantize_0", "requantize_1"}


def int8(name: str, shape: tuple[int, ...], scale: float = 0.5, zero_point: int = 0) -> FlatTensor:
    return FlatTensor(name, shape, "INT8", (scale,), zero_point)


def numbers(name: str, values: list[int]) -> FlatTensor:
    data = np.array(values, "<i4")
    return FlatTensor(name, data.shape, "INT32", data=data.tobytes())


def file(tensors: list[FlatTensor], operators: list[FlatOperator], output: int = 1) -> bytes:
    """A file whose tensor 0 is the input."""
    return flatbuffer(tensors, operators, [0], [output], "test")


def op(code: str, inputs: tuple[int, ...], output: int, **attributes: float) -> FlatOperator:
    kinds = {"SOFTMAX": "SoftmaxOptions", "ADD": "AddOptions", "STRIDED_SLICE": "StridedSliceOptions",
             "PACK": "PackOptions", "CONV_2D": "Conv2DOptions", "FULLY_CONNECTED": "FullyConnectedOptions",
             "DIV": "DivOptions", "SVDF": "SVDFOptions"}  # fmt: skip
    return FlatOperator(code, inputs, (output,), kinds.get(code, ""), attributes)


def random_codes(graph: Graph, count: int = 20) -> np.ndarray:
    shape = graph.type(graph.inputs[0]).shape
    return np.random.default_rng(0).integers(-128, 128, (count, *shape)).astype(np.int8)


WRITTEN = {name: e for name, e in examples().items() if not UNWRITTEN.match(name)}


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_integers_survive_a_round_trip(name: str) -> None:
    graph = example_integers(WRITTEN[name])
    again = read_tflite(write_tflite(graph))
    codes = random_codes(graph)
    expected = run_integers(graph, codes)
    assert np.array_equal(run_integers(again, codes).reshape(expected.shape), expected)


@pytest.mark.parametrize("name", ["biquad", "log_mel", "resample", "running_average", "slide", "z_score"])
def test_what_belongs_to_a_stream_of_samples_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedOp, match=rf"{name} is not written"):
        write_tflite(example_integers(examples()[f"{name}_0"]))


@pytest.mark.parametrize("name", sorted(set(WRITTEN) - WHOLE))
def test_real_numbers_survive_a_round_trip(name: str) -> None:
    graph = example_graph(WRITTEN[name])
    again = read_tflite(write_tflite(graph))
    check(again, "float")
    x = torch.rand(8, *graph.type(graph.inputs[0]).shape, generator=torch.Generator().manual_seed(0)) + 0.1
    expected = run_float(graph, x)
    torch.testing.assert_close(run_float(again, x).reshape(expected.shape), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_reference_models_equal_tflite_micro(model: str) -> None:
    path = REFERENCE / f"{model}.tflite"
    if not path.exists():
        pytest.skip(f"{path.name} is not there: the reference models are no part of the repository")
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs tflite-micro")
    graph = read_tflite(path)
    codes = random_codes(graph)
    interpreter = runtime.Interpreter.from_bytes(path.read_bytes())
    expected = []
    for row in codes:
        interpreter.set_input(row[None], 0)
        interpreter.invoke()
        expected.append(interpreter.get_output(0).copy())
    assert np.array_equal(run_integers(graph, codes), np.concatenate(expected))
    assert np.array_equal(
        run_on_host(write(graph).files, codes), np.concatenate(expected).reshape(len(codes), -1)
    )


def test_quantize_and_dequantize_at_the_borders_are_left_out() -> None:
    real_in, real_out = FlatTensor("in", (1, 4), "FLOAT32"), FlatTensor("out", (1, 4), "FLOAT32")
    tensors = [real_in, real_out, int8("x", (1, 4), 0.1, 3), int8("y", (1, 4), 2**-8, -128)]
    graph = read_tflite(
        file(tensors, [op("QUANTIZE", (0,), 2), op("LOGISTIC", (2,), 3), op("DEQUANTIZE", (3,), 1)])
    )
    assert [n.op for n in graph.nodes] == [Sigmoid()]
    assert graph.type(graph.inputs[0]) == TensorType((4,), "int8", (float(np.float32(0.1)),), 3)
    assert graph.type(graph.outputs[0]).zero_point == -128


def test_an_unsigned_input_is_shifted() -> None:
    tensors = [
        replace(int8("in", (1, 4), 0.1, 128), dtype="UINT8"),
        int8("y", (1, 4)),
        int8("x", (1, 4), 0.1),
    ]
    graph = read_tflite(file(tensors, [op("QUANTIZE", (0,), 2), op("RELU", (2,), 1)]))
    assert graph.type(graph.inputs[0]).zero_point == 0


def divided(divisor: list[float], kind: str = "FLOAT32") -> bytes:
    x, y = ((FlatTensor(n, (1, 2), kind, (0.5,) if kind == "INT8" else ())) for n in ("x", "y"))
    numbers = np.array(divisor, "<f4")
    constant = FlatTensor("c", numbers.shape, "FLOAT32", data=numbers.tobytes())
    return file([x, y, constant], [op("DIV", (0, 2), 1, FusedActivationFunction=1)])


def test_a_quotient_is_a_product() -> None:
    graph = read_tflite(divided([4.0, -2.0]))
    assert [n.op for n in graph.nodes] == [Mul("relu")]
    assert run_float(graph, torch.tensor([[2.0, -6.0], [-2.0, 6.0]])).tolist() == [[0.5, 3.0], [0.0, 0.0]]


def svdf(memory: str = "INT16", batch: int = 1) -> bytes:
    """One that is fine, unless told otherwise."""
    tensors = [
        int8("x", (batch, 2)), int8("y", (batch, 1)), FlatTensor("w", (1, 2), "INT8", (0.1,), data=b"\1\2"),
        FlatTensor("t", (1, 2), "INT16", (0.1,), data=bytes(4)), FlatTensor("b", (1,), "INT32", (0.01,), data=bytes(4)),
        FlatTensor("m", (batch, 2), memory, (0.1,), is_variable=True),
    ]  # fmt: skip
    return file(tensors, [op("SVDF", (0, 2, 3, 4, 5), 1, Rank=1, FusedActivationFunction=1)])


def test_a_filter_over_time_without_fault() -> None:
    assert [n.op.name for n in read_tflite(svdf()).nodes] == ["reshape", "svdf", "reshape"]


def test_shapes_worked_out_in_the_file_leave_no_node() -> None:
    """What Keras writes for a flatten layer: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    tensors = [
        int8("x", (1, 2, 3, 4)), int8("y", (1, 24)), numbers("shape", [0]), numbers("begin", [0]), numbers("end", [1]),
        numbers("stride", [1]), FlatTensor("batch", (), "INT32"), numbers("rest", [24]),
        FlatTensor("target", (2,), "INT32"),
    ]  # fmt: skip
    tensors[2] = FlatTensor("shape", (4,), "INT32")
    tensors[7] = FlatTensor("rest", (), "INT32", data=np.array(24, "<i4").tobytes())
    operators = [
        op("SHAPE", (0,), 2), op("STRIDED_SLICE", (2, 3, 4, 5), 6, ShrinkAxisMask=1), op("PACK", (6, 7), 8, Axis=0),
        op("RESHAPE", (0, 8), 1),
    ]  # fmt: skip
    graph = read_tflite(file(tensors, operators))
    assert [n.op for n in graph.nodes] == [Reshape((-1,))]


def test_a_weight_scale_of_zero_makes_a_constant_channel() -> None:
    graph = example_integers(examples()["linear_0"])
    draft = drafted(graph)
    at = next(i for i, t in enumerate(draft.tensors) if len(t.scales) == 2)
    draft.tensors[at] = replace(draft.tensors[at], scales=(0.0, draft.tensors[at].scales[1]))
    again = read_tflite(flatbuffer(draft.tensors, draft.operators, [0], [draft.indices["y"]], ""))
    outputs = run_integers(again, random_codes(again))
    assert set(outputs[:, 0].tolist()) == {graph.type("y").zero_point}


def wide(bias: int, weight: int) -> Graph:
    """A layer of one weight with a bias beyond 30 bits on a grid that is that fine."""
    scale = 1e-9
    constants = {
        "w": Tensor("w", TensorType((1, 1), "int8", (scale,), 0, 0), np.array([[weight]], np.int8)),
        "b": Tensor("b", TensorType((1,), "int32", (scale,), 0, 0), np.array([bias], np.int32)),
    }
    x, y = (Tensor(n, TensorType((1,), "int8", (s,))) for n, s in (("x", 1.0), ("y", 0.1)))
    return Graph(
        "wide", {"x": x, "y": y, **constants}, (Node("y", Linear(), ("x", "w", "b"), "y"),), ("x",), ("y",)
    )


def test_a_huge_bias_on_a_tiny_grid_is_said_in_fewer_bits() -> None:
    graph = read_tflite(write_tflite(wide(1_200_000_000, 1)))
    assert set(run_integers(graph, random_codes(graph)).reshape(-1).tolist()) == {12}


def test_a_huge_bias_that_matters_is_refused() -> None:
    graph = wide(1_250_000_000, 1)  # 12.5 steps of the output: the input decides
    with pytest.raises(ModelError, match="bias is so large"):
        read_tflite(write_tflite(graph))


def test_transposes_move_axes_of_one_without_a_node() -> None:
    tensors = [int8("x", (1, 5, 3)), int8("y", (5, 1, 3)), numbers("order", [1, 0, 2])]
    graph = read_tflite(
        file([*tensors, int8("z", (5, 1, 3))], [op("TRANSPOSE", (0, 2), 1), op("RELU", (1,), 3)], 3)
    )
    assert [type(n.op) for n in graph.nodes] == [Reshape, Relu]
    assert not any(isinstance(n.op, Transpose) for n in graph.nodes)


def with_an_open_height() -> bytes:
    tensors = [replace(int8(name, (1, 1, 8, 2)), signature=(-1, -1, 8, 2)) for name in ("x", "y")]
    return file(tensors, [op("RELU", (0,), 1)])


def test_an_open_shape_asks_for_one() -> None:
    with pytest.raises(ModelError, match=r"shape is open: \(-1, -1, 8, 2\).*--shape"):
        read_tflite(with_an_open_height())


def test_an_open_shape_takes_what_is_given() -> None:
    graph = read_tflite(with_an_open_height(), shape=(1, 6, 8, 2))
    assert graph.type(graph.outputs[0]).shape == (6, 8, 2)


def test_the_shape_given_must_fit() -> None:
    with pytest.raises(ModelError, match="does not fit"):
        read_tflite(with_an_open_height(), shape=(1, 6, 9, 2))


def test_an_open_batch_is_one() -> None:
    tensors = [replace(int8(name, (1, 4)), signature=(-1, 4)) for name in ("x", "y")]
    assert read_tflite(file(tensors, [op("RELU", (0,), 1)])).type("x").shape == (4,)


def test_every_unsupported_operator_is_named_with_its_place() -> None:
    tensors = [int8("x", (1, 4)), int8("y", (1, 4)), int8("a", (1, 4)), int8("b", (1, 4))]
    operators = [op("FLOOR", (0,), 2), op("RELU", (2,), 3), op("COS", (3,), 1)]
    with pytest.raises(UnsupportedOp) as caught:
        read_tflite(file(tensors, operators))
    assert "2 operator(s)" in str(caught.value)
    assert "operator 0 (FLOOR) making a" in str(caught.value)
    assert "operator 2 (COS) making y" in str(caught.value)


def test_unsupported_attributes_are_listed_too() -> None:
    tensors = [int8("x", (1, 4)), int8("y", (1, 4)), int8("a", (1, 4))]
    operators = [
        op("ADD", (0, 0), 2, FusedActivationFunction=4),
        op("ADD", (2, 0), 1, FusedActivationFunction=2),
    ]
    with pytest.raises(UnsupportedOp, match=r"(?s)operator 0.*TANH.*operator 1.*RELU_N1_TO_1"):
        read_tflite(file(tensors, operators))


REFUSED = {
    "not a file": (b"no flatbuffer at all", "TFL3"),
    "hybrid": (
        file(
            [FlatTensor("x", (1, 2), "FLOAT32"), FlatTensor("y", (1, 1), "FLOAT32"),
             FlatTensor("w", (1, 2), "INT8", (0.1,), data=b"\1\2")],
            [op("FULLY_CONNECTED", (0, 2, -1), 1, WeightsFormat=0)],
        ),
        "hybrid",
    ),
    "two inputs": (
        flatbuffer([int8("x", (1, 2)), int8("y", (1, 2)), int8("z", (1, 2))], [op("ADD", (0, 2), 1)], [0, 2], [1], ""),
        "2 inputs",
    ),
    "nothing computed": (file([int8("x", (1, 2)), int8("y", (1, 2))], []), "not computed"),
    "read before it is made": (
        file([int8("x", (1, 2)), int8("y", (1, 2)), int8("z", (1, 2))], [op("RELU", (2,), 1), op("RELU", (0,), 2)]),
        "nothing computes",
    ),
    "other grids": (file([int8("x", (1, 2)), int8("y", (1, 2), 0.25)], [op("RELU6", (0,), 1)]), "share one scale"),
    "another shape": (file([int8("x", (1, 2)), int8("y", (1, 3))], [op("RELU", (0,), 1)]), "the file says"),
    "no scale": (file([int8("x", (1, 2), 0.0), int8("y", (1, 2))], [op("RELU", (0,), 1)]), "one positive scale"),
    "too large": (file([int8("x", (1, 2**20, 2**20)), int8("y", (1, 2))], [op("RELU", (0,), 1)]), "too many"),
    "a quotient by zero": (divided([1.0, 0.0]), "without a reciprocal"),
    "a quotient of codes": (divided([1.0, 2.0], "INT8"), "on integers"),
    "a memory of bytes": (svdf("INT8"), "a memory of INT8"),
    "a batch of steps": (svdf(batch=2), "one step"),
    "a state": (file([int8("x", (1, 4)), int8("y", (1, 4))], [op("RNN", (0,), 1)]), "not read"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(ModelError, match=reason):
        read_tflite(data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"missing\.tflite cannot be read"):
        read_tflite(tmp_path / "missing.tflite")


def test_padding_is_said_side_by_side() -> None:
    """SAME with a stride puts the odd row behind."""
    weight = FlatTensor("w", (1, 3, 3, 1), "INT8", (0.1,), data=bytes(9))
    tensors = [int8("x", (1, 4, 5, 1)), int8("y", (1, 2, 3, 1)), weight]
    convolution = op(
        "CONV_2D", (0, 2, -1), 1, Padding=0, StrideH=2, StrideW=2, DilationHFactor=1, DilationWFactor=1
    )
    graph = read_tflite(file(tensors, [convolution]))
    assert graph.nodes[0].op == Conv2d((2, 2), (0, 1, 1, 1))
    assert graph.nodes[0].source == "operator 0 (CONV_2D) making y"


def test_constants_are_operands() -> None:
    graph = read_tflite(write_tflite(example_integers(examples()["mul_3"])))
    assert isinstance(graph.nodes[-1].op, Mul)
    assert len(graph.constants(graph.nodes[-1])) == 1


def test_the_documented_table_is_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "reads-tflite.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([A-Z0-9_]+)` \|", page, re.MULTILINE)
    assert documented == sorted(READS)
    assert all(f"`{code}`" in page for code in FOLDS)
