"""The command line as a user meets it: what it prints, its exit codes, and nothing half-written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from pintsize import cli
from pintsize.version import VERSION
from pintsize.write.saved import graph_files
from tests.every_kernel import every_kernel

MODEL = """\
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(8), nn.Flatten(),
                         nn.Linear(8, 3))

class Unsupported(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.act, self.classify = nn.Conv2d(1, 8, 3), nn.CELU(), nn.Linear(288, 3)

    def forward(self, x):
        return self.classify(self.act(self.conv(x)).flatten(1))

def unsupported():
    return Unsupported()

def broken():
    return undefined_name

def number():
    return 3
"""


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object, folder: Path) -> Done:
    """The command in this process: starting a new one costs seconds each time."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["pintsize", *map(str, arguments)])
        patch.setattr(cli, "console", Console(width=200))
        with pytest.raises(SystemExit) as left:
            cli.main()
    return Done(int(left.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "model.py").write_text(MODEL)
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = (rng.normal(size=(300, 1, 8, 8)) * 0.3 + y[:, None, None, None]).astype(np.float32)
    np.savez(folder / "data.npz", x=x, y=y)
    np.savez(folder / "nan.npz", x=np.where(x > 2, np.nan, x), y=y)
    np.savez(folder / "uneven.npz", x=x, y=y[:-1])
    np.savez(folder / "one_class.npz", x=x, y=0 * y)
    np.savez(folder / "other_shape.npz", x=x[:, :, :5], y=y)
    whole = (folder / "data.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "junk.pt2").write_bytes(b"no archive")
    model = torch.nn.Linear(2, 2)
    torch.save(model.state_dict(), folder / "other.pt")
    return folder


def assert_refused(done: Done, *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for word in words:
        assert word in done.stderr


def test_version_and_help(work: Path) -> None:
    assert VERSION in run("--version", folder=work).stdout
    shown = run("shrink", "--help", folder=work).stdout
    assert "--max-drop" in shown
    assert "Examples" in shown


def test_devices_lists_at_least_a_dozen_and_one_in_detail(work: Path) -> None:
    shown = run("devices", folder=work).stdout
    assert sum(line.count("cortex-") for line in shown.splitlines()) >= 12
    assert "https://" in run("devices", "nrf52840", folder=work).stdout


def test_shrink_verify_report_end_to_end(work: Path) -> None:
    options = (
        "--device",
        "rp2040",
        "--flash",
        "32kB",
        "--max-drop",
        "20%",
        "--effort",
        "low",
        "--out",
        "out",
    )
    done = run("shrink", "model.py:make", "--data", "data.npz", *options, folder=work)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "budget met" in done.stdout
    assert (work / "out" / "model.c").is_file()
    again = run("verify", "out", "--core", "host", "--core", "cortex-m0", folder=work)
    assert again.returncode == 0
    assert "every integer is equal" in again.stdout
    assert run("report", "out", folder=work).returncode == 0
    source = work / "out" / "model.c"
    source.write_text(source.read_text() + "/* changed */\n")
    changed = run("verify", "out", "--core", "host", folder=work)
    assert changed.returncode == 1
    assert "model.c" in changed.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model.py:make", "--data", "missing.npz"], ["missing.npz"]),
        (["model.py:make", "--data", "cut.npz"], ["cut.npz"]),
        (["model.py:make", "--data", "nan.npz"], ["NaN"]),
        (["model.py:make", "--data", "uneven.npz"], ["300", "299"]),
        (["model.py:make", "--data", "one_class.npz"], ["class"]),
        (["model.py:make", "--data", "other_shape.npz"], ["5"]),
        (["model.py:make", "--data", "data.npz", "--device", "nrf52480"], ["nrf52840"]),
        (["model.py:make", "--data", "data.npz", "--flash", "32 potatoes"], ["32 potatoes"]),
        (["model.py:make", "--data", "data.npz", "--effort", "heroic"], ["heroic"]),
        (["model.py:make", "--data", "data.npz", "--weights", "other.pt"], ["other.pt"]),
        (["model.py:make", "--data", "data.npz", "--weights", "missing.pt"], ["missing.pt"]),
        (["model.py:unsupported", "--data", "data.npz"], ["celu", "act (CELU)", "model.py:"]),
        (["model.py:broken", "--data", "data.npz"], ["undefined_name"]),
        (["model.py:number", "--data", "data.npz"], ["int"]),
        (["model.py:nothing", "--data", "data.npz"], ["nothing"]),
        (["nowhere.py:make", "--data", "data.npz"], ["nowhere.py"]),
        (["junk.pt2", "--data", "data.npz"], ["junk.pt2"]),
        (["model.py:make"], ["--data"]),
        (["--embedded", "letters"], ["digits"]),
        (["model.py:make", "--data", "data.npz", "--layer-bits", "5=3"], ["NAME=8"]),
        (["model.py:make", "--data", "data.npz", "--layer-bits", "nobody=8"], ["nobody", "'0'"]),
        (["model.py:make", "--data", "data.npz", "--activation-bits", "12"], ["12", "8, 16 or auto"]),
    ],
)
def test_a_users_mistake_gets_a_message_and_exit_code_2(
    work: Path, arguments: list[str], words: list[str]
) -> None:
    assert_refused(run("shrink", *arguments, "--out", "refused", folder=work), *words)
    assert not (work / "refused").exists()


def test_a_budget_that_cannot_be_met_says_so_with_the_nearest(work: Path) -> None:
    done = run("shrink", "model.py:make", "--data", "data.npz", "--flash", "1kB", "--effort", "low", "--out", "refused",
               folder=work)  # fmt: skip
    assert_refused(done, "nearest", "B of flash")
    assert not (work / "refused").exists()


def test_a_folder_with_other_things_in_it_is_left_alone(work: Path) -> None:
    (work / "mine").mkdir()
    (work / "mine" / "thesis.txt").write_text("precious")
    assert_refused(run("shrink", "--out", "mine", folder=work), "mine")
    assert [p.name for p in (work / "mine").iterdir()] == ["thesis.txt"]
    assert_refused(run("verify", "mine", folder=work), "manifest.json")


def test_check_before_any_training(work: Path) -> None:
    good = run("check", "model.py:make", "--sample-shape", "1,8,8", "--device", "stm32g0b1", folder=work)
    assert good.returncode == 0
    assert "plausible" in good.stdout
    tight = run("check", "model.py:make", "--sample-shape", "1,8,8", "--flash", "100B", folder=work)
    assert tight.returncode == 2
    assert "flash" in tight.stdout
    assert_refused(run("check", "model.py:unsupported", "--sample-shape", "1,8,8", folder=work), "celu")
    assert_refused(run("check", "model.py:make", "--sample-shape", "one,two", folder=work), "--sample-shape")
    assert_refused(run("check", "model.py:make", folder=work), "shape")


def test_an_interruption_leaves_no_result_and_the_same_command_goes_on(work: Path) -> None:
    command = [sys.executable, "-m", "pintsize.cli", "shrink", "--effort", "low", "--out", "stopped"]
    # a runner in the background of a shell has SIGINT ignored, and so would its children
    process = subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip
    partial = work / "stopped.partial"
    deadline = time.monotonic() + 300
    while not list(partial.glob("*/*/graph.json")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert not (work / "stopped").exists()
    assert list(partial.glob("*/*/graph.json"))
    again = run("shrink", "--effort", "low", "--out", "stopped", folder=work)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (work / "stopped" / "model.c").is_file()
    assert not partial.exists()


def test_quantize_end_to_end(work: Path) -> None:
    done = run("quantize", "model.py:make", "--samples", "data.npz", "--device", "rp2040", "--bits", "8",
               "--out", "integers", folder=work)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((work / "integers" / "report.json").read_text())
    assert {"host", "cortex-m0plus"} <= {check["core"] for check in report["verification"]}
    assert "every integer is equal" in run("verify", "integers", "--core", "host", folder=work).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model.py:make", "--samples", "nan.npz"], ["NaN"]),
        (["model.py:make", "--samples", "data.npz", "--bits", "3"], ["3"]),
        (["missing.onnx", "--samples", "data.npz"], ["missing.onnx"]),
        (["model.py:make", "--samples", "other_shape.npz"], ["5"]),
    ],
)
def test_mistakes_in_quantizing_are_told(arguments: list[str], words: list[str], work: Path) -> None:
    assert_refused(run("quantize", *arguments, "--out", "refused", folder=work), *words)
    assert not (work / "refused").exists()


@pytest.fixture(scope="module")
def small(work: Path) -> Path:
    """A saved integer Graph."""
    for name, content in graph_files(every_kernel()).items():
        (work / "small").mkdir(exist_ok=True)
        (work / "small" / name).write_bytes(content)
    return work


def test_compile_verify_bench_end_to_end(small: Path) -> None:
    done = run("compile", "small", "--device", "stm32l4r5", "--reuse-io", "--out", "compiled", folder=small)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cortex-m4: 8 inputs" in done.stdout
    assert "estimated" in done.stdout
    header = (small / "compiled" / "model.h").read_text()
    assert "MODEL_INPUT ((int8_t *)model_arena" in header
    again = run("verify", "compiled", "--core", "host", "--core", "cortex-m0", folder=small)
    assert "every integer is equal" in again.stdout
    table = run("bench", "compiled", folder=small)
    assert table.returncode == 0, table.stderr
    for word in ("instructions", "arena", "█", "offset"):
        assert word in table.stdout
    assert "cortex-m0" in run("bench", "compiled", "--core", "m0", folder=small).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compile", "missing.tflite"], ["missing.tflite"]),
        (["compile", "data.npz"], ["neither .tflite nor .onnx"]),
        (["compile", "small", "--device", "stm32f999"], ["stm32f999"]),
        (["compile", "small", "--device", "stm32l4r5", "--out", "model.py"], ["is a file"]),
        (["compile", "small", "--shape", "a,b"], ["--shape 'a,b'"]),
        (["bench", "small"], ["--core m4"]),
        (["bench", "small", "--core", "m99"], ["m99"]),
        (["convert", "small", "model.txt"], [".tflite", ".onnx"]),
        (["convert", "missing.onnx", "model.tflite"], ["missing.onnx"]),
    ],
)
def test_mistakes_with_finished_models_are_told(arguments: list[str], words: list[str], small: Path) -> None:
    assert_refused(run(*arguments, folder=small), *words)
