"""Zero differing integers: MLPerf Tiny's four shapes with random weights, torch against C on the host and every core.

    python -m benchmarks.exact --json figures.json

Figures, under {model: {core: …}}: `mismatches`, `inputs`, and where counted `instructions`, `flash_bytes`,
`arena_bytes`, `stack_bytes`; under {model: {"plan": …}}: `planned_arena_bytes`, `weight_bytes`. `--inputs` sets
the vectors per core.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import nn

from benchmarks.models import autoencoder, ds_cnn, mobilenet_v1, resnet8
from pintsize.compress.quantize import Quantize
from pintsize.errors import VerificationError
from pintsize.module import run_integers
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read
from pintsize.verify import CORES, Skipped, verify
from pintsize.write.c import write

MODELS = {
    "kws": (ds_cnn.make, (1, 49, 10)),
    "vww": (mobilenet_v1.make, (3, 96, 96)),
    "ic": (resnet8.make, (3, 32, 32)),
    "ad": (autoencoder.make, (640,)),
}
HOST_INPUTS = 1000
CALIBRATION = 32


def with_random_statistics(model: nn.Module) -> nn.Module:
    """Batch norms as after some training, so that folding them means something."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval()


def prove(name: str, inputs: int, seed: int, console: Console) -> dict[str, Any]:
    """One model on the host and every core that can run here."""
    make, shape = MODELS[name]
    torch.manual_seed(seed)
    reading = read(with_random_statistics(make()), sample_shape=shape)
    samples = reading.arrange(torch.randn(CALIBRATION, *shape).numpy())
    graph = Quantize(8)(fold(reading.graph), samples)
    program = write(graph)
    found: dict[str, Any] = {
        "plan": {"planned_arena_bytes": program.plan.arena_bytes, "weight_bytes": sum(program.constant_bytes)}
    }
    rng = np.random.default_rng(seed)
    for core in CORES:
        count = HOST_INPUTS if core == "host" else inputs
        codes = rng.integers(-128, 128, (count, *graph.type(graph.inputs[0]).shape)).astype(np.int8)
        (checks, skipped) = verify(program.files, codes, run_integers(graph, codes), (core,))
        found |= {c.core: {k: v for k, v in asdict(c).items() if k != "core"} for c in checks}
        console.print(name, *(f"{c.core}: {c.inputs} inputs, {c.mismatches} differ, {c.instructions}" for c in checks),
                      *(f"{s.core}: not run ({s.reason})" for s in skipped if isinstance(s, Skipped)))  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--inputs", type=int, default=32, help="vectors per emulated core")
    parser.add_argument("--models", nargs="+", choices=tuple(MODELS), default=list(MODELS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    console = Console()
    try:
        found = {name: prove(name, options.inputs, options.seed, console) for name in options.models}
    except VerificationError as error:
        console.print(f"[red]failed:[/] {error}")
        raise SystemExit(1) from None
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
