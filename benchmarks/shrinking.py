"""A task through the whole of pintsize: train the float teacher, shrink it, report on the held-back data.

Figures written by `--json FILE`, under the task's name:

    teacher_accuracy, accuracy          float teacher, and integers on the chip, on the first test set of the task
    tests                               the same for every test set: {name: {teacher_accuracy, accuracy, samples}}
    weight_bytes, flash_bytes, ram_bytes, instructions     of the chosen model on the device
    predicted_flash_bytes               what the search measured before training
    arena_bytes, planned_arena_bytes    in the linked program, and as planned
    float_bytes                         the teacher's parameters as float32
    mismatches, inputs                  differing integers and vectors, over all cores
    shrink_seconds, teacher_seconds     wall clock
    cores                               {core: {instructions, flash_bytes, stack_bytes, mismatches, inputs}}
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

import pintsize
from benchmarks.tasks.task import Task, data_root
from benchmarks.tasks.teacher import predict, train_teacher
from pintsize.data import Dataset, Splits
from pintsize.errors import UserError
from pintsize.terminal import LiveWatcher
from pintsize.together import one_thread_each
from pintsize.verify import integer_outputs


def main(name: str, load: Callable[[Path], Task], budget: pintsize.Budget, device: str = "stm32l4r5") -> None:
    """Runs one task from the command line; exit code 2 where the data is missing."""
    parser = argparse.ArgumentParser(description=f"Shrinks the {name} teacher and reports on held-back data.")
    parser.add_argument(
        "--data", type=Path, help="folder of data sets (default: environment variable PINTSIZE_DATA)"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--out", type=Path, help="keep the results in this folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--effort", choices=("low", "medium", "high"), default="medium")
    options = parser.parse_args()
    console = Console()
    try:
        found = {name: run(load(data_root(options.data)), budget, device, options, console)}
    except UserError as error:
        console.print(f"[red]error:[/] {error}")
        raise SystemExit(2) from None
    console.print_json(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def run(task: Task, budget: pintsize.Budget, device: str, options: Any, console: Console) -> dict[str, Any]:
    """Teacher, shrink, figures."""
    started = time.perf_counter()
    with one_thread_each():
        teacher = train_teacher(task, options.seed, console.print)
    trained = time.perf_counter()
    first = next(iter(task.tests))
    with LiveWatcher(console) as watcher:
        report = pintsize.shrink(
            teacher, splits_of_task(task), device=device, budget=budget, out=options.out, effort=options.effort,
            seed=options.seed, watcher=watcher,
        )  # fmt: skip
    finished = time.perf_counter()
    arrange = pintsize.read_torch(teacher, sample_shape=task.x_val.shape[1:]).arrange
    tests = {}
    for name, (x, y) in task.tests.items():
        integers = integer_outputs(report.graph, arrange(x)).argmax(1)
        tests[name] = {
            "teacher_accuracy": float((predict(teacher, x) == y).mean()),
            "accuracy": float((integers == y).mean()),
            "samples": len(y),
        }
    chosen = next(c for c in report.data["candidates"] if c["status"] == "chosen")
    return {
        "teacher_accuracy": tests[first]["teacher_accuracy"],
        "accuracy": tests[first]["accuracy"],
        "tests": tests,
        "chosen": chosen["name"],
        **{n: report.figure(n) for n in ("weight_bytes", "flash_bytes", "ram_bytes", "instructions", "arena_bytes")},
        "planned_arena_bytes": report.data["memory"]["arena_bytes"],
        "predicted_flash_bytes": chosen["flash_bytes"],
        "float_bytes": 4 * sum(p.numel() for p in teacher.parameters()),
        "mismatches": report.mismatches,
        "inputs": sum(c["inputs"] for c in report.data["verification"]),
        "teacher_seconds": trained - started,
        "shrink_seconds": finished - trained,
        "cores": {c["core"]: {k: c[k] for k in ("instructions", "flash_bytes", "stack_bytes", "mismatches", "inputs")}
                  for c in report.data["verification"]},
    }  # fmt: skip


def splits_of_task(task: Task) -> Splits:
    """The task's arrays for `pintsize.shrink`: varied copies of the training part, and the first test set."""
    copies = task.copies(task.x_train)
    return Splits(
        Dataset(np.concatenate(copies), np.tile(task.y_train, len(copies)), task.labels),
        Dataset(task.x_val, task.y_val, task.labels),
        Dataset(*next(iter(task.tests.values())), task.labels),
    )
