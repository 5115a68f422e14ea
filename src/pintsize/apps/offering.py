"""What `eval`, `build` and `train` do for every application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from pintsize.apps.running import write
from pintsize.apps.telling import console, table, working

if TYPE_CHECKING:
    from pintsize.apps.application import Offered, Trained


def evaluate(application: Offered, data: Path, json_file: Path | None, page: Path | None) -> None:
    """The metrics on data that no training saw, as a table, as JSON and as a page."""
    with working("evaluating") as said:
        found = application.evaluate(data, said)
    console.print(table("metric", "value", [(name, f"{value:.6g}") for name, value in found.metrics.items()]))
    for note in found.notes:
        console.print(escape(note))
    if json_file is not None:
        write(json_file, _as_json(found.metrics))
    if page is not None:
        from pintsize.apps.evidence import evidence_page

        write(page, evidence_page(f"{application.name}: evaluation", found))


def _as_json(metrics: Mapping[str, float]) -> str:
    """What could not be told is null: JSON has no NaN."""
    told = {name: value if isfinite(value) else None for name, value in metrics.items()}
    return json.dumps(told, indent=1, allow_nan=False) + "\n"


def build(application: Offered, device: str, out: Path, weights: Path | None) -> None:
    """The application as C in a folder, and what it takes on the device."""
    with working("writing") as said:
        found = application.build(device, out, weights, said)
    console.print(table("", "", [(name, f"{value:,.6g}") for name, value in found.items()]))
    console.print(f"Program in [bold]{escape(str(out))}[/]: see README.md in it")


def train(application: Trained, samples: Path, out: Path, seed: int) -> None:
    """Own models from a folder of labelled samples."""
    with working("training", keep=True) as said:
        application.train(samples, out, seed, said)
    told = escape(str(out))
    console.print(f"Models in [bold]{told}[/]: pintsize app {application.name} --weights {told} …")
