"""Where the accuracy went, in a terminal: the steps, the layers, the causes. Reads what `explanation.json` holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pintsize.report import figures, loss_words


def loss_table(explanation: Mapping[str, Any]) -> RenderableType:
    """A rich renderable of an explanation."""
    parts: list[RenderableType] = [Text(loss_words.heading(explanation), "bold"), _steps(explanation)]
    parts += [Text(loss_words.summary(explanation)), _layers(explanation), *_causes(explanation)]
    parts += [Text.assemble(("note: ", "yellow"), note) for note in explanation["notes"]]
    return Group(*parts)


def _steps(explanation: Mapping[str, Any]) -> Table:
    rows = Table("step", "accuracy", f"divergence, {explanation['unit']}")
    rows.columns[1].justify = rows.columns[2].justify = "right"
    for step in explanation["steps"]:
        rows.add_row(
            loss_words.STEPS.get(step["name"], step["name"]), figures.percent(step["accuracy"]),
            loss_words.divergence(step["divergence"]),
        )  # fmt: skip
    return rows


def _layers(explanation: Mapping[str, Any]) -> Table:
    rows = Table(*loss_words.HEADS, title=loss_words.TITLE, title_justify="left", title_style="")
    for column in rows.columns[2:]:
        column.justify = "right"
    for layer in explanation["layers"]:
        rows.add_row(*(Text(cell) for cell in loss_words.row(layer)))
    return rows


def _causes(explanation: Mapping[str, Any]) -> list[RenderableType]:
    if not explanation["causes"]:
        return [Text(loss_words.NO_CAUSE, "green")]
    lines: list[RenderableType] = [Text(loss_words.CAUSES, "bold")]
    for number, cause in enumerate(explanation["causes"], 1):
        lines.append(
            Text.assemble(f"{number}. ", (loss_words.title(cause), "bold"), f": {cause['evidence']}")
        )
        lines.append(Padding(Text(loss_words.proof(cause)), (0, 0, 0, 3)))
        lines.append(Padding(Text.assemble(("fix: ", "green"), cause["fix"]), (0, 0, 0, 3)))
    return lines
