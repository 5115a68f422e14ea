"""How long `pintsize compile` takes for MLPerf Tiny's four int8 models, in all and by stage.

    python -m benchmarks.compile_time --models FOLDER --json figures.json

`total_s` is a whole process, Python's start, compilers, emulation and files included: the quickest of `--repeat`
runs, as other programs on the computer only ever add; `cpu_s` is what it and its compilers computed in that time. The
stages are measured one after the other in a process of their own: in the command several run at once, so that they
add up to more than the total. Measured on this computer; another one has other seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

FILES = {
    "kws": "kws_ref_model.tflite",
    "vww": "vww_96_int8.tflite",
    "ic": "pretrainedResnet_quant.tflite",
    "ad": "ad01_int8.tflite",
}
DEVICE = "stm32l4r5"
#: what the issue that this answers allows for vww
WANTED_S = {"vww": 5.0}


class Stages:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def stages(path: Path, device: str) -> dict[str, float]:
    """What `compile_model` does, step by step, in a process that has done nothing of it before."""
    watch = Stages()
    with watch.stage("import pintsize"):
        import_module("pintsize.cli")
        compiling = import_module("pintsize.compiling")
    with watch.stage("read"):
        given = compiling.read_model(path)
    with watch.stage("drop what is constant"):
        graph = compiling.fold_constant_channels(given)
    codes = compiling.random_codes(graph, compiling.GOLDEN_VECTORS)
    target = compiling.devices.device(device)
    with watch.stage("write"):
        program = compiling.write(graph, isa=compiling.isa_of(target.core))
    with watch.stage("build and run on the host"):
        compiling.emulate.run(program.files, "host", codes.reshape(len(codes), -1))
    with watch.stage("build for the core"):
        built = compiling.emulate.build(program.files, compiling.emulate.core(target.core))
    with watch.stage("emulate the core"):
        compiling.emulate.execute(built, codes.reshape(len(codes), -1).view(np.int8))
    with watch.stage("load torch"):
        module = import_module("pintsize.module")
    with watch.stage("reference"):
        module.run_integers(given, codes)
    return watch.seconds


def in_fresh_process(path: Path, device: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.compile_time", "--stages-of", str(path), "--device", device]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def whole(path: Path, device: str) -> tuple[float, float]:
    """(wall seconds, seconds of computing) of the command."""
    with TemporaryDirectory() as folder:
        out = str(Path(folder) / "out")
        command = [
            sys.executable,
            "-m",
            "pintsize.cli",
            "compile",
            str(path),
            "--device",
            device,
            "--out",
            out,
        ]
        before, start = os.times(), time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def measure(path: Path, device: str, repeat: int) -> dict[str, Any]:
    runs = [whole(path, device) for _ in range(repeat)]
    total, _ = min(runs)
    return {
        "total_s": total,
        "cpu_s": min(cpu for _, cpu in runs),
        "stages_s": in_fresh_process(path, device),
    }


def table(found: dict[str, Any]) -> Table:
    shown = Table("seconds", *found)
    for column in shown.columns[1:]:
        column.justify = "right"
    for name in next(iter(found.values()))["stages_s"]:
        shown.add_row(name, *(f"{row['stages_s'][name]:.2f}" for row in found.values()))
    shown.add_section()
    shown.add_row("the command, in all", *(f"{row['total_s']:.2f}" for row in found.values()))
    shown.add_row("computing, with compilers", *(f"{row['cpu_s']:.2f}" for row in found.values()))
    shown.add_row("wanted, below", *(f"{WANTED_S[name]:.2f}" if name in WANTED_S else "" for name in found))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, help="folder of the four .tflite files")
    parser.add_argument("--only", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--device", default=DEVICE)
    parser.add_argument(
        "--repeat", type=int, default=3, help="runs of the whole command; the quickest counts"
    )
    parser.add_argument("--json", type=Path, help="where to leave the figures")
    parser.add_argument("--stages-of", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stages_of:
        print(json.dumps(stages(given.stages_of, given.device)))
        return
    if given.models is None:
        parser.error("--models FOLDER is needed: where the four .tflite files are")
    found = {name: measure(given.models / FILES[name], given.device, given.repeat) for name in given.only}
    Console().print(table(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
