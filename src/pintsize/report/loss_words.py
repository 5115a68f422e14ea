"""How an explanation of the lost accuracy is put into words, alike in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.report import figures

#: name of a step → its title
STEPS = {
    "teacher": "float teacher",
    "network in real numbers": "this network, nothing rounded",
    "weights rounded": "its weights rounded",
    "activations rounded": "its activations rounded",
    "integers": "both rounded: the integers on the chip",
}
HEADS = (
    "layer",
    "op",
    "bits",
    "pruned",
    "weights",
    "activations",
    "all",
    "own weights",
    "own output",
    "restored",
)
TITLE = (
    "Signal to noise of each layer's output in dB (6 dB are one bit): against the teacher's (pruned), then with "
    "weights, activations or all rounded; own: by this layer's rounding alone. Restored: divergence that goes away "
    "when this layer is left in real numbers."
)
CAUSES = "Causes, each put right and measured on top of those before it:"
NO_CAUSE = "No cause: putting any one thing right gains nothing measurable."
#: larger ratios are no noise at all
EXACT_DB = 99.0
MOST_PLACES = 4
#: divergences and differences of accuracy below this are nothing that anybody would notice
LITTLE = 1e-3


def heading(explanation: Mapping[str, Any]) -> str:
    """What was measured, and on what."""
    against = "" if explanation["labelled"] else "; no labels: accuracy is agreement with the teacher"
    if explanation["goal"] == "values":
        against = "; accuracy is the share of the variance explained"
    samples = figures.count(explanation["samples"])
    return f"{explanation['name']}: where the accuracy went, measured on {samples} samples{against}"


def summary(explanation: Mapping[str, Any]) -> str:
    """Which share was lost before any rounding."""
    at = {s["name"]: s["divergence"] for s in explanation["steps"]}
    accuracies = {s["name"]: s["accuracy"] for s in explanation["steps"]}
    lost, before = at["integers"], at["network in real numbers"]
    if lost < LITTLE and accuracies["integers"] > accuracies["teacher"] - LITTLE:
        return f"Next to nothing is lost: the integers diverge from the teacher by {divergence(lost)}."
    share = min(1.0, before / lost)
    return (
        f"The integers diverge from the teacher by {divergence(lost)} {explanation['unit']}: "
        f"{figures.percent(share, 0)} of it is the network itself, {figures.percent(1 - share, 0)} its rounding."
    )


def row(layer: Mapping[str, Any]) -> tuple[str, ...]:
    """A layer's cells under HEADS."""
    keys = ("pruned_db", "weights_db", "activations_db", "all_db", "own_weights_db", "own_output_db")
    width = layer["weight_bits"]
    bits = f"{'' if width is None else width}/{layer['activation_bits']}"
    return (
        layer["name"],
        layer["op"],
        bits,
        *(decibels(layer[k]) for k in keys),
        gain(layer["restored_gain"]),
    )


def decibels(value: float | None) -> str:
    if value is None:
        return figures.NONE
    return "exact" if value >= EXACT_DB else f"{value:.1f}".replace("-", "−")


def divergence(value: float) -> str:
    """Four decimals, and never a zero where there is something."""
    return "<0.0001" if 0 < value < 1e-4 else f"{max(value, 0.0):.4f}"


def gain(value: float) -> str:
    return figures.NONE if abs(value) < 5e-4 else f"{value:.3f}".replace("-", "−")


def title(cause: Mapping[str, Any]) -> str:
    """Its kind and where."""
    places = list(cause["places"])
    more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return f"{cause['kind']} at {', '.join(places[:MOST_PLACES])}{more}"


def proof(cause: Mapping[str, Any]) -> str:
    """What putting it right changed."""
    before, after = (figures.percent(cause[f"accuracy_{when}"]) for when in ("before", "after"))
    was, now = (divergence(cause[f"divergence_{when}"]) for when in ("before", "after"))
    return f"{cause['restored']}: accuracy {before} → {after}, divergence {was} → {now}"
