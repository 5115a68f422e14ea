"""What a training step costs in float, with plain fake-quantization, and in the device's integers.

    python -m benchmarks.training_cost --json figures.json

Milliseconds per step (forward and backward, batch 64, one thread, median over `--steps`), measured in turn in one
run, so that the ratios hold on a busy machine. Fake-quantization is the usual: weights per channel, activations per
tensor, by torch's own fake_quantize ops; no bias rounding, no double rounding, so not the chip's integers.
Figures, under {model: …}: `float_ms`, `fake_ms`, `integer_ms`, `integer_over_fake`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.models import ds_cnn, resnet8
from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph
from pintsize.module import GraphModule
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read

MODELS = {"ds_cnn": (ds_cnn.make, (1, 49, 10)), "resnet8": (resnet8.make, (3, 32, 32))}
BATCH = 64


class FakeQuantized(GraphModule):
    """The float module of the same Graph with fake_quantize on every weight and activation."""

    def __init__(self, annotated: Graph) -> None:
        super().__init__(annotated)
        self.integer = False

    def _forward_float(self, x: torch.Tensor) -> torch.Tensor:
        graph = self.source
        values = {graph.inputs[0]: x}
        for node in graph.nodes:
            inputs = [values[i] if i in values else self._fake(i) for i in node.inputs]
            y = node.op.float_meaning(inputs)
            kind = graph.type(node.output)
            scale, zero = self.scale(node.output).reshape(1), torch.full((1,), float(kind.zero_point))
            values[node.output] = torch._fake_quantize_learnable_per_tensor_affine(
                y, scale, zero, -128, 127, 1.0
            )
        return values[graph.outputs[0]]

    def _fake(self, name: str) -> torch.Tensor:
        kind, value = self.source.type(name), self.values[self._keys[name]]
        if kind.dtype == "int32":
            return value
        scale = self.scale(name)
        zero = torch.zeros_like(scale)
        return torch._fake_quantize_learnable_per_channel_affine(
            value, scale, zero, kind.axis or 0, -127, 127, 1.0
        )


def step_of(module: GraphModule, x: torch.Tensor) -> Callable[[], None]:
    def step() -> None:
        module.zero_grad()
        module(x).square().mean().backward()

    return step


def compare(name: str, steps: int) -> dict[str, float]:
    make, shape = MODELS[name]
    torch.manual_seed(0)
    reading = read(make(), sample_shape=shape)
    x = reading.arrange(torch.randn(BATCH, *shape).numpy())
    folded = fold(reading.graph)
    annotated = Quantize(8).annotate(folded, x)
    work = {
        "float_ms": step_of(GraphModule(folded), torch.from_numpy(x)),
        "fake_ms": step_of(FakeQuantized(annotated), torch.from_numpy(x)),
        "integer_ms": step_of(GraphModule(annotated), torch.from_numpy(x)),
    }
    times: dict[str, list[float]] = {key: [] for key in work}
    for _ in range(steps + 2):
        for key, step in work.items():
            started = time.perf_counter()
            step()
            times[key].append((time.perf_counter() - started) * 1e3)
    found = {key: statistics.median(taken[2:]) for key, taken in times.items()}
    return {**found, "integer_over_fake": found["integer_ms"] / found["fake_ms"]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {name: compare(name, options.steps) for name in MODELS}
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
