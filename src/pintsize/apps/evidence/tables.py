"""Figures as Markdown tables, for the cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.evidence.evaluation import Evaluation


def figures_table(title: str, figures: Mapping[str, Any]) -> str:
    """Name and value, a row each; nothing for none."""
    if not figures:
        return ""
    rows = "\n".join(f"| {name} | {shown(value)} |" for name, value in figures.items())
    return f"| {title} | |\n|---|---|\n{rows}\n"


def measured_table(evaluation: Evaluation, by: str) -> str:
    """All metrics, with the intervals of those that have one. by: of what groups are drawn again."""
    rows = "\n".join(
        f"| {name} | {shown(value)} | {_interval(evaluation, name)} |"
        for name, value in evaluation.metrics.items()
    )
    head = f"| measured, of the integers that ship | value | 95 % interval, by {by} |\n|---|---|---|\n"
    return f"{head}{rows}\n" if rows else ""


def shown(value: object) -> str:
    """Four digits, or a whole number."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def _interval(evaluation: Evaluation, name: str) -> str:
    found = evaluation.intervals.get(name)
    return "" if found is None else f"{shown(found.low)} to {shown(found.high)}"
