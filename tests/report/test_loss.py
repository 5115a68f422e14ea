"""The lost accuracy in words, in a terminal and on the page."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from pintsize.report.loss import loss
from pintsize.report.loss_text import loss_table
from pintsize.report.page import html

LAYER = {
    "name": "conv<1>", "op": "conv2d", "source": "", "weight_bits": 2, "activation_bits": 8, "pruned_db": None,
    "weights_db": 8.63, "activations_db": 99.0, "all_db": -1.26, "own_weights_db": 8.6, "own_output_db": 45.0,
    "restored_gain": 0.4114, "clipped": 0.0, "peak_to_usual": 1.2, "channels": 32, "dead": 0,
}  # fmt: skip
CAUSE = {
    "kind": "narrow weights", "places": ["conv<1>", "b", "c", "d", "e"], "evidence": "its weights have 2 bits",
    "restored": "at 8 bits", "accuracy_before": 0.9405, "accuracy_after": 0.9963, "divergence_before": 0.41152,
    "divergence_after": 0.00002, "fix": "--layer-bits conv<1>=8",
}  # fmt: skip


@pytest.fixture
def explanation() -> dict[str, Any]:
    steps = {"teacher": 0.0, "network in real numbers": 0.1, "weights rounded": 0.3, "integers": 0.41152}
    return {
        "name": "net", "samples": 1200, "labelled": True, "goal": "classes", "unit": "nats",
        "steps": [{"name": n, "accuracy": 0.9, "divergence": d} for n, d in steps.items()], "layers": [LAYER],
        "causes": [CAUSE], "notes": ["a & b"],
    }  # fmt: skip


def text(explanation: dict[str, Any]) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(loss_table(explanation))
    return captured.get()


def test_the_terminal_has_every_number(explanation: dict[str, Any]) -> None:
    shown = text(explanation)
    for said in (
        "net: where the accuracy went, measured on 1,200 samples",
        "24 % of it is the network itself, 76 % its rounding",
        "2/8", "8.6", "exact", "−1.3", "0.411",
        "1. narrow weights at conv<1>, b, c, d and 1 more: its weights have 2 bits",
        "at 8 bits: accuracy 94.05 % → 99.63 %, divergence 0.4115 → <0.0001",
        "fix: --layer-bits conv<1>=8", "note: a & b",
    ):  # fmt: skip
        assert said in shown


def test_no_cause_and_no_labels_are_said(explanation: dict[str, Any]) -> None:
    shown = text({**explanation, "causes": [], "labelled": False})
    assert "No cause: putting any one thing right gains nothing measurable." in shown
    assert "accuracy is agreement with the teacher" in shown


def test_next_to_nothing_lost(explanation: dict[str, Any]) -> None:
    steps = [{**s, "divergence": 1e-5} for s in explanation["steps"]]
    assert "Next to nothing is lost" in text({**explanation, "steps": steps})


def test_the_page_has_the_same_and_escapes_it(explanation: dict[str, Any], report: dict[str, Any]) -> None:
    section = "".join(loss(explanation))
    for said in ("--layer-bits conv&lt;1&gt;=8", "a &amp; b", "94.05 % → 99.63 %", "24 % of it"):
        assert said in section
    assert "Where the accuracy went" not in html(report)
    assert section in html({**report, "explanation": explanation})
