"""The report in a terminal: the verdict, the figures, the cores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pintsize.report import figures


def table(report: Mapping[str, Any]) -> RenderableType:
    """A rich renderable with the same numbers as the page. `report` is a `schema.Report`."""
    parts: list[RenderableType] = [_verdict(report), _figures(report)]
    if report["accuracy"]:
        parts.append(_accuracy(report))
    if report.get("front"):
        parts.append(_front(report))
    if report["verification"]:
        parts.append(_cores(report))
    return Group(*parts)


def _verdict(report: Mapping[str, Any]) -> Text:
    said = ("budget met", "bold green") if report["met"] else ("budget not met", "bold red")
    return Text.assemble((report["name"], "bold"), f" on {report['device']['title']}: ", said)


def _figures(report: Mapping[str, Any]) -> Table:
    rows = Table("", "value", "allowed", "", "kind", title_justify="left")
    rows.columns[1].justify = rows.columns[2].justify = "right"
    for f in report["figures"]:
        value, limit = (figures.amount(f[key], figures.unit(f)) for key in ("value", "limit"))
        rows.add_row(Text(figures.title(f["name"])), value, limit, _mark(f["met"]), Text(f["kind"], "dim"))
    return rows


def _accuracy(report: Mapping[str, Any]) -> Table:
    rows = Table("split", "samples", "float teacher", "integers on chip", "agreement")
    for column in rows.columns[1:]:
        column.justify = "right"
    for a in report["accuracy"]:
        shares = (figures.percent(a[key]) for key in ("teacher", "integers", "agreement"))
        rows.add_row(Text(a["split"]), figures.count(a["samples"]), *shares)
    return rows


def _front(report: Mapping[str, Any]) -> Table:
    rows = Table("trade-off", "flash", "RAM", "instructions", "validation", "test")
    for column in rows.columns[1:]:
        column.justify = "right"
    for m in report["front"]:
        sizes = (
            figures.size(m["flash_bytes"]),
            figures.size(m["ram_bytes"]),
            figures.count(m["instructions"]),
        )
        shares = (figures.percent(m["accuracy"].get(split)) for split in ("validation", "test"))
        rows.add_row(Text(m["folder"]), *sizes, *shares)
    return rows


def _cores(report: Mapping[str, Any]) -> Table:
    rows = Table("core", "run by", "inputs", "differing", "instructions")
    for column in rows.columns[2:]:
        column.justify = "right"
    for v in report["verification"]:
        differing = Text(figures.count(v["mismatches"]), "red" if v["mismatches"] else "green")
        rows.add_row(
            Text(v["core"]), v["by"], figures.count(v["inputs"]), differing, figures.count(v["instructions"])
        )
    return rows


def _mark(met: bool | None) -> Text:
    if met is None:
        return Text("")
    return Text("ok", "green") if met else Text("over", "bold red")
