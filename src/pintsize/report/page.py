"""The report as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.report import sections
from pintsize.report.document import document
from pintsize.report.drawing import require_drawing


def html(report: Mapping[str, Any]) -> str:
    """The page for one report. The same report gives the same bytes.

    `report` is a `schema.Report`. Raises MissingExtra when Altair is not installed.
    """
    require_drawing()
    from pintsize.report import charts

    specs = charts.specifications(report)
    title = f"{report['name']} on {report['device']['title']}"
    return document(title, *sections.page(report, frozenset(specs)), script=charts.scripts(specs))
