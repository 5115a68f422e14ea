"""Thirty budgets over five tasks: is every feasible one met, every other one refused, and random search beaten?

    python -m benchmarks.budgets --data FOLDER --work work/ --json figures.json

Teachers are those that `benchmarks.shrink` left in the work folder; a missing one is trained. Limits lie between the
narrowest network of 4 bits and the whole one of 8, so that a budget is feasible by construction, or below anything
there is. What the solver would train is linked for the device and run on its emulated core: a budget is met when the
measured figures keep it. Random search looks at as many networks as the solver did, its widths and bits drawn evenly,
and keeps the one that fits and loses least by the same prices. With `--trained` both are trained for one budget of each
task (a quarter of a low effort), and their accuracies on the validation split compared.

Figures under each task: `budgets`: [{limits, feasible, met, refused, price, random_price, looked_at}], and with
`--trained` `accuracy` and `random_accuracy` (null where no random network fits).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.shrink import TASKS
from benchmarks.shrinking import splits_of_task
from benchmarks.tasks.task import Task, data_root
from benchmarks.tasks.teacher import train_teacher
from pintsize.budget import Budget
from pintsize.checkpoints import Checkpoints
from pintsize.compress.allocate import uniform, whole
from pintsize.compress.lesson import prepare
from pintsize.compress.outline import Allocation
from pintsize.compress.quantize import Bits
from pintsize.compress.recipe import EFFORTS, Recipe
from pintsize.compress.size import FIGURES, over_budget
from pintsize.devices import device
from pintsize.errors import BudgetNotMet, UserError
from pintsize.folder import write_file
from pintsize.progress import Watcher
from pintsize.shrinking import prepare_inputs, refuse_impossible
from pintsize.together import one_thread_each
from pintsize.workshop import Workshop

DEVICE = "stm32l4r5"
SAMPLES = 1024
#: limits as shares of the way from the narrowest network to the whole one
FEASIBLE = (
    {"flash_bytes": 0.3},
    {"ram_bytes": 0.5},
    {"latency_ms": 0.3},
    {"flash_bytes": 0.2, "latency_ms": 0.4},
    {"flash_bytes": 0.4, "ram_bytes": 0.6, "latency_ms": 0.2},
)
TRAINED = 3
#: of the flash of the narrowest network of 4 bits: less than any program with its tables takes
INFEASIBLE = 0.4
SHORT = 0.25
#: of the networks drawn, so many of the best are linked until one fits
LINKED = 10


@dataclass(frozen=True)
class Bench:
    """One task's workshop and the figures of its narrowest and its whole network."""

    workshop: Workshop
    narrowest: dict[str, float]
    full: dict[str, float]

    def budget(self, shares: dict[str, float]) -> Budget:
        low, high = self.narrowest, self.full
        limits = {n: low[n] + s * (high[n] - low[n]) for n, s in shares.items()}
        latency = limits.get("latency_ms")
        return Budget(limits.get("flash_bytes"), limits.get("ram_bytes"), latency and latency / 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description="Asks the budget solver for thirty budgets.")
    parser.add_argument("--data", type=Path, help="folder of data sets (default: PINTSIZE_DATA)")
    parser.add_argument("--work", type=Path, required=True, help="work folder of benchmarks.shrink")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--trained", action="store_true", help="train one budget of each task, and random's")
    options = parser.parse_args()
    console = Console()
    try:
        root = data_root(options.data)
        with one_thread_each():
            found = {
                n: _figures(bench(n, root, options.work, console), options.trained) for n in options.tasks
            }
    except UserError as error:
        console.print(f"[red]error:[/] {error}")
        raise SystemExit(2) from None
    console.print(_table(found))
    if options.json:
        write_file(options.json, (json.dumps(found, indent=1) + "\n").encode())


def bench(name: str, root: Path, work: Path, console: Console) -> Bench:
    """The task's teacher, read and priced for the device."""
    task: Task = import_module(f"benchmarks.tasks.{name}").load(root)
    ready = prepare_inputs(_teacher(task, work, console), splits_of_task(task), None, None, 0)
    part = ready.splits.train
    lesson = prepare(ready.graph, part.x[:SAMPLES], None if part.y is None else part.y[:SAMPLES], rounds=0)
    target = device(DEVICE)
    recipe = Recipe(ready.graph, lesson, EFFORTS["low"], target.channel_alignment)
    workshop = Workshop(ready, recipe, target, Checkpoints.beside(None, ""), Watcher())
    planner = workshop.planner
    few = uniform(planner.sketch, 0.0, 4, planner.rules)
    sizes = [planner.sketch.size(a, "planned") for a in (few, whole(planner.sketch, planner.rules))]
    narrowest, full = ({n: float(getattr(s, n) or 0.0) for n in FIGURES} for s in sizes)
    return Bench(workshop, narrowest, full)


def _teacher(task: Task, work: Path, console: Console) -> torch.nn.Module:
    weights = work / f"{task.name}-0" / "teacher.pt"
    if not weights.exists():
        return train_teacher(task, 0, console.print).eval()
    model = task.make_teacher()
    model.load_state_dict(torch.load(weights))
    return model.eval()


def _figures(given: Bench, trained: bool) -> dict[str, Any]:
    rows = [_row(given, given.budget(shares), True)[0] for shares in FEASIBLE]
    below = Budget(INFEASIBLE * given.narrowest["flash_bytes"])
    rows.append(_row(given, below, False)[0])
    return {"budgets": rows, **(_trained(given) if trained else {})}


def _row(
    given: Bench, budget: Budget, feasible: bool
) -> tuple[dict[str, Any], Allocation | None, Allocation | None]:
    planner, sketch = given.workshop.planner, given.workshop.planner.sketch
    before = len(sketch.sizes)
    row: dict[str, Any] = {"limits": str(budget), "feasible": feasible, "met": False, "refused": False,
                           "price": None, "random_price": None, "looked_at": 0}  # fmt: skip
    try:
        refuse_impossible(planner, budget)
    except BudgetNotMet:
        return {**row, "refused": True}, None, None
    fitting = [r for r in planner.shortlist(budget, every_size=False) if not over_budget(r.size, budget)]
    if not fitting:
        return row, None, None
    best = min(fitting, key=lambda r: r.price)
    looked_at = len(sketch.sizes) - before
    measured = given.workshop.linked(best.allocation)
    random = _random(given, budget, looked_at)
    row |= {"met": not over_budget(measured, budget), "price": best.price, "looked_at": looked_at}
    return (
        {**row, "random_price": None if random is None else planner.cost.of(random)},
        best.allocation,
        random,
    )


def _random(given: Bench, budget: Budget, count: int) -> Allocation | None:
    """The least loss by price of `count` networks drawn, of those that fit as linked (as predicted, first)."""
    planner = given.workshop.planner
    fitting = [
        a for a in islice(_drawn(given), count) if not over_budget(planner.sketch.size(a, "planned"), budget)
    ]
    best = sorted(fitting, key=planner.cost.of)[:LINKED]
    return next((a for a in best if not over_budget(given.workshop.linked(a), budget)), None)


def _drawn(given: Bench) -> Iterator[Allocation]:
    planner = given.workshop.planner
    random = np.random.default_rng(0)
    options: tuple[Bits, ...] = (8, 4, 2)
    while True:
        groups = planner.sketch.whole.groups.items()
        widths = {n: planner.rules.width(g, float(random.uniform(0, 1))) for n, g in groups}
        yield Allocation(widths, {n: options[int(random.integers(3))] for n in planner.sketch.whole.layers})


def _trained(given: Bench) -> dict[str, float | None]:
    _, ours, random = _row(given, given.budget(FEASIBLE[TRAINED]), True)
    return {"accuracy": _accuracy(given, ours), "random_accuracy": _accuracy(given, random)}


def _accuracy(given: Bench, allocation: Allocation | None) -> float | None:
    if allocation is None:
        return None
    candidate = given.workshop.planner.candidate(allocation, "drawn")
    (found,) = given.workshop.judge([candidate], SHORT)
    return found.accuracy


def _table(found: dict[str, Any]) -> Table:
    table = Table(title=f"budgets on {DEVICE}")
    for column in ("task", "budget", "", "price", "random's"):
        table.add_column(column)
    for task, figures in found.items():
        for row in figures["budgets"]:
            said = "met" if row["met"] else "refused" if row["refused"] else "not met"
            prices = (f"{row[k]:.3g}" if row[k] is not None else "-" for k in ("price", "random_price"))
            table.add_row(task, row["limits"], said, *prices)
    return table


if __name__ == "__main__":
    main()
