"""What the page says of the trade-off's models, and of what each step of shrinking saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.report import figures
from pintsize.report.markup import EMPTY, Markup, join, table, tag


def front(report: Mapping[str, Any]) -> Markup:
    """The models of a whole trade-off, a row each."""
    heads = [("Model", False), ("Flash", True), ("RAM", True), ("Weights", True), ("Instructions", True)]
    rows = [
        [
            join([tag("b", m["name"]), tag("span", m["folder"], class_="source")]),
            figures.size(m["flash_bytes"]),
            figures.size(m["ram_bytes"]),
            figures.size(m["weight_bytes"]),
            figures.count(m["instructions"]),
            figures.percent(m["accuracy"].get("validation")),
            figures.percent(m["accuracy"].get("test")),
            f"{m['cores']} cores, {m['mismatches']} differing integers",
        ]
        for m in report["front"]
    ]
    more = [("Validation", True), ("Test", True), ("Verified", False)]
    return table(heads + more, rows) if rows else EMPTY


def steps(report: Mapping[str, Any]) -> Markup:
    """The program after each kind of step, compiled; and the steps that were undone."""
    heads = [("After", False), ("Flash", True), ("RAM", True), ("Weights", True), ("Instructions", True)]
    rows = [[s["step"], *_cells(s)] for s in report["refund"]["steps"]]
    return join([table(heads, rows) if rows else EMPTY, _undone(report["refund"]["undone"])])


def _cells(size: Mapping[str, Any]) -> list[str]:
    return [
        figures.size(size["flash_bytes"]),
        figures.size(size["ram_bytes"]),
        figures.size(size["weight_bytes"]),
        figures.count(size["instructions"]),
    ]


def _undone(rows: list[Mapping[str, Any]]) -> Markup:
    if not rows:
        return tag("p", "Every step saved something on the device: none was undone.", class_="note")
    items = [tag("li", f"{r['step']}: {_verdict(r)}") for r in rows]
    return join([tag("p", "Steps that were compiled both ways:"), tag("ul", *items)])


def _verdict(row: Mapping[str, Any]) -> str:
    told = ", ".join(
        f"{_saved(row, name)} {unit}"
        for name, unit in (
            ("flash_bytes", "B of flash"),
            ("ram_bytes", "B of RAM"),
            ("instructions", "instructions"),
        )
        if row["with"][name] is not None and row["without"][name] is not None
    )
    return f"it saves {told}, so it was undone" if row["undone"] else f"it saves {told}, so it stays"


def _saved(row: Mapping[str, Any], name: str) -> str:
    return f"{row['without'][name] - row['with'][name]:,}"
