"""Int8 models on this computer, one thread: our C beside LiteRT with XNNPACK, interleaved.

    python -m benchmarks.host --models FOLDER --json host.json

`--models` holds MLPerf Tiny's reference files. Figures, under {model: …}: `mismatches` of `inputs` random inputs
against the integer Graph (ours), and median microseconds a run: `ours_us`, `ours_portable_us` (no kernels of an
instruction set), `litert_us`; `times_litert` is ours in terms of LiteRT's. Compiled for the processor that it runs on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from pintsize.emulate import HostModel
from pintsize.module import run_integers
from pintsize.read.model_file import read_model
from pintsize.verify import random_codes
from pintsize.write.c import write

FILES = {
    "kws": "kws_ref_model.tflite",
    "vww": "vww_96_int8.tflite",
    "ic": "pretrainedResnet_quant.tflite",
    "ad": "ad01_int8.tflite",
}
INPUTS, RUNS = 200, 10


def litert(path: Path, codes: np.ndarray) -> Callable[[], None]:
    """Runs the file on the first `RUNS` inputs, int8 (n, *shape)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    rows = [row.reshape(details["shape"]) for row in codes[:RUNS]]

    def run() -> None:
        for row in rows:
            interpreter.set_tensor(details["index"], row)
            interpreter.invoke()

    return run


def medians_us(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median microseconds of one run, each contender's turn right after the other's."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            run()  # its data are in the caches as if it ran alone
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: round(float(np.median(taken)) / RUNS * 1e6, 1) for name, taken in times.items()}


def measure(path: Path, rounds: int, compiler: str) -> dict[str, Any]:
    graph = read_model(path, None)
    codes = random_codes(graph, INPUTS)
    wanted = run_integers(graph, codes).reshape(INPUTS, -1)
    rows = codes.reshape(INPUTS, -1)
    flags = () if compiler == "zig" else ("-march=native",)
    with (
        HostModel(write(graph, isa="avx2").files, compiler=compiler, flags=flags) as ours,
        HostModel(write(graph).files, compiler=compiler, flags=flags) as portable,
    ):
        mismatches = int((ours.run(rows) != wanted).sum())
        contenders = {
            "ours_us": lambda: ours.run(rows[:RUNS]),
            "litert_us": litert(path, codes),
            "ours_portable_us": lambda: portable.run(rows[:RUNS]),
        }
        found = medians_us(contenders, rounds)
    ratio = round(found["ours_us"] / found["litert_us"], 2)
    return {"inputs": INPUTS, "mismatches": mismatches, **found, "times_litert": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, required=True, help="folder of the reference .tflite files")
    parser.add_argument("--only", nargs="+", choices=tuple(FILES), default=list(FILES))
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--compiler", default="zig", help="zig, gcc or clang")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    console = Console()
    found: dict[str, Any] = {}
    for name in options.only:
        found[name] = measure(options.models / FILES[name], options.rounds, options.compiler)
        console.print(name, found[name])
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if any(figures["mismatches"] for figures in found.values()):
        raise SystemExit("integers differ from the Graph's")


if __name__ == "__main__":
    main()
