"""MLPerf Tiny's four int8 models, compiled for every core, counted, and compared with tflite-micro and with peers.

    python -m benchmarks.mcu --models FOLDER --peers mcu.json --json figures.json

`--models` holds MLPerf Tiny's reference files (kws_ref_model.tflite, vww_96_int8.tflite, pretrainedResnet_quant.tflite,
ad01_int8.tflite); `--peers` the instructions of other engines. Figures, under {core: {model: …}}: `instructions`,
`flash` and `ram` (with `stack`) in bytes, `mismatches` of `inputs` random inputs against tflite-micro. Under "host" are
the inputs run on this computer, under "estimated" milliseconds on the boards that published theirs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from pintsize import cycles
from pintsize.benching import core_named
from pintsize.devices import DEVICES, Device
from pintsize.emulate import HostModel, build, can_run, core, execute
from pintsize.graph import Graph
from pintsize.passes.fold_constant_channels import fold_constant_channels
from pintsize.read.model_file import read_model
from pintsize.runtimes import RUNTIMES
from pintsize.verify import random_codes
from pintsize.write.c import CProgram, write
from pintsize.write.c.calls import isa_of

FILES = {
    "kws": "kws_ref_model.tflite",
    "vww": "vww_96_int8.tflite",
    "ic": "pretrainedResnet_quant.tflite",
    "ad": "ad01_int8.tflite",
}
CORES = ("m0", "m3", "m4", "m7", "m33", "m55", "riscv32")
HOST_INPUTS, CORE_INPUTS = 1000, 32
#: the issue that this engine answers: instructions of one inference in millions, at most
WANTED = {
    "m4": {"kws": 3.3, "vww": 10.0, "ic": 12.8, "ad": 0.40},
    "m55": {"kws": 0.95, "vww": 3.0, "ic": 2.3, "ad": 0.11},
    "m0": {"kws": 22.0, "vww": 65.0, "ic": 75.0, "ad": 1.5},
}
#: published rows by board: our device of the same part
BOARDS = {"L4R5": "stm32l4r5", "H7A3": "stm32h7a3", "U575": "stm32u575", "G0B1": "stm32g0b1"}


def oracle(content: bytes, graph: Graph, codes: np.ndarray) -> np.ndarray:
    """What tflite-micro computes, int8 (n, outputs)."""
    micro = next(r for r in RUNTIMES if r.package == "tflite-micro")
    return micro.run(content, graph, codes).reshape(len(codes), -1)


def on_host(program: CProgram, codes: np.ndarray, wanted: np.ndarray) -> dict[str, int]:
    with HostModel(program.files) as model:
        found = model.run(codes.reshape(len(codes), -1).view(np.int8))
    return {"mismatches": int((found != wanted).sum()), "inputs": len(codes)}


def on_core(graph: Graph, name: str, codes: np.ndarray, wanted: np.ndarray) -> dict[str, Any]:
    """Instructions, bytes and mismatches on one core; input and output live in the arena, as they do in TFLM."""
    program = write(graph, isa=isa_of(name), reuse_io=True)
    built = build(program.files, core(name))
    board = board_of(name)
    flash = board.flash if board else None
    run = execute(built, codes.reshape(len(codes), -1).view(np.int8))
    return {
        "instructions": run.instructions, "flash": built.flash_bytes, "ram": built.ram_bytes + (run.stack_bytes or 0),
        "stack": run.stack_bytes, "mismatches": int((run.outputs != wanted).sum()), "inputs": len(codes),
        "cycles": cycles.estimate(name, run.mnemonics, run.taken_branches or 0, flash),
        "by_layer": dict(run.by_layer), "constants": sum(program.constant_bytes),
    }  # fmt: skip


def board_of(name: str) -> Device | None:
    """The board of the published rows with this core; the M0+ runs what the M0 does."""
    wanted = {name, f"{name}plus"}
    return next((DEVICES[d] for d in BOARDS.values() if DEVICES[d].core in wanted), None)


def prove(
    name: str, path: Path, cores: Sequence[str], inputs: tuple[int, int], console: Console
) -> dict[str, Any]:
    """One model on the host and on every core that can run here: core → figures."""
    content = path.read_bytes()
    start = time.perf_counter()
    graph = fold_constant_channels(read_model(path))
    host_codes, core_codes = random_codes(graph, inputs[0]), random_codes(graph, inputs[1], seed=1)
    found: dict[str, Any] = {}
    found["host"] = on_host(write(graph), host_codes, oracle(content, graph, host_codes))
    console.print(f"{name}: host, {found['host']}, {time.perf_counter() - start:.0f} s")
    wanted = oracle(content, graph, core_codes)
    for short in cores:
        reason = can_run(core_named(short))
        if reason:
            console.print(f"{name}: {short} not run ({reason})")
            continue
        row = on_core(graph, core_named(short), core_codes, wanted)
        found[short] = row
        console.print(
            f"{name}: {short}, {row['instructions']:,} instructions, flash {row['flash']:,}, RAM {row['ram']:,}, "
            f"{row['mismatches']} integers differ over {row['inputs']} inputs"
        )
    return found


def instruction_table(found: dict[str, Any], peers: dict[str, Any]) -> Table:
    """Ours, the peer's, the ratio, and what was wanted."""
    table = Table(
        "core", "model", "instructions", "wanted, at most", "peer", "peer / ours", "flash", "RAM", "differ"
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for short in (c for c in CORES if c in found):
        for model, row in found[short].items():
            peer = peers.get("instructions", {}).get(short, {}).get(model)
            limit = WANTED.get(short, {}).get(model)
            ours = row["instructions"]
            wanted = f"{limit:g} M" if limit else ""
            theirs, ratio = (f"{peer / 1e6:.3f} M", f"{peer / ours:.2f}") if peer else ("", "")
            sizes = f"{row['flash']:,}", f"{row['ram']:,}"
            table.add_row(
                short, model, f"{ours / 1e6:.3f} M", wanted, theirs, ratio, *sizes, str(row["mismatches"])
            )
    return table


def estimates(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Estimated milliseconds on the boards whose measured times are published: board → model → ms."""
    rows: dict[str, dict[str, float]] = {}
    for board, name in BOARDS.items():
        device = DEVICES[name]
        counted = found.get(device.core.removeprefix("cortex-").removesuffix("plus"), {})
        rows[board] = {m: device.latency_ms(r["cycles"]) for m, r in counted.items() if r["cycles"]}
    return {board: row for board, row in rows.items() if row}


def latency_table(estimated: dict[str, dict[str, float]], peers: dict[str, Any]) -> Table:
    """Published measurements beside our estimates for the same boards: other engines, so not the same code."""
    table = Table("row", *FILES)
    for board, row in estimated.items():
        table.add_row(
            f"{board}: pintsize, estimated", *(f"{row[m]:.3g} ms" if m in row else "" for m in FILES)
        )
        for title, published in peers.get("mlperf_tiny_best_ms", {}).items():
            if title.startswith(board):
                table.add_row(f"{title} (published)", *(f"{published[m]:g} ms" for m in FILES))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, required=True, help="folder of the four .tflite files")
    parser.add_argument("--peers", type=Path, help="JSON with the peers' figures")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--cores", nargs="+", choices=CORES, default=list(CORES))
    parser.add_argument("--only", nargs="+", choices=tuple(FILES), default=list(FILES))
    parser.add_argument(
        "--inputs", type=int, nargs=2, default=(HOST_INPUTS, CORE_INPUTS), metavar=("HOST", "CORE")
    )
    options = parser.parse_args()
    console = Console(width=140)
    peers = json.loads(options.peers.read_text()) if options.peers else {}
    counts = (options.inputs[0], options.inputs[1])
    by_model = {m: prove(m, options.models / FILES[m], options.cores, counts, console) for m in options.only}
    found: dict[str, Any] = {}
    for model, rows in by_model.items():
        for place, row in rows.items():
            found.setdefault(place, {})[model] = row
    estimated = estimates(found)
    console.print(instruction_table(found, peers), latency_table(estimated, peers))
    if options.json:
        options.json.write_text(json.dumps({**found, "estimated": estimated}, indent=1) + "\n")
    if any(row["mismatches"] for rows in found.values() for row in rows.values()):
        raise SystemExit("integers differ")


if __name__ == "__main__":
    main()
