"""Other people's runtimes, to run what was written for them: each takes the file's bytes and inputs, channels last."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from pintsize.arithmetic import dequantize
from pintsize.graph import Graph
from pintsize.write.onnx import channels_first, channels_last


@dataclass(frozen=True)
class Runtime:
    """A runtime for one format.

    exact: its integers must equal ours; else it requantizes in floating point and the difference is stated. run takes
    (file, its Graph, inputs (n, *input shape): codes of an integer Graph, or float32) and gives the outputs in the same
    terms.
    """

    name: str
    package: str
    module: str
    suffix: str
    exact: bool
    floats: bool
    run: Callable[[bytes, Graph, np.ndarray], np.ndarray]

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


def runtimes_for(suffix: str, graph: Graph) -> tuple[tuple[Runtime, ...], tuple[str, ...]]:
    """(those that can run here, the packages of those that are not installed) for a format."""
    real = not graph.type(graph.inputs[0]).is_quantized
    able = [r for r in RUNTIMES if r.suffix == suffix and (r.floats or not real)]
    return tuple(r for r in able if r.installed), tuple(sorted({r.package for r in able if not r.installed}))


def _tflite_micro(content: bytes, graph: Graph, x: np.ndarray) -> np.ndarray:
    from tflite_micro.python.tflite_micro import runtime  # type: ignore[import-not-found]

    interpreter = runtime.Interpreter.from_bytes(content)
    outputs = []
    for row in x:
        interpreter.set_input(row[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.stack(outputs)


def _litert(content: bytes, graph: Graph, x: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for row in x:
        interpreter.set_tensor(source, row[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target)[0].copy())
    return np.stack(outputs)


def _onnx_runtime(content: bytes, graph: Graph, x: np.ndarray, fused: bool = True) -> np.ndarray:
    """Real numbers at its borders, channels first: codes are converted on the way in and out."""
    import onnxruntime  # type: ignore[import-not-found]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if not fused:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    source, target = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    real = dequantize(x, source.scale[0], source.zero_point) if source.is_quantized else x
    (y,) = session.run(None, {session.get_inputs()[0].name: channels_first(real)})
    y = channels_last(np.asarray(y))
    return np.rint(y / np.float32(target.scale[0])) + target.zero_point if target.is_quantized else y


def _executorch(content: bytes, graph: Graph, x: np.ndarray) -> np.ndarray:
    """Real numbers at its borders: codes are converted on the way in and out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it is experimental
        import executorch.kernels.quantized  # type: ignore[import-not-found]  # noqa: F401  its ops register themselves
        from executorch.runtime import Runtime as Program  # type: ignore[import-not-found]

    method = Program.get().load_program(content).load_method("forward")
    source, target = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    real = dequantize(x, source.scale[0], source.zero_point) if source.is_quantized else x
    rows = [method.execute([torch.from_numpy(row[None])])[0].numpy().copy() for row in real]
    y = np.concatenate(rows)
    return np.rint(y / np.float32(target.scale[0])) + target.zero_point if target.is_quantized else y


RUNTIMES: tuple[Runtime, ...] = (
    Runtime("TFLite Micro", "tflite-micro", "tflite_micro", ".tflite", True, True, _tflite_micro),
    Runtime("LiteRT (XNNPACK)", "ai-edge-litert", "ai_edge_litert", ".tflite", False, True, _litert),
    # on x86 without VNNI its fused kernels saturate sums of two products at 16 bits: the unfused ones tell both apart
    Runtime("ONNX Runtime", "onnxruntime", "onnxruntime", ".onnx", False, True, _onnx_runtime),
    Runtime(
        "ONNX Runtime, layers not fused",
        "onnxruntime",
        "onnxruntime",
        ".onnx",
        False,
        True,
        partial(_onnx_runtime, fused=False),
    ),
    Runtime("ExecuTorch (XNNPACK)", "executorch", "executorch", ".pte", False, True, _executorch),
)
