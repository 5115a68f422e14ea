"""Recurrent layers of torch: nn.LSTM and nn.GRU, one direction, the batch first, from a state of zeros."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import fx

from pintsize.errors import UnsupportedOp
from pintsize.ops import Gru, Lstm, Reshape, Slice
from pintsize.ops.recurrent import Gated
from pintsize.ops.slice import OPEN
from pintsize.read.draft import Call, Constant, Value
from pintsize.read.layout import Layout

aten = torch.ops.aten

LAYERS = (aten.lstm.input, aten.gru.input)
TAKEN = (aten.select.int, aten.squeeze.default, aten.squeeze.dim, aten.squeeze.dims)


@dataclass(frozen=True)
class FinalStates:
    """h_n (layers, batch, hidden), whose first axis is no batch: the last step of each layer, (hidden,)."""

    layers: tuple[Value, ...]


def is_initial_state(node: fx.Node) -> bool:
    """Does the node make the zeros that a layer without a given state begins with? Their shape has the batch's size."""
    return (
        node.target is aten.zeros.default and bool(node.users) and all(u.target in LAYERS for u in node.users)
    )


def initial_state(node: fx.Node) -> Constant:
    return Constant(node.name, torch.zeros(()))


def of_final_states(node: fx.Node, arguments: Mapping[str, Any]) -> Value | None:
    """What the node takes of h_n; None for a node that does not read it."""
    if not any(isinstance(a, FinalStates) for a in arguments.values()):
        return None
    states = arguments.get("self")
    if node.target in TAKEN and isinstance(states, FinalStates):
        layer = _layer_taken(node.target, arguments, len(states.layers))
        if layer is not None:
            return states.layers[layer]
    raise UnsupportedOp(
        "of a final state only one layer's is read, as h_n[-1] or, of one layer, h_n.squeeze(0)"
    )


def _layer_taken(target: Any, arguments: Mapping[str, Any], layers: int) -> int | None:
    dims = arguments.get("dim", 0)
    if dims not in (0, [0], (0,)):
        return None
    if target is aten.select.int:
        return arguments["index"] % layers
    return 0 if layers == 1 else None


def lstm(call: Call) -> tuple[Value, FinalStates, None]:
    """aten.lstm: its output and h_n; c_n is not read."""
    return (*_layers(call, Lstm(), lambda own, again: [own + again]), None)


def gru(call: Call) -> tuple[Value, FinalStates]:
    """aten.gru: its output and h_n."""
    return _layers(call, Gru(), lambda own, again: [own, again])


Biases = Callable[[np.ndarray, np.ndarray], list[np.ndarray]]


def _layers(call: Call, op: Gated, biases: Biases) -> tuple[Value, FinalStates]:
    _check(call)
    x = call.arranged(call.value("input"), Layout.PLAIN)
    parts = _parameters(call)
    per_layer = 4 if call.arguments["has_biases"] else 2
    hidden = parts[1][1].shape[1]
    tensor, states = x.tensor, []
    for first in range(0, len(parts), per_layer):
        tensor = _layer(call, op, biases, tensor, parts[first : first + per_layer])
        states.append(_last_step(call, tensor, hidden))
    return call.result(tensor, Layout.PLAIN), FinalStates(tuple(states))


def _check(call: Call) -> None:
    given = call.arguments
    if given["bidirectional"]:
        raise UnsupportedOp("it runs in both directions: use one, bidirectional=False")
    if not given["batch_first"]:
        raise UnsupportedOp("its sequence comes before the batch: make it with batch_first=True")
    if given["train"] and given["dropout"] > 0:
        raise UnsupportedOp("it drops at random: call model.eval() before torch.export.export")
    states = given["hx"] if isinstance(given["hx"], list | tuple) else [given["hx"]]
    if not all(isinstance(s, Constant) and not s.data.any() for s in states):
        raise UnsupportedOp("its initial state must be zeros: do not give one")
    if len(call.shape) != 2:
        raise UnsupportedOp("its input must be (batch, steps, features)")


def _parameters(call: Call) -> list[tuple[str, np.ndarray]]:
    """Names and numbers, layer after layer."""
    found = call.arguments["params"]
    if not all(isinstance(p, Constant) for p in found):
        raise UnsupportedOp("its weights must be constants, not computed from the model's input")
    per_layer = 4 if call.arguments["has_biases"] else 2
    if len(found) != per_layer * call.arguments["num_layers"]:
        raise UnsupportedOp("it projects its output: make it with proj_size=0, and an nn.Linear behind it")
    return [(p.name, p.data.detach().cpu().double().numpy()) for p in found]


def _layer(call: Call, op: Gated, biases: Biases, x: str, parts: Sequence[tuple[str, np.ndarray]]) -> str:
    (own_name, own), (again_name, again), *given = parts
    hidden = again.shape[1]
    numbers = [p[1] for p in given] or [np.zeros(len(own))] * 2
    names = [p[0] for p in given] or [f"{own_name}.bias", f"{again_name}.bias"]
    weights = [
        (own_name, own.reshape(op.gates, hidden, -1)),
        (again_name, again.reshape(op.gates, hidden, hidden)),
    ]
    constants = [(name, w.transpose(1, 0, 2)) for name, w in weights]
    constants += [(n, b.reshape(op.gates, hidden).T) for n, b in zip(names, biases(*numbers), strict=False)]
    return call.emit(op, x, *(call.constant(c) for c in constants))


def _last_step(call: Call, tensor: str, hidden: int) -> Value:
    last = call.beside(Slice((-1,), (OPEN,), (1,)), tensor)
    return Value(call.beside(Reshape((-1,)), last), (hidden,), Layout.PLAIN)
