"""ONNX models for tests: built node by node, run by ONNX Runtime, quantized by its own quantizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
ort = pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from pintsize.silence import silent  # noqa: E402

SEED = 7


def build(
    nodes: Sequence[Any], shape: Sequence[int | str], constants: Mapping[str, np.ndarray] | None = None,
    opset: int = 17, outputs: Sequence[str] = ("y",), kind: int = TensorProto.FLOAT,
) -> bytes:  # fmt: skip
    """A model from x, of this shape with the batch, to its outputs."""
    initializers = [numpy_helper.from_array(np.array(a), n) for n, a in (constants or {}).items()]
    graph = helper.make_graph(
        list(nodes), "g", [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info(o, TensorProto.UNDEFINED, None) for o in outputs], initializers,
    )  # fmt: skip
    for output in graph.output:
        output.ClearField("type")
    ir = 10 if opset > 20 else 9 if opset > 18 else 8
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return model.SerializeToString()


def typed(model: bytes) -> bytes:
    """With the output's type inferred, which ONNX Runtime asks for."""
    inferred = onnx.shape_inference.infer_shapes(onnx.load_from_string(model))
    return inferred.SerializeToString()


def session(model: bytes, optimized: Path | None = None, plain: bool = False) -> Any:
    """ONNX Runtime on one thread. optimized: where it writes what it made of the model; plain: without changes.

    Where the processor has no instruction for it, the 8-bit kernels saturate in 16 bits unless they are told not to.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    if plain:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(model: bytes, x: np.ndarray, plain: bool = False) -> np.ndarray:
    """The model's output for inputs x (n, …), one at a time."""
    opened = session(model, plain=plain)
    name = opened.get_inputs()[0].name
    return np.concatenate([opened.run(None, {name: row[None]})[0] for row in x])


class _Samples:
    def __init__(self, name: str, x: np.ndarray) -> None:
        self._rows = iter([{name: row[None]} for row in x])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._rows, None)


def quantized(
    model: bytes, x: np.ndarray, folder: Path, per_channel: bool = True, signed: bool = False, **extra: Any
) -> bytes:
    """What onnxruntime.quantization.quantize_static makes of a float model with these samples (n, …)."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    loaded = onnx.load_from_string(typed(model))
    kind = QuantType.QInt8 if signed else QuantType.QUInt8
    with silent():
        quantize_static(
            loaded, str(folder / "q.onnx"), _Samples(loaded.graph.input[0].name, x),  # type: ignore[arg-type]
            quant_format=QuantFormat.QDQ, per_channel=per_channel, activation_type=kind,
            weight_type=extra.pop("weight_type", QuantType.QInt8), extra_options=extra,
        )  # fmt: skip
    return (folder / "q.onnx").read_bytes()


def numbers(*shape: int, seed: int = SEED, scale: float = 1.0) -> np.ndarray:
    """float32 numbers, the same ones every time."""
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(np.float32)
