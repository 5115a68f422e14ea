"""The figures of docs/reference/methods.md: low-rank factors, palettes, sparsity and early exits on the benchmarks.

    python -m benchmarks.methods --data FOLDER --json figures.json
    python -m benchmarks.methods --data FOLDER --only factors palettes --steps 200

`--steps` optimizer steps of each training (0: factors without training; sparsity and early exits are left out).
`--speech` and `--intents` are teachers' saved state dicts; without one the teacher is trained first.
Figures, under {method: …}: what the dataclasses `factorization.Point`, `palettes.Narrowed`, `clustered.Learnt`,
`loops.Counted`, `sparsity.Network` and `early_exit.Exit` hold.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.methods import clustered, early_exit, factorization, loops, palettes, sounds, sparsity
from benchmarks.methods.distil import answered
from benchmarks.methods.factorization import Change, Steps, Subject
from benchmarks.tasks import intents, speech
from benchmarks.tasks.task import Task, data_root
from benchmarks.tasks.teacher import train_teacher
from pintsize.compress.factorize import Factorize
from pintsize.compress.prune import Prune
from pintsize.errors import UserError
from pintsize.graph import Graph
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import Reading, read

METHODS = ("factors", "palettes", "loops", "sparsity", "exits")


def teacher(task: Task, saved: Path | None) -> nn.Module:
    if saved is None:
        return train_teacher(task)
    model = task.make_teacher()
    model.load_state_dict(torch.load(saved, weights_only=True))
    return model.eval()


def reading(task: Task, saved: Path | None) -> Reading:
    return read(teacher(task, saved), sample_shape=task.x_val.shape[1:])


def of_sounds(root: Path) -> Subject:
    train, test = sounds.load(root)
    graph = simplify(read(sounds.train(train), sample_shape=train.shape[1:]).graph)
    return Subject(
        "sounds", graph, train, train, test, "values", partial(_squared_error, test), "squared error"
    )


def of_task(task: Task, saved: Path | None) -> Subject:
    found = reading(task, saved)
    x, y = next(iter(task.tests.values()))
    return Subject(
        task.name, simplify(found.graph), found.arrange(task.x_train), task.y_train, found.arrange(x), "classes",
        partial(_accuracy, y), "accuracy",
    )  # fmt: skip


def _squared_error(wanted: np.ndarray, outputs: np.ndarray) -> float:
    return float(((outputs - wanted) ** 2).mean())


def _accuracy(y: np.ndarray, outputs: np.ndarray) -> float:
    return float((outputs.argmax(1) == y).mean())


def factors(options: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    steps = Steps(options.steps, options.steps // 2)
    subject = of_sounds(root)
    changes = factorization.changes(subject, kept=(0.98, 0.995), widths=(0.75, 0.5))
    found = factorization.compare(subject, changes, steps)
    subject = of_task(speech.load(root), options.speech)
    found += factorization.compare(subject, factorization.changes(subject, (0.95, 0.98), (0.5,)), steps)
    subject = of_task(intents.load(root), options.intents)
    return found + factorization.compare(subject, of_tables(subject), steps)


def of_tables(subject: Subject) -> dict[str, Change]:
    """The transformer's table of words alone: it has most of the weights."""
    found: dict[str, Change] = {"whole": lambda graph: graph, "0.75 of the channels": Prune(0.75)}
    for rank in (32, 16):
        how = Factorize(layer_ranks={"table": rank}, least_saving=0.99)
        found[f"a table of {rank}"] = partial(_factored, how, subject.samples)
    return found


def _factored(how: Factorize, samples: np.ndarray, graph: Graph) -> Graph:
    return how(graph, samples)


def narrowed(options: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    spoken, rebuilt = of_task(speech.load(root), options.speech), of_sounds(root)
    found: list[palettes.Narrowed | clustered.Learnt] = []
    for subject in (spoken, rebuilt):
        found += palettes.compare(subject.name, fold(subject.graph), subject.x_test)
    if options.steps:
        whole = fold(rebuilt.graph)
        found += clustered.compare(rebuilt.name, whole, rebuilt.x_train, rebuilt.x_test, options.steps)
    return [asdict(row) for row in found]


def counted(options: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    return [asdict(row) for pixels in (3, 1) for row in loops.count(pixels)]


def blocks(options: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    task = speech.load(root)
    found = reading(task, options.speech)
    lesson = answered(task, simplify(found.graph), found.arrange)
    networks = [(0.5, 0.25), (26 / 64, 1.0), (20 / 64, 1.0)]
    return [asdict(row) for row in sparsity.compare(lesson, networks, options.seeds, options.steps)]


def exits(options: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    task = speech.load(root)
    found = reading(task, options.speech)
    lesson = answered(task, simplify(found.graph), found.arrange)
    return [asdict(row) for row in early_exit.compare(lesson, [1.0, 0.4, 0.3], options.steps)]


RUNS: dict[str, Callable[[argparse.Namespace, Path], list[dict[str, Any]]]] = {
    "factors": factors, "palettes": narrowed, "loops": counted, "sparsity": blocks, "exits": exits,
}  # fmt: skip
#: of no use without training
TRAINED = ("sparsity", "exits")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help="folder of data sets (default: environment variable PINTSIZE_DATA)"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--intents", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    wanted = [m for m in options.only if options.steps or m not in TRAINED]
    try:
        found = {name: RUNS[name](options, data_root(options.data)) for name in wanted}
    except UserError as error:
        print(f"error: {error}")
        raise SystemExit(2) from None
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
