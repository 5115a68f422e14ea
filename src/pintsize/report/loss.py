"""Where the accuracy went, on the page. Reads what `explanation.json` holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pintsize.report import figures, loss_words
from pintsize.report.markup import Markup, join, table, tag


def loss(explanation: Mapping[str, Any]) -> Iterator[Markup]:
    """What stands under the section's title."""
    yield tag("p", f"{loss_words.heading(explanation)}.")
    yield _steps(explanation)
    yield tag("p", loss_words.summary(explanation))
    yield _causes(explanation)
    yield tag("p", loss_words.TITLE, class_="note")
    heads = [(head, number > 1) for number, head in enumerate(loss_words.HEADS)]
    yield table(heads, [loss_words.row(layer) for layer in explanation["layers"]])
    if explanation["notes"]:
        yield tag("ul", *(tag("li", note) for note in explanation["notes"]), class_="note")


def _steps(explanation: Mapping[str, Any]) -> Markup:
    heads = [("Step", False), ("Accuracy", True), (f"Divergence, {explanation['unit']}", True)]
    rows = [
        [
            loss_words.STEPS.get(s["name"], s["name"]),
            figures.percent(s["accuracy"]),
            loss_words.divergence(s["divergence"]),
        ]
        for s in explanation["steps"]
    ]
    return table(heads, rows)


def _causes(explanation: Mapping[str, Any]) -> Markup:
    if not explanation["causes"]:
        return tag("p", loss_words.NO_CAUSE)
    return join([tag("p", loss_words.CAUSES), tag("ol", *map(_cause, explanation["causes"]))])


def _cause(cause: Mapping[str, Any]) -> Markup:
    said = tag("p", tag("b", loss_words.title(cause)), f": {cause['evidence']}")
    return tag("li", said, tag("p", loss_words.proof(cause)), tag("p", tag("b", "Fix: "), cause["fix"]))
