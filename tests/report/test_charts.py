"""Vega-Lite accepts what the charts say, and they leave nothing out."""

from __future__ import annotations

from typing import Any

import pytest
import vl_convert

from pintsize.report.charts import specifications


def rows(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for layer in spec["layer"] for row in layer["data"]["values"]]


@pytest.mark.parametrize("element", ["accuracy-against-flash", "memory-over-time"])
def test_a_chart_can_be_drawn(report: dict[str, Any], element: str) -> None:
    svg = vl_convert.vegalite_to_svg(specifications(report)[element])
    assert "var(--ink)" in svg
    assert "NaN" not in svg


def test_every_candidate_is_a_point_or_a_tick(report: dict[str, Any]) -> None:
    shown = rows(specifications(report)["accuracy-against-flash"])
    assert {c["name"] for c in report["candidates"]} <= {r.get("name") for r in shown}


def test_budget_teacher_and_allowed_drop_are_marked(report: dict[str, Any]) -> None:
    labels = [r.get("label") for r in rows(specifications(report)["accuracy-against-flash"])]
    assert "budget 32,768 B" in labels
    assert "float teacher 98.83 % (val)" in labels
    assert "teacher − 1 %" in labels


def test_without_limits_only_the_candidates_are_drawn(report: dict[str, Any]) -> None:
    report["budget"] |= {"flash_bytes": None, "max_drop": None}
    report["accuracy"] = []
    labels = [r["label"] for r in rows(specifications(report)["accuracy-against-flash"]) if "label" in r]
    assert labels == []


def test_sizes_far_apart_get_a_logarithmic_axis(report: dict[str, Any]) -> None:
    report["candidates"][0]["flash_bytes"] = 900_000
    points = specifications(report)["accuracy-against-flash"]["layer"][0]
    assert points["encoding"]["x"]["scale"]["type"] == "log"


def test_every_buffer_is_a_rectangle_at_its_place(report: dict[str, Any]) -> None:
    shown = {r["name"]: r for r in rows(specifications(report)["memory-over-time"]) if "name" in r}
    for b in report["memory"]["buffers"]:
        row = shown[b["name"]]
        assert (row["low"], row["high"]) == (b["offset"], b["offset"] + b["bytes"])
        assert (row["start"], row["end"]) == (b["first"], b["last"] + 1)


def test_arena_and_a_lower_bound_below_it_are_marked(report: dict[str, Any]) -> None:
    report["memory"] |= {"arena_bytes": 6400, "optimal": False}
    labels = [r.get("label") for r in rows(specifications(report)["memory-over-time"])]
    assert "arena 6,400 B" in labels
    assert "lower bound 6,000 B" in labels
