"""Converting: what is written runs in the other format's runtime and agrees, or is refused and not written."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pintsize
from pintsize import runtimes
from pintsize.converting import compare
from pintsize.errors import OutputError, VerificationError
from pintsize.graph import Graph
from pintsize.runtimes import RUNTIMES
from pintsize.verify import random_codes
from tests.test_compiling import floats, integers


def require(*modules: str) -> None:
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


@pytest.mark.parametrize(("make", "same"), [(integers, True), (floats, True)])
def test_tflite_is_equal_in_tflite_micro(make: object, same: bool, tmp_path: Path) -> None:
    require("tflite", "tflite_micro")
    done = pintsize.convert(make(), tmp_path / "model.tflite")  # type: ignore[operator]
    micro = next(a for a in done.agreements if a.runtime == "TFLite Micro")
    assert micro.equal is same
    assert done.bytes == (tmp_path / "model.tflite").stat().st_size


def test_onnx_answers_as_the_graph_does(tmp_path: Path) -> None:
    require("onnx", "onnxruntime")
    done = pintsize.convert(integers(), tmp_path / "model.onnx")
    fused, found = done.agreements
    assert fused.same_answer > 0.9  # where the CPU has no VNNI, its fused kernels saturate
    assert found.runtime == "ONNX Runtime, layers not fused"
    assert found.same_answer > 0.9
    assert found.largest <= 2  # one layer's rounding, seen through the next
    assert all(a.equal for a in pintsize.convert(floats(), tmp_path / "real.onnx").agreements)


def test_there_and_back_are_the_same_integers(tmp_path: Path) -> None:
    require("tflite", "onnx")
    graph = integers()
    pintsize.convert(graph, tmp_path / "a.tflite")
    pintsize.convert(tmp_path / "a.tflite", tmp_path / "b.onnx")
    pintsize.convert(tmp_path / "b.onnx", tmp_path / "c")
    codes = random_codes(graph, 32)
    wanted = pintsize.compile_model(graph, "stm32l4r5").golden
    again = pintsize.compile_model(tmp_path / "c", "stm32l4r5").golden
    assert codes.shape[1:] == wanted[0].shape[1:]
    assert np.array_equal(wanted[0], again[0])
    assert np.array_equal(wanted[1], again[1])


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.tflite or \.onnx"):
        pintsize.convert(integers(), tmp_path / "model.h5")


def test_a_runtime_that_must_be_equal_and_is_not_stops_the_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("tflite", "tflite_micro")
    micro = next(r for r in RUNTIMES if r.exact)

    def off_by_one(content: bytes, graph: Graph, x: np.ndarray) -> np.ndarray:
        y = micro.run(content, graph, x)
        y[0] += 1
        return y

    monkeypatch.setattr(runtimes, "RUNTIMES", (replace(micro, run=off_by_one),))
    with pytest.raises(VerificationError, match="TFLite Micro computes other numbers"):
        pintsize.convert(integers(), tmp_path / "model.tflite")
    assert not (tmp_path / "model.tflite").exists()


def test_the_difference_is_measured_in_steps() -> None:
    graph = integers()
    wanted = pintsize.compile_model(graph, "stm32l4r5")

    def three_more(content: bytes, graph: Graph, x: np.ndarray) -> np.ndarray:
        from pintsize.module import run_integers

        y = run_integers(graph, x).astype(np.int64)
        y[0, 0] += 3
        return y

    found = compare(wanted.graph, b"", replace(RUNTIMES[0], run=three_more))
    assert found.largest == 3
    assert found.rate == pytest.approx(1 / (64 * 3))
