from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pintsize
from pintsize.compress.quantize import Quantize
from pintsize.emulate import can_run
from pintsize.errors import DataError, MissingExtra, ToolError, UserError, VerificationError
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.integers import run_integers
from pintsize.ops import Conv2d, Mean
from pintsize.stream.artifact import load
from pintsize.stream.manifest import Interface
from tests.examples import constant
from tests.stream.tiny_artifact import LABELS, TRAP, write_tiny
from tests.test_compiling import integers


def test_codes_in_codes_out(tmp_path: Path) -> None:
    with load(write_tiny(tmp_path)) as artifact:
        assert artifact.labels == LABELS
        assert artifact.run(np.array([512, 0, 0, 0], np.int16)).tolist() == [2, -2, 1]
        assert artifact.run(np.array([-256, 0, 0, 0], np.int16)).tolist() == [-1, 1, 2]
        artifact.reset()
        assert artifact.real([0.5, 0, 0, 0]).tolist() == [8.0, -8.0, 0.125]


@pytest.mark.parametrize("codes", [np.zeros(3, np.int16), np.zeros(4, np.int8), np.zeros(4, np.float32)])
def test_other_codes_are_refused(tmp_path: Path, codes: np.ndarray) -> None:
    with pytest.raises(DataError, match="tiny takes 4 codes of int16"):
        load(write_tiny(tmp_path)).run(codes)


def test_a_trap_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="unreachable"):
        load(write_tiny(tmp_path)).run(np.full(4, TRAP, np.int16))


def test_a_changed_program_is_not_run(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path)
    program = folder / "model.wasm"
    program.write_bytes(program.read_bytes()[:-1] + b"\x00")
    with pytest.raises(VerificationError, match="was changed after"):
        load(folder)


def test_integers_that_differ_on_this_computer_are_told(tmp_path: Path) -> None:
    inputs = np.array([[256, 0, 0, 0], [0, 0, 0, 0]], np.int16)
    right = np.array([[1, -1, 1], [0, 0, 2]], np.int8)
    assert load(write_tiny(tmp_path / "a", {"inputs": inputs, "outputs": right})).run(inputs[0]).tolist() == [
        1,
        -1,
        1,
    ]
    folder = write_tiny(tmp_path / "b", {"inputs": inputs, "outputs": right + np.int8(1)})
    with pytest.raises(VerificationError, match="6 integers differ"):
        load(folder)
    assert load(folder, prove=False).labels == LABELS


def test_a_program_of_another_size_is_refused(tmp_path: Path) -> None:
    other = {"shape": [5], "dtype": "int16", "scale": 1.0, "zero_point": 0}
    with pytest.raises(VerificationError, match=r"takes 8 B, manifest\.json says 10 B"):
        load(write_tiny(tmp_path, input=other))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"input": {"shape": [4], "dtype": "float32", "scale": 1, "zero_point": 0}}, "float32"),
        ({"input": {"shape": [], "dtype": "int8", "scale": 1, "zero_point": 0}}, "shape"),
        ({"output": 7}, "damaged"),
        ({"labels": None}, "damaged"),
        ({"metrics": []}, "damaged"),
    ],
)
def test_a_damaged_manifest_is_a_user_s_error(tmp_path: Path, entry: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        load(write_tiny(tmp_path, **entry))


def test_a_folder_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"manifest\.json"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        load(tmp_path)


def test_a_folder_for_a_microcontroller_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"written for nrf52840.*pintsize compile .* --device raspberrypi4"):
        load(write_tiny(tmp_path, device="nrf52840", sha256={}))


def test_without_wasmtime_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_tiny(tmp_path)
    monkeypatch.setattr("pintsize.stream.artifact.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pintsize\[stream\]"):
        load(folder)


def test_quantizing_is_the_c_header_s() -> None:
    """Nearest, halves away from zero, saturated, NaN lowest."""
    kind = Interface((6,), "int8", 0.5, 3)
    real = [0.24, 0.25, -0.25, 1e9, -np.inf, np.nan]
    assert kind.quantize(real).tolist() == [3, 4, 2, 127, -128, -128]
    assert kind.dequantize([3, -128]).tolist() == [0.0, -65.5]


def test_the_calibration_is_the_manifest_s(tmp_path: Path) -> None:
    assert load(write_tiny(tmp_path / "a")).manifest.calibration.temperature == 1.0
    told = {"temperature": 1.7, "scores": "probabilities"}
    assert load(write_tiny(tmp_path / "b", calibration=told)).manifest.calibration.temperature == 1.7
    with pytest.raises(UserError, match="calibration"):
        _ = load(write_tiny(tmp_path / "c", calibration={"heat": 2})).manifest.calibration


def test_what_was_compiled_for_a_computer_runs_here_with_the_same_integers(tmp_path: Path) -> None:
    reason = can_run("wasm32")
    if reason:
        pytest.skip(reason)
    graph = integers()
    pintsize.compile_model(graph, "raspberrypi4", tmp_path / "out")
    codes = np.random.default_rng(3).integers(
        -128, 128, (20, *graph.type("x").shape), np.int8, endpoint=False
    )
    with load(tmp_path / "out") as artifact:
        found = np.stack([artifact.run(one) for one in codes])
    assert np.array_equal(found, run_integers(graph, codes))
    assert "model.wasm" in json.loads((tmp_path / "out" / "manifest.json").read_text())["sha256"]


def over_time() -> Graph:
    """Two convolutions over 12 columns of 2 channels, and one sum of the last one's columns."""
    draw = np.random.default_rng(4)
    constants = {
        "w": constant("w", draw.normal(0, 0.4, (5, 1, 3, 2))), "b": constant("b", draw.normal(0, 0.1, 5)),
        "v": constant("v", draw.normal(0, 0.4, (4, 1, 3, 5))), "c": constant("c", draw.normal(0, 0.1, 4)),
    }  # fmt: skip
    nodes = (
        Node("first", Conv2d(activation="relu"), ("x", "w", "b"), "h"),
        Node("second", Conv2d(dilation=(1, 2)), ("h", "v", "c"), "g"),
        Node("mean", Mean((1,)), ("g",), "y"),
    )
    graph = Graph("over_time", {"x": Tensor("x", TensorType((1, 12, 2)))}, (), ("x",), ("y",))
    graph = rebuild(graph, nodes, constants)
    return Quantize()(graph, draw.normal(0, 1, (16, 1, 12, 2)).astype(np.float32))


def test_a_streaming_model_keeps_its_state_from_run_to_run(tmp_path: Path) -> None:
    reason = can_run("wasm32")
    if reason:
        pytest.skip(reason)
    done = pintsize.compile_model(over_time(), "raspberrypi4", tmp_path / "out", stream=2)
    codes = np.random.default_rng(5).integers(-128, 128, (40, *done.graph.type("x").shape)).astype(np.int8)
    with load(tmp_path / "out") as artifact:
        assert artifact.manifest.stateful
        first = np.stack([artifact.run(one) for one in codes])
        other = artifact.run(codes[0])
        artifact.reset()
        again = np.stack([artifact.run(one) for one in codes])
    assert np.array_equal(first, run_integers(done.graph, codes))
    assert np.array_equal(first, again)
    assert not np.array_equal(other, first[0])


def test_the_whole_runtime_leaves_torch_alone() -> None:
    names = (
        "run",
        "artifact",
        "recording",
        "privacy",
        "decision",
        "sinks",
        "sinks.mqtt",
        "sources",
        "faults",
    )
    there = [name for name in names if (Path(pintsize.__file__).parent / "stream" / name.replace(".", "/")).exists()
             or (Path(pintsize.__file__).parent / "stream" / f"{name.replace('.', '/')}.py").exists()]  # fmt: skip
    code = "import sys\n" + "".join(f"import pintsize.stream.{name}\n" for name in there)
    code += "print([m for m in ('torch', 'paho', 'cryptography', 'wasmtime', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
