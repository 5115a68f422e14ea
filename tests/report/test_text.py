"""The terminal shows the verdict and every figure, whatever is missing."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from pintsize.report.text import table


def shown(report: dict[str, Any]) -> str:
    console = Console(width=110, record=True, force_terminal=False, file=None, quiet=False)
    with console.capture() as capture:
        console.print(table(report))
    return capture.get()


def test_the_verdict_and_every_figure_are_shown(report: dict[str, Any]) -> None:
    text = shown(report)
    assert "speech-digits on STM32L4R5: budget met" in text
    for words in ("12,040 B", "32,768 B", "16.5 ms", "0.75 %", "measured", "counted", "estimated"):
        assert words in text
    assert all(v["core"] in text for v in report["verification"])


def test_a_missed_limit_is_marked(report: dict[str, Any]) -> None:
    report["met"] = False
    report["figures"][0]["met"] = False
    text = shown(report)
    assert "budget not met" in text
    assert "over" in text


def test_missing_values_and_empty_lists(report: dict[str, Any]) -> None:
    for figure in report["figures"]:
        figure |= {"value": None, "limit": None, "met": None}
    text = shown(report | {"verification": [], "accuracy": []})
    assert "None" not in text
    assert text.count("–") >= 2 * len(report["figures"])


def test_square_brackets_in_a_name_are_text(report: dict[str, Any]) -> None:
    report["name"] = "[bold]net[/bold]"
    report["verification"][0]["core"] = "[red]core"
    text = shown(report)
    assert "[bold]net[/bold]" in text
    assert "[red]core" in text
