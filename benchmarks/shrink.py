"""Five tasks, three seeds each: the smallest network within half a point and one point of the teacher, beside peers.

    python -m benchmarks.shrink --data FOLDER --work work/ --json figures.json
    python -m benchmarks.shrink --data FOLDER --work work/ --tasks speech ecg --seeds 0 --without-peers

Every finished part lies in the work folder, and the same call goes on there after an interruption. Peers get, for
every point, as many epochs as half of the teacher's own (`--peer-share`); pintsize's whole search is meant to cost
at most twice the teacher's training, and the figures say what it did cost.

Choices are made on the validation split, accuracies are of the first test set. Bytes are all constants of the
program in flash: weights, biases, factors, tables. Figures written by `--json FILE`, under each task's name:

    teacher_accuracy        mean over the seeds, on test
    float_bytes             the teacher's parameters as float32
    times_smaller_at_0.5, times_smaller_at_1.0     float_bytes over the mean of the chosen bytes; null without one
    drop_at_0.5, drop_at_1.0                       mean drop on test of the chosen, in points
    chosen_at_0.5, chosen_at_1.0                   {weight_bytes, ram_bytes, instructions}, means
    search_over_teacher     seconds of the search over those of the teacher's training, mean
    front                   [{seed, name, weight_bytes, ram_bytes, instructions, validation, test}]
    peers                   {peer: the same list}
    above_front             points of peers smaller and better than ours by more than the seeds' spread
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

import pintsize
from benchmarks.peers.contest import DEVICE, Contest
from benchmarks.shrinking import splits_of_task
from benchmarks.tasks.task import Task, data_root
from benchmarks.tasks.teacher import accuracy, train_teacher
from pintsize.errors import UserError
from pintsize.folder import write_file
from pintsize.terminal import LiveWatcher
from pintsize.together import one_thread_each

TASKS = ("speech", "scenes", "ecg", "activity", "intents")
#: name → module and function of benchmarks/peers
PEERS = {
    "ONNX Runtime static int8": "onnx_runtime:points",
    "torchao PT2E QAT": "torchao_qat:points",
    "torch-pruning + int8": "torch_pruned:points",
    "narrow from scratch": "narrow:from_labels",
    "narrow distilled": "narrow:from_teacher",
}
DROPS = (0.5, 1.0)

Points = list[dict[str, Any]]


def main() -> None:
    options = _options()
    console = Console()
    try:
        root = data_root(options.data)
        found = {name: run(name, root, options, console) for name in options.tasks}
    except UserError as error:
        console.print(f"[red]error:[/] {error}")
        raise SystemExit(2) from None
    for name, figures in found.items():
        console.print(_table(name, figures))
    if options.json:
        write_file(options.json, (json.dumps(found, indent=1) + "\n").encode())


def _options() -> Any:
    parser = argparse.ArgumentParser(
        description="Shrinks five tasks' teachers and compares with peers, on held-back data."
    )
    parser.add_argument("--data", type=Path, help="folder of data sets (default: PINTSIZE_DATA)")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is finished")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    parser.add_argument("--effort", choices=("low", "medium", "high"), default="medium")
    parser.add_argument("--peer-share", type=float, default=0.5, help="of the teacher's epochs, per point")
    parser.add_argument("--without-peers", action="store_true")
    return parser.parse_args()


def run(name: str, root: Path, options: Any, console: Console) -> dict[str, Any]:
    """One task, all seeds."""
    task: Task = import_module(f"benchmarks.tasks.{name}").load(root)
    peers = {} if options.without_peers else PEERS
    rows = [_seed(task, seed, peers, options, console) for seed in options.seeds]
    return summary(rows)


def _seed(task: Task, seed: int, peers: dict[str, str], options: Any, console: Console) -> dict[str, Any]:
    folder = options.work / f"{task.name}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    with one_thread_each():
        teacher, facts = _teacher(task, seed, folder, console)
        ours = _kept(folder / "ours.json", lambda: _ours(task, teacher, seed, folder, options, console))
        epochs = max(1, round(task.schedule.epochs * options.peer_share))
        contest = Contest(task, teacher, epochs, seed)
        others: dict[str, Points] = {}
        for peer, home in peers.items():
            console.print(f"{task.name}, seed {seed}: {peer}")
            others[peer] = _kept(folder / f"{home.replace(':', '-')}.json", lambda h=home: _peer(h, contest))
    return {"seed": seed, **facts, **ours, "peers": others}


def _kept(path: Path, make: Callable[[], Any]) -> Any:
    """What the file holds; made and written first where there is none."""
    if not path.exists():
        write_file(path, (json.dumps(make(), indent=1) + "\n").encode())
    return json.loads(path.read_text())


def _teacher(task: Task, seed: int, folder: Path, console: Console) -> tuple[nn.Module, dict[str, Any]]:
    weights = folder / "teacher.pt"

    def train() -> dict[str, Any]:
        started = time.perf_counter()
        model = train_teacher(task, seed, console.print)
        seconds = time.perf_counter() - started
        torch.save(model.state_dict(), weights)
        return {
            "teacher_seconds": seconds,
            "teacher_validation": accuracy(model, task.x_val, task.y_val),
            "teacher_accuracy": accuracy(model, *next(iter(task.tests.values()))),
            "float_bytes": 4 * sum(p.numel() for p in model.parameters()),
        }

    facts = _kept(folder / "teacher.json", train)
    model = task.make_teacher()
    model.load_state_dict(torch.load(weights))
    return model.eval(), facts


def _ours(
    task: Task, teacher: nn.Module, seed: int, folder: Path, options: Any, console: Console
) -> dict[str, Any]:
    started = time.perf_counter()
    with LiveWatcher(console) as watcher:
        report = pintsize.shrink(
            teacher, splits_of_task(task), device=DEVICE, budget=pintsize.Budget(), front=True,
            out=folder / "out", effort=options.effort, seed=seed, watcher=watcher,
        )  # fmt: skip
    return {"search_seconds": time.perf_counter() - started, "front": points_of(report.data)}


def points_of(report: Mapping[str, Any]) -> Points:
    """The models of a trade-off, from what `report.json` holds."""
    names = ("name", "weight_bytes", "ram_bytes", "instructions", "mismatches")
    return [{**{n: row[n] for n in names}, **row["accuracy"]} for row in report["front"]]


def _peer(home: str, contest: Contest) -> Points:
    module, _, function = home.partition(":")
    return [p.as_dict() for p in getattr(import_module(f"benchmarks.peers.{module}"), function)(contest)]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One task's figures from those of its seeds."""
    found: dict[str, Any] = {
        "teacher_accuracy": _mean([r["teacher_accuracy"] for r in rows]),
        "float_bytes": rows[0]["float_bytes"],
        "search_over_teacher": _mean([r["search_seconds"] / r["teacher_seconds"] for r in rows]),
    }
    for drop in DROPS:
        chosen = [smallest_within(r["front"], r["teacher_validation"] - drop / 100) for r in rows]
        found |= _at(drop, rows, chosen)
    found["front"] = [{"seed": r["seed"], **p} for r in rows for p in r["front"]]
    names = rows[0]["peers"]
    found["peers"] = {n: [{"seed": r["seed"], **p} for r in rows for p in r["peers"][n]] for n in names}
    found["above_front"] = above_front(rows)
    return found


def smallest_within(points: Points, least: float) -> dict[str, Any] | None:
    """The point of the fewest bytes that has that accuracy on validation."""
    good = [p for p in points if p["validation"] >= least - 1e-9]
    return min(good, key=lambda p: p["weight_bytes"], default=None)


def _at(
    drop: float, rows: Sequence[dict[str, Any]], chosen: Sequence[dict[str, Any] | None]
) -> dict[str, Any]:
    picked = [p for p in chosen if p is not None]
    if len(picked) < len(rows):
        return {f"times_smaller_at_{drop}": None, f"drop_at_{drop}": None, f"chosen_at_{drop}": None}
    means = {k: _mean([p[k] for p in picked]) for k in ("weight_bytes", "ram_bytes", "instructions")}
    lost = [100 * (r["teacher_accuracy"] - p["test"]) for r, p in zip(rows, picked, strict=True)]
    return {
        f"times_smaller_at_{drop}": rows[0]["float_bytes"] / means["weight_bytes"],
        f"drop_at_{drop}": _mean(lost),
        f"chosen_at_{drop}": means,
    }


def above_front(rows: Sequence[dict[str, Any]]) -> Points:
    """Points of peers, averaged over the seeds, that no point of ours of that size reaches within the seeds' spread."""
    above: Points = []
    for peer, first in rows[0]["peers"].items():
        for index, point in enumerate(first):
            theirs = [r["peers"][peer][index] for r in rows]
            test = np.array([p["test"] for p in theirs])
            ours = [_best_below(r["front"], p["weight_bytes"]) for r, p in zip(rows, theirs, strict=True)]
            spread = max(float(np.std(test)), float(np.std(ours)))
            if test.mean() > float(np.mean(ours)) + spread:
                above.append({"peer": peer, "name": point["name"], "test": float(test.mean()),
                              "ours": float(np.mean(ours)), "spread": spread})  # fmt: skip
    return above


def _best_below(front: Points, weight_bytes: int) -> float:
    """Test accuracy of our best network on validation of at most so many bytes; 0 without one."""
    small = [p for p in front if p["weight_bytes"] <= weight_bytes]
    return max(small, key=lambda p: p["validation"])["test"] if small else 0.0


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _table(name: str, figures: dict[str, Any]) -> Table:
    table = Table(
        title=f"{name}: float teacher {figures['teacher_accuracy']:.2%}, {figures['float_bytes']:,} B"
    )
    for column in ("", "bytes", "times smaller", "RAM", "instructions M4", "test"):
        table.add_column(column, justify="left" if not column else "right")
    for drop in DROPS:
        chosen = figures[f"chosen_at_{drop}"]
        if chosen is not None:
            test = figures["teacher_accuracy"] - figures[f"drop_at_{drop}"] / 100
            table.add_row(f"pintsize, -{drop}", *_cells(chosen, figures["float_bytes"], test))
    for peer, points in figures["peers"].items():
        for point in points:
            label = f"{peer}: {point['name']} (seed {point['seed']})"
            table.add_row(label, *_cells(point, figures["float_bytes"], point["test"]))
    return table


def _cells(point: dict[str, Any], float_bytes: int, test: float) -> list[str]:
    count = point["instructions"]
    return [f"{point['weight_bytes']:,.0f}", f"{float_bytes / point['weight_bytes']:.1f}", f"{point['ram_bytes']:,.0f}",
            "" if count is None else f"{count / 1e6:.2f} M", f"{test:.2%}"]  # fmt: skip


if __name__ == "__main__":
    main()
