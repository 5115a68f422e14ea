"""Quantization without training: what each step of it is worth, beside ONNX Runtime's static quantization.

    python -m benchmarks.post_training speech --data FOLDER [--weights teacher.pt] [--samples 256] [--json FILE]

Tasks: speech (DS-CNN), scenes (ResNet-8), mobile (a small MobileNetV2 with ReLU6 on scenes). Accuracy and agreement
with the float network are measured on the task's test data, in the integers that ship; bytes are counted: weights,
biases, factors as they are written (ONNX Runtime's: read by pintsize and written alike); seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from benchmarks.models import mobilenet_v2
from benchmarks.peers.onnx_runtime import Samples
from benchmarks.tasks import scenes, speech
from benchmarks.tasks.task import Task, data_root
from benchmarks.tasks.teacher import train_teacher
from pintsize.compress.post_training import PostTraining
from pintsize.compress.quantize import Bits, Quantize, freeze
from pintsize.compress.sensitivity import bit_prices, narrowing_steps
from pintsize.graph import Graph
from pintsize.passes.simplify import fold
from pintsize.read.model_file import read_model
from pintsize.read.torch_export import read
from pintsize.verify import float_outputs, integer_outputs
from pintsize.write.c import write

MIXED_SHARE = 0.6


@dataclass(frozen=True)
class Row:
    """agreement: with the float network's answers; kl: KL(float ‖ integers) in nats."""

    method: str
    accuracy: float
    agreement: float
    kl: float
    constant_bytes: int
    seconds: float


@dataclass(frozen=True)
class Case:
    """A trained network, samples to quantize it with, and test data; x channels last."""

    model: nn.Module
    graph: Graph
    samples: np.ndarray
    raw_samples: np.ndarray
    x: np.ndarray
    raw_x: np.ndarray
    y: np.ndarray

    def row(self, method: str, outputs: np.ndarray, constant_bytes: int, seconds: float) -> Row:
        exact = float_outputs(self.graph, self.x)
        found, wanted = (F.log_softmax(torch.from_numpy(o), 1) for o in (outputs, exact))
        kl = F.kl_div(found, wanted, log_target=True, reduction="batchmean").item()
        answers = outputs.argmax(1)
        agreement = float((answers == exact.argmax(1)).mean())
        return Row(method, float((answers == self.y).mean()), agreement, kl, constant_bytes, seconds)

    def measured(self, method: str, make: Callable[[], Graph]) -> Row:
        started = time.process_time()
        graph = make()
        seconds = time.process_time() - started
        return self.row(method, integer_outputs(graph, self.x), sum(write(graph).constant_bytes), seconds)


def tasks(root: Path) -> Mapping[str, Callable[[], Task]]:
    def mobile() -> Task:
        task = scenes.load(root)
        return replace(task, name="mobile", make_teacher=lambda: mobilenet_v2.make(len(task.labels)))

    return {"speech": lambda: speech.load(root), "scenes": lambda: scenes.load(root), "mobile": mobile}


def case_of(task: Task, weights: Path | None, count: int) -> Case:
    if weights is None:
        model = train_teacher(task)
    else:
        model = task.make_teacher()
        model.load_state_dict(torch.load(weights, weights_only=True))
    reading = read(model.eval(), sample_shape=task.x_train.shape[1:])
    originals = len(task.x_train) // 7 if task.name == "speech" else len(task.x_train)  # varied copies follow
    raw = task.x_train[np.random.default_rng(0).permutation(originals)[:count]]
    raw_x, y = next(iter(task.tests.values()))
    return Case(model, fold(reading.graph), reading.arrange(raw), raw, reading.arrange(raw_x), raw_x, y)


def our_rows(case: Case) -> list[Row]:
    graph, samples = case.graph, case.samples
    rows = [case.row("float32", float_outputs(graph, case.x), 4 * sum(graph.type(c).elements for n in graph.nodes
            for c in graph.constants(n)), 0.0)]  # fmt: skip
    widths: tuple[Bits, ...] = (8, 4)
    for bits in widths:
        nearest = PostTraining(bits, equalize_layers=False, adapt_rounding=False, correct_biases=False)
        analytic = Quantize(bits)
        rows += [
            case.measured(f"{bits} bits, to the nearest", lambda how=nearest: how(graph, samples)),
            case.measured(f"{bits} bits, + equalized by weights, analytic bias",
                          lambda how=analytic: freeze(how.annotate(graph, samples))),
        ]  # fmt: skip
        for method, how in (
            ("equalized", replace(nearest, equalize_layers=True)),
            ("biases corrected", replace(nearest, correct_biases=True)),
            ("rounding adapted", replace(nearest, adapt_rounding=True)),
            (
                "rounding adapted, biases corrected",
                replace(nearest, adapt_rounding=True, correct_biases=True),
            ),
            ("all three", PostTraining(bits)),
        ):
            rows.append(case.measured(f"{bits} bits, {method}", lambda how=how: how(graph, samples)))
    rows.append(case.measured("2 bits, all three", lambda: PostTraining(2)(graph, samples)))
    rows.append(mixed(case))
    return rows


def mixed(case: Case) -> Row:
    """Widths by sensitivity, at a share of the bytes of 8 bits."""

    def make() -> Graph:
        sizes: dict[tuple[str, Bits], float] = {}
        widths: tuple[Bits, ...] = (8, 4, 2)
        for bits in widths:
            written = Quantize(bits)(case.graph, case.samples[:8])
            counted = zip(written.nodes, write(written).constant_bytes, strict=True)
            sizes |= {(n.name, bits): float(b) for n, b in counted}
        steps = narrowing_steps(bit_prices(case.graph, case.samples, "classes"), sizes)
        most = MIXED_SHARE * sum(sizes[n, 8] for n in steps[0])
        chosen = next(s for s in steps if sum(sizes[n, b] for n, b in s.items()) <= most)
        return PostTraining(8, chosen)(case.graph, case.samples)

    return case.measured(f"mixed widths at {MIXED_SHARE:.0%} of 8 bits, all three", make)


def peer_row(case: Case) -> Row:
    with tempfile.TemporaryDirectory() as name:
        plain, prepared, done = (Path(name) / f"{n}.onnx" for n in ("plain", "prepared", "quantized"))
        torch.onnx.export(case.model, (torch.from_numpy(case.raw_x[:1]),), plain, input_names=["x"],
                          output_names=["y"], dynamo=True, verbose=False, external_data=False)  # fmt: skip
        started = time.process_time()
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantize_static(str(prepared), str(done), Samples(case.raw_samples), quant_format=QuantFormat.QDQ,
                        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)  # fmt: skip
        seconds = time.process_time() - started
        session = onnxruntime.InferenceSession(done.read_bytes(), providers=["CPUExecutionProvider"])
        outputs = np.concatenate([session.run(["y"], {"x": x[None]})[0] for x in case.raw_x])
        size = sum(write(read_model(done)).constant_bytes)
    return case.row("ONNX Runtime, static int8", outputs, size, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("task", choices=("speech", "scenes", "mobile"))
    parser.add_argument("--data", type=Path, help="folder of data sets")
    parser.add_argument("--weights", type=Path, help="state dict of the network; else it is trained")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    case = case_of(tasks(data_root(given.data))[given.task](), given.weights, given.samples)
    rows = [*our_rows(case), peer_row(case)]
    for r in rows:
        shares = f"{r.accuracy:.2%} | {r.agreement:.2%}"
        print(f"| {r.method} | {shares} | {r.kl:.4f} | {r.constant_bytes:,} | {r.seconds:.1f} |", flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(r) for r in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
