"""Other people's runtimes, to run what was written for them: each takes the file's bytes and inputs, channels last."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pintsize.graph import Graph


@dataclass(frozen=True)
class Runtime:
    """A runtime for one format.

    exact: its integers must equal ours; else it requantizes in floating point and the difference is stated. run takes
    (file, inputs (n, *input shape): codes of an integer Graph, or float32) and gives the outputs in the same terms.
    """

    name: str
    package: str
    module: str
    suffix: str
    exact: bool
    floats: bool
    run: Callable[[bytes, np.ndarray], np.ndarray]

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


def runtimes_for(suffix: str, graph: Graph) -> tuple[tuple[Runtime, ...], tuple[str, ...]]:
    """(those that can run here, the packages of those that are not installed) for a format."""
    real = not graph.type(graph.inputs[0]).is_quantized
    able = [r for r in RUNTIMES if r.suffix == suffix and (r.floats or not real)]
    return tuple(r for r in able if r.installed), tuple(r.package for r in able if not r.installed)


def _tflite_micro(content: bytes, x: np.ndarray) -> np.ndarray:
    from tflite_micro.python.tflite_micro import runtime  # type: ignore[import-not-found]

    interpreter = runtime.Interpreter.from_bytes(content)
    outputs = []
    for row in x:
        interpreter.set_input(row[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.stack(outputs)


def _litert(content: bytes, x: np.ndarray) -> np.ndarray:
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


RUNTIMES: tuple[Runtime, ...] = (
    Runtime("TFLite Micro", "tflite-micro", "tflite_micro", ".tflite", True, True, _tflite_micro),
    Runtime("LiteRT (XNNPACK)", "ai-edge-litert", "ai_edge_litert", ".tflite", False, True, _litert),
)
