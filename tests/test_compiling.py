"""Compiling: a proven program in a folder, or a refusal that says what would help."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import pintsize
from pintsize.artifact import verify_folder
from pintsize.cli import app
from pintsize.compress.quantize import Quantize
from pintsize.emulate import can_run
from pintsize.errors import DoesNotFit, ModelError, OutputError, UserError
from pintsize.folder import write_folder
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import run_integers
from pintsize.ops import AveragePool2d, Conv2d, Linear, Reshape
from pintsize.write.saved import graph_files
from tests.every_kernel import every_kernel
from tests.examples import constant


def floats(channels: int = 8, width: int = 6) -> Graph:
    """A convolution and a classifier, in real numbers."""
    draw = np.random.default_rng(0)
    constants = {
        "w": constant("w", draw.normal(0, 0.3, (channels, 3, 3, 2))), "b": constant("b", draw.normal(0, 0.1, channels)),
        "v": constant("v", draw.normal(0, 0.1, (3, width * width * channels))),
        "c": constant("c", draw.normal(0, 0.1, 3)),
    }  # fmt: skip
    nodes = (
        Node("conv", Conv2d(padding=(1, 1, 1, 1), activation="relu"), ("x", "w", "b"), "h"),
        Node("flat", Reshape(), ("h",), "f"),
        Node("classify", Linear(), ("f", "v", "c"), "y"),
    )
    x = Tensor("x", TensorType((width, width, 2)))
    return rebuild(Graph("small", {"x": x}, (), ("x",), ("y",)), nodes, constants)


def integers(channels: int = 8, width: int = 6) -> Graph:
    graph = floats(channels, width)
    samples = np.random.default_rng(1).normal(0, 1, (32, *graph.type("x").shape)).astype(np.float32)
    return Quantize()(graph, samples)


@pytest.mark.parametrize("reuse_io", [False, True])
def test_the_folder_is_proven_and_can_be_proven_again(tmp_path: Path, reuse_io: bool) -> None:
    graph = integers()
    done = pintsize.compile_model(graph, "stm32l4r5", tmp_path / "out", reuse_io)
    assert [(c.core, c.mismatches) for c in done.checks] == [("host", 0), ("cortex-m4", 0)]
    assert np.array_equal(done.golden[1], run_integers(graph, done.golden[0]))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["device"] == "stm32l4r5"
    assert manifest["reuse_io"] is reuse_io
    assert manifest["metrics"]["instructions"] == done.footprint.instructions
    assert [c.mismatches for c in verify_folder(tmp_path / "out", ("host", "cortex-m0"))] == [0, 0]


def test_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pintsize.compile_model(integers(), "stm32f103", tmp_path / name)
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("a", "b"))
    assert first == second


def test_a_folder_that_pintsize_wrote_is_compiled_for_another_device(tmp_path: Path) -> None:
    pintsize.compile_model(integers(), "stm32l4r5", tmp_path / "m4")
    done = pintsize.compile_model(tmp_path / "m4", "stm32g0b1")
    assert done.device.core == "cortex-m0plus"
    assert done.checks[-1].mismatches == 0


def test_spare_flash_is_spent_on_speed_and_bench_knows(tmp_path: Path) -> None:
    graph = integers(channels=16)
    plain = pintsize.compile_model(graph, "stm32l4r5")
    spent = pintsize.compile_model(graph, "stm32l4r5", tmp_path / "out", spare_flash="16kB")
    assert [c.mismatches for c in spent.checks] == [0, 0]
    assert spent.footprint.instructions is not None
    assert plain.footprint.instructions is not None
    assert spent.footprint.instructions < plain.footprint.instructions
    assert 0 < spent.footprint.flash_bytes - plain.footprint.flash_bytes <= 16 * 1024
    assert pintsize.bench(tmp_path / "out").footprint.instructions == spent.footprint.instructions


def test_what_does_not_fit_is_refused_with_figures_and_ways(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match=r"needs [\d,]+ B of flash, 32,768 B are there") as refusal:
        pintsize.compile_model(integers(channels=32, width=20), "stm32f031", tmp_path / "out")
    said = str(refusal.value)
    assert "B of RAM, 4,096 B are there" in said
    assert "--reuse-io saves" in said
    assert "weights of 4 bits save about" in said
    assert "a larger device, such as" in said
    assert not (tmp_path / "out").exists()


def test_a_model_of_real_numbers_is_sent_to_shrink(tmp_path: Path) -> None:
    for name, content in graph_files(floats()).items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="pintsize shrink"):
        pintsize.compile_model(tmp_path, "stm32l4r5")


@pytest.mark.parametrize("name", ["no.tflite", "no.onnx", "no"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=name):
        pintsize.compile_model(tmp_path / name, "stm32l4r5")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("hello, this is no model")
    with pytest.raises(ModelError, match=r"neither \.tflite nor \.onnx"):
        pintsize.compile_model(tmp_path / "model.txt", "stm32l4r5")


def test_bench_counts_every_layer_and_draws_the_plan(tmp_path: Path) -> None:
    pintsize.compile_model(integers(), "stm32l4r5", tmp_path / "out", reuse_io=True)
    found = pintsize.bench(tmp_path / "out")
    assert found.device.name == "stm32l4r5"
    assert found.footprint.ram_bytes == found.program.plan.arena_bytes + (found.footprint.stack_bytes or 0)
    counted = [layer.instructions or 0 for layer in found.layers]
    assert counted[0] > counted[2] > counted[1] == 0
    assert 0 <= (found.footprint.instructions or 0) - sum(counted) < 100  # the run function itself
    other = pintsize.bench(tmp_path / "out", core="m0")
    assert other.device.core == "cortex-m0"
    assert (other.footprint.instructions or 0) > (found.footprint.instructions or 0)


def test_bench_of_a_graph_needs_to_know_where() -> None:
    with pytest.raises(UserError, match="--core m4"):
        pintsize.bench(every_kernel())


def test_a_core_and_a_device_that_disagree_are_refused() -> None:
    with pytest.raises(UserError, match="give one of the two"):
        pintsize.bench(every_kernel(), core="m0", device="stm32l4r5")
    with pytest.raises(UserError, match="no core"):
        pintsize.bench(every_kernel(), core="m99")


def test_a_browser_gets_a_page_and_the_proven_module(tmp_path: Path) -> None:
    reason = can_run("wasm32")
    if reason:
        pytest.skip(reason)
    done = pintsize.compile_model(integers(), "browser", tmp_path / "out")
    assert [(c.core, c.mismatches) for c in done.checks] == [("host", 0), ("wasm32", 0)]
    for name in ("model.wasm", "model.js", "index.html", "model.c"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    assert (tmp_path / "out" / "model.wasm").read_bytes()[:4] == b"\0asm"


def signal_model(padding: int = 0) -> Graph:
    """Two convolutions over 20 columns of 2, the mean of the last, a classifier; integers."""
    draw = np.random.default_rng(0)
    constants = {
        "w": constant("w", draw.normal(0, 0.4, (4, 1, 3, 2))), "b": constant("b", draw.normal(0, 0.1, 4)),
        "v": constant("v", draw.normal(0, 0.4, (4, 1, 3, 4))), "c": constant("c", draw.normal(0, 0.1, 4)),
        "u": constant("u", draw.normal(0, 1, (3, 4))), "d": constant("d", draw.normal(0, 0.1, 3)),
    }  # fmt: skip
    around = (0, 0, padding, padding)
    columns = 20 - 4 + 4 * padding
    nodes = (
        Node("first", Conv2d(padding=around, activation="relu"), ("x", "w", "b"), "h"),
        Node("second", Conv2d(padding=around, activation="relu"), ("h", "v", "c"), "i"),
        Node("pool", AveragePool2d((1, columns), (1, 1)), ("i",), "p"),
        Node("flat", Reshape(), ("p",), "f"),
        Node("classify", Linear(), ("f", "u", "d"), "y"),
    )
    x = Tensor("x", TensorType((1, 20, 2)))
    graph = rebuild(Graph("signal", {"x": x}, (), ("x",), ("y",)), nodes, constants)
    return Quantize()(graph, draw.normal(0, 1, (32, 1, 20, 2)).astype(np.float32))


def test_a_stream_is_proven_against_windows_run_anew(tmp_path: Path) -> None:
    graph = signal_model()
    done = pintsize.compile_model(graph, "stm32l4r5", tmp_path / "out", stream=2)
    assert [(c.core, c.mismatches) for c in done.checks] == [("host", 0), ("cortex-m4", 0)]
    assert done.stream is not None
    assert np.array_equal(done.golden[1], run_integers(graph, done.stream.windows(done.golden[0])))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["stream"] == {
        "hop": 2, "window": 20, "delay": 0, "window_macs": graph.macs, "step_macs": 2 * (24 + 48) + 12,
    }  # fmt: skip
    assert manifest["metrics"]["state_bytes"] == done.graph.state_bytes > 0
    assert [c.mismatches for c in verify_folder(tmp_path / "out", ("host", "cortex-m0"))] == [0, 0]
    again = pintsize.compile_model(tmp_path / "out", "stm32g0b1")
    assert [c.mismatches for c in again.checks] == [0, 0]
    with pytest.raises(OutputError, match="runs in steps and remembers"):
        pintsize.convert(tmp_path / "out", tmp_path / "model.tflite")


def test_padding_streams_where_it_is_told_to_carry() -> None:
    graph = signal_model(padding=1)
    with pytest.raises(UserError, match="--carry"):
        pintsize.compile_model(graph, "stm32l4r5", stream=2)
    done = pintsize.compile_model(graph, "stm32l4r5", stream=2, carry=True)
    assert [c.mismatches for c in done.checks] == [0, 0]
    assert done.stream is not None
    assert done.stream.delay == 2


def test_the_command_shows_the_saving(tmp_path: Path) -> None:
    given, out = tmp_path / "given", tmp_path / "out"
    write_folder({**graph_files(signal_model()), "manifest.json": b'{"format": 1}'}, given)
    options = ["--device", "stm32l4r5", "--stream", "2", "--rate-hz", "100", "--out", str(out)]
    done = CliRunner().invoke(app, ["compile", str(given), *options])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "a step takes 2 of the window's 20 columns" in said
    assert "a second of signal at 100 Hz: 7,800 where it was" in said  # 156 products a step
    assert "MODEL_STATE_BYTES" in (out / "model.h").read_text()
