"""What front-ends cost on a Cortex-M4, how near they are to float64, and whether all programs give the same integers.

    python -m benchmarks.frontend --samples speech.npy --minutes 10 --json figures.json

`--samples` holds int16 samples at 16 kHz; without it noise stands in. Figures: under "cost", per front-end the
`instructions` and estimated `cycles` of one frame (or, of filters, of the samples named), the program's `flash` with
`tables`, `scratch` and `stack` in bytes; under "decibels_off" the largest and mean error of log-mel against float64;
under "differing" how many of `numbers` differ from Python's in C on this computer and on the emulated core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from pintsize import cycles, frontend
from pintsize.emulate import HostModel, build, core, execute
from pintsize.graph import Graph
from pintsize.integers import run_integers
from pintsize.ops import LogMel
from pintsize.write.c import write

CORE = "cortex-m4"
RATE_HZ = 16_000
DECIBELS_PER_OCTAVE = 3.0103


def front_ends() -> dict[str, Graph]:
    """One frame of each log-mel; a second of what filters hearts."""
    return {
        "8 kHz, 200 of 256, 32 bands": frontend.log_mel(8_000, 0.025, mels=32),
        "16 kHz, 400 of 512, 40 bands": frontend.log_mel(RATE_HZ, 0.025),
        "16 kHz, 640 of 1024, 64 bands": frontend.log_mel(RATE_HZ, 0.040, 0.040, 0.020, 64),
        "band-pass, 180 samples": frontend.band_pass(180, (180,), 0.5, 40.0),
        "360 to 180 Hz, 180 samples": frontend.resample(360, 180, (422,)),
        "z-score, 180 samples": frontend.z_score((180,)),
    }


def cost(graph: Graph) -> dict[str, Any]:
    """Counted on the emulated core, with noise; int16 out."""
    program = write(graph, isa="dsp")
    built = build(program.files, core(CORE))
    shape = graph.type(graph.inputs[0]).shape
    noise = np.random.default_rng(0).normal(0, 3000, (1, *shape)).astype(np.int16)
    run = execute(built, noise.reshape(1, -1).view(np.int8))
    assert run.mnemonics is not None
    assert run.taken_branches is not None
    return {
        "instructions": run.instructions,
        "cycles": round(cycles.estimate(CORE, run.mnemonics, run.taken_branches)),
        "flash": built.flash_bytes,
        "tables": sum(program.constant_bytes),
        "scratch": program.plan.arena_bytes,
        "stack": run.stack_bytes,
    }


def decibels_off(samples: np.ndarray) -> dict[str, float]:
    """Of the integers of a minute, against the op's meaning in float64."""
    minute = samples[: 60 * RATE_HZ]
    front = frontend.log_mel(RATE_HZ, len(minute) / RATE_HZ)
    op = front.nodes[0].op
    assert isinstance(op, LogMel)
    real = op.float_meaning([torch.from_numpy(minute[None] / 2.0**15)]).numpy()
    off = np.abs(frontend.features(front, minute[None]) - real) * DECIBELS_PER_OCTAVE
    return {"largest": float(off.max()), "mean": float(off.mean())}


def differing(samples: np.ndarray) -> dict[str, int]:
    """Numbers of all frames that are not Python's."""
    front = frontend.log_mel(RATE_HZ, 0.025)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160]
    rows = np.ascontiguousarray(frames).view(np.int8)
    wanted = run_integers(front, frames)
    program = write(front, isa="dsp")
    with HostModel(program.files) as model:
        host = model.run(rows).view(np.int16).reshape(wanted.shape)
    on_core = execute(build(program.files, core(CORE)), rows, count=False).outputs
    return {
        "numbers": wanted.size,
        "host": int((host != wanted).sum()),
        CORE: int((on_core.view(np.int16).reshape(wanted.shape) != wanted).sum()),
    }


def shown(costs: dict[str, dict[str, Any]]) -> Table:
    table = Table(title=f"counted on an emulated {CORE}; cycles estimated")
    names = list(next(iter(costs.values())))
    for name in ("front-end", *names):
        table.add_column(name)
    for name, row in costs.items():
        table.add_row(name, *(f"{row[n]:,}" for n in names))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    count = int(options.minutes * 60 * RATE_HZ)
    samples = np.random.default_rng(0).normal(0, 1000, count).astype(np.int16)
    if options.samples:
        samples = np.load(options.samples).astype(np.int16)[:count]
    figures = {
        "cost": {name: cost(graph) for name, graph in front_ends().items()},
        "decibels_off": decibels_off(samples),
        "differing": differing(samples),
    }
    console = Console()
    console.print(shown(figures["cost"]))
    console.print_json(json.dumps({n: figures[n] for n in ("decibels_off", "differing")}))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
