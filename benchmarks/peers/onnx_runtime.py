"""ONNX Runtime's static quantization (QDQ, int8 weights per channel, uint8 activations), accuracy by ONNX Runtime."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from benchmarks.peers.contest import Contest, Point
from pintsize.read.model_file import read_model


class Samples(CalibrationDataReader):
    """Feeds calibration samples one by one."""

    def __init__(self, x: np.ndarray) -> None:
        self._left: Iterator[dict[str, Any]] = iter([{"x": x[i : i + 1]} for i in range(len(x))])

    def get_next(self) -> dict[str, Any] | None:  # type: ignore[override]
        return next(self._left, None)


def points(contest: Contest) -> list[Point]:
    """The teacher, quantized after training."""
    return [quantized("int8", contest.student(), contest)]


def quantized(name: str, model: nn.Module, contest: Contest) -> Point:
    """Any network of the task, quantized after training; its size is that of the file read and written by pintsize."""
    with tempfile.TemporaryDirectory() as folder:
        path = _quantize(model, contest, Path(folder))
        graph = read_model(path)
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return contest.torch_point(name, graph, Session(session))


def _quantize(model: nn.Module, contest: Contest, folder: Path) -> Path:
    plain, prepared, done = (folder / f"{n}.onnx" for n in ("plain", "prepared", "quantized"))
    torch.onnx.export(
        model.eval(),
        (contest.sample,),
        plain,
        input_names=["x"],
        output_names=["y"],
        dynamo=True,
        verbose=False,
        external_data=False,
    )
    quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared), str(done), Samples(contest.calibration()), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
    return done


class Session(nn.Module):
    """An ONNX Runtime session that is called like a torch model."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        super().__init__()
        self.session = session

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = [self.session.run(["y"], {"x": row[None]})[0] for row in x.numpy()]
        return torch.from_numpy(np.concatenate(rows))
