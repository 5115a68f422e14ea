"""LSTM and GRU, which ONNX has with the batch second and the gates in its own order."""

from __future__ import annotations

from typing import Any

import numpy as np

from pintsize.graph import Node
from pintsize.ops import Gru, Lstm
from pintsize.write.onnx.draft import Draft

SWAPPED = (1, 0, 2)


def lstm(draft: Draft, node: Node) -> None:
    """LSTM, its one bias beside one of zeros."""
    assert isinstance(node.op, Lstm)
    hidden = draft.graph.type(node.inputs[2]).shape[0]
    weights, (bias,) = _constants(draft, node, (0, 3, 1, 2))
    nothing = draft.constant(f"{node.name}:no_bias", np.zeros((1, 4 * hidden), np.float32))
    _whole(draft, node, "LSTM", [*weights, _side_by_side(draft, node, bias, nothing)], hidden, {})


def gru(draft: Draft, node: Node) -> None:
    """GRU."""
    assert isinstance(node.op, Gru)
    hidden = draft.graph.type(node.inputs[2]).shape[0]
    weights, biases = _constants(draft, node, (1, 0, 2))
    attributes = {"linear_before_reset": int(node.op.reset_after)}
    _whole(draft, node, "GRU", [*weights, _side_by_side(draft, node, *biases)], hidden, attributes)


def _constants(draft: Draft, node: Node, order: tuple[int, ...]) -> tuple[list[str], list[str]]:
    """Weights (1, gates · H, C) and biases (1, gates · H), with a scale per gate before they are joined."""
    joined: list[str] = []
    for index in range(1, len(node.inputs)):
        data = draft.graph.constant(node.inputs[index])  # (H, gates, …)
        by_gate = np.moveaxis(data, 1, 0)[list(order)]
        real = draft.by_slices(node, index, by_gate, order)
        shape = draft.integers(1, by_gate.shape[0] * by_gate.shape[1], *by_gate.shape[2:])
        joined.append(draft.add("Reshape", [real, shape], f"{node.inputs[index]}:joined"))
    return joined[:2], joined[2:]


def _side_by_side(draft: Draft, node: Node, a: str, b: str) -> str:
    return draft.add("Concat", [a, b], f"{node.name}:biases", axis=1)


def _whole(
    draft: Draft, node: Node, op: str, constants: list[str], hidden: int, attributes: dict[str, Any]
) -> None:
    x = draft.real(node.inputs[0], "last", node.name)
    steps = draft.add("Transpose", [x], f"{node.name}:steps", perm=SWAPPED)
    y = draft.add(op, [steps, *constants], f"{node.name}:directions", hidden_size=hidden, **attributes)
    axis = draft.constant(f"{node.name}:direction", np.array([1], np.int64))
    y = draft.add("Squeeze", [y, axis], f"{node.name}:whole")
    draft.put(node.output, draft.add("Transpose", [y], f"{node.output}:real", perm=SWAPPED), "last")
