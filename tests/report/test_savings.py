"""The page names what was undone and why, and lists every model of a trade-off."""

from __future__ import annotations

from typing import Any

from pintsize.report import charts, savings
from pintsize.report.page import html


def test_a_step_that_was_undone_is_named_with_what_it_saved(report: dict[str, Any]) -> None:
    words = savings.steps(report)
    assert "4 instead of 8 bits in stem" in words
    assert "it saves -100 B of flash, 0 B of RAM, -1,000 instructions, so it was undone" in words


def test_without_refunds_the_page_says_so(report: dict[str, Any]) -> None:
    report["refund"]["undone"] = []
    assert "none was undone" in savings.steps(report)


def test_every_model_of_the_trade_off_is_in_the_table_and_the_chart(report: dict[str, Any]) -> None:
    page = html(report)
    drawn = charts.specifications(report)["trade-off"]
    points = (
        [row for data in drawn["datasets"].values() for row in data]
        if "datasets" in drawn
        else _values(drawn)
    )
    for member in report["front"]:
        assert member["folder"] in page
        assert any(row["name"] == member["name"] and row["split"] == "test" for row in points)


def _values(specification: dict[str, Any]) -> list[dict[str, Any]]:
    layers = [specification, *specification.get("layer", [])]
    return [row for layer in layers for row in layer.get("data", {}).get("values", [])]


def test_without_a_trade_off_there_is_no_section(report: dict[str, Any]) -> None:
    report["front"] = []
    assert "Trade-off" not in html(report)
    assert "trade-off" not in charts.specifications(report)
