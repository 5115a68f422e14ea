"""Tensors whose batch is not their first axis: how ONNX's LSTM and GRU have their sequences, (T, N, C)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.ops import Gather, Gru, Lstm
from pintsize.read import torch_shapes
from pintsize.read.draft import Value
from pintsize.read.layout import Layout
from pintsize.read.onnx_call import Known, OnnxCall
from pintsize.read.onnx_fold import reshape_target, shape_slice
from pintsize.read.onnx_parts import gathered


@dataclass(frozen=True)
class Shifted:
    """A tensor with its axes in order, the batch at `at` in place of 0. Its layout is plain."""

    value: Value
    at: int

    @property
    def whole(self) -> tuple[int, ...]:
        """ONNX's shape, the batch 1."""
        return (*self.value.shape[: self.at], 1, *self.value.shape[self.at :])


Moved = Value | Shifted


def settled(value: Value, at: int) -> Moved:
    return value if at == 0 else Shifted(value, at)


def transpose(call: OnnxCall, x: Moved) -> Moved:
    """Transpose that moves the batch."""
    at, value = (x.at, x.value) if isinstance(x, Shifted) else (0, call.call().arranged(x, Layout.PLAIN))
    rank = value.rank + 1
    order = [int(a) for a in call.attributes.get("perm", range(rank - 1, -1, -1))]
    if sorted(order) != list(range(rank)):
        raise UnsupportedOp(f"perm={order} is no order of {rank} axes")
    rest = [a - (a > at) for a in order if a != at]
    if rest != sorted(rest):
        tensor = call.call().permuted(value.tensor, tuple(rest))
        value = call.natural(tensor, Layout.PLAIN)
    return settled(value, order.index(at))


def _squeeze(call: OnnxCall, x: Shifted) -> Moved:
    axes = {a % len(x.whole) for a in call.integers(1, "axes") or []}
    if not axes or x.at in axes or any(x.whole[a] != 1 for a in axes):
        raise UnsupportedOp(f"axes {sorted(axes)} of {x.whole}: name axes of length 1 other than the batch")
    kept = [a for a in range(len(x.whole)) if a not in axes]
    return _reshaped(call, x, tuple(x.whole[a] for a in kept if a != x.at), kept.index(x.at))


def _reshaped(call: OnnxCall, x: Shifted, shape: tuple[int, ...], at: int) -> Moved:
    return settled(torch_shapes.reshape(call.call(shape, self=x.value)), at)


def _reshape(call: OnnxCall, x: Shifted) -> Moved:
    """Reshape that adds or drops axes of length one beside the batch."""
    target = reshape_target(call.integers(1) or [], x.whole, bool(call.integer("allowzero", 0)))
    before = prod(x.whole[: x.at])
    places = [i for i, n in enumerate(target) if n == 1 and prod(target[:i]) == before]
    longer = [n for n in target if n != 1] == [n for n in x.whole if n != 1]
    if not places or not longer:
        raise UnsupportedOp(
            f"{x.whole} to {target}: the batch, at axis {x.at}, must keep its place among the others"
        )
    at = min(places, key=lambda i: abs(i - x.at))
    return _reshaped(call, x, (*target[:at], *target[at + 1 :]), at)


def _shape(call: OnnxCall, x: Shifted) -> Known:
    return Known(call.name, shape_slice(call, x.whole))


def _gather(call: OnnxCall, x: Shifted) -> Moved:
    axis, chosen = call.integer("axis", 0) % len(x.whole), call.known(1).data
    if axis == x.at or chosen.ndim > 1:
        raise UnsupportedOp("it gathers along the batch, or by indices of several axes")
    y = gathered(call, x.value, axis + (axis < x.at), chosen)
    plain = call.call().arranged(y, Layout.PLAIN)
    return settled(plain, x.at - (axis < x.at and chosen.ndim == 0))


def _identity(call: OnnxCall, x: Shifted) -> Moved:
    return x


def lstm(call: OnnxCall, x: Moved) -> tuple[Moved | None, ...]:
    """LSTM: gates i, o, f, c in ONNX, i, f, c, o in the Graph; the two biases add up to one."""
    sequence = _sequence(call, x, 5, ("Sigmoid", "Tanh", "Tanh"))
    if call.given(7) is not None or call.integer("input_forget", 0):
        raise UnsupportedOp("peepholes and input_forget are not supported")
    weights = _gates(call, (0, 2, 3, 1))
    (name, b), (_, d) = weights[2:]
    work = call.call()
    constants = [work.constant(c) for c in (*weights[:2], (name, b + d))]
    return _outputs(call, work.emit(Lstm(), sequence.tensor, *constants))


def gru(call: OnnxCall, x: Moved) -> tuple[Moved | None, ...]:
    """GRU: gates z, r, h in ONNX, r, z, h in the Graph."""
    sequence = _sequence(call, x, 5, ("Sigmoid", "Tanh"))
    work = call.call()
    constants = [work.constant(c) for c in _gates(call, (1, 0, 2))]
    return _outputs(
        call, work.emit(Gru(bool(call.integer("linear_before_reset", 0))), sequence.tensor, *constants)
    )


def _sequence(call: OnnxCall, x: Moved, states: int, activations: tuple[str, ...]) -> Value:
    """The input (T, C), where all that is not supported has been refused."""
    if call.word("direction", "forward") != "forward":
        raise UnsupportedOp("direction: only forward is supported")
    named = [bytes(a).decode("utf-8", "replace") for a in call.attributes.get("activations", [])]
    if "clip" in call.attributes or (named and tuple(named) != activations):
        raise UnsupportedOp("only the usual activations, without clip, are supported")
    if call.given(4) is not None:
        raise UnsupportedOp("sequence_lens is not supported: all sequences have the whole length")
    for index in range(states, min(len(call.inputs), states + 2)):
        state = call.given(index)
        if state is not None and not (isinstance(state, Known) and not state.data.any()):
            raise UnsupportedOp("the state must begin with zeros")
    at = 0 if call.integer("layout", 0) else 1
    found = x.at if isinstance(x, Shifted) else 0
    value = x.value if isinstance(x, Shifted) else call.call().arranged(x, Layout.PLAIN)
    if found != at or value.rank != 2:
        raise UnsupportedOp(f"its input must be (T, N, C) with the batch at axis {at}")
    return value


def _gates(call: OnnxCall, order: tuple[int, ...]) -> list[tuple[str, np.ndarray]]:
    """Weight (H, gates, C), recurrent weight (H, gates, H), two biases (H, gates), the gates in the Graph's order."""
    gates = len(order)
    found: list[tuple[str, np.ndarray]] = []
    for index in (1, 2):
        name, data = call.weights(index)
        if data.ndim != 3 or data.shape[0] != 1 or data.shape[1] % gates:
            raise UnsupportedOp(f"weights of shape {data.shape}: one direction of {gates} gates is supported")
        found.append((name, data.reshape(gates, -1, data.shape[2])[list(order)].transpose(1, 0, 2)))
    hidden = found[0][1].shape[0]
    name, bias = call.weights_or(3, "bias", np.zeros(2 * gates * hidden))
    both = bias.reshape(2, gates, hidden)[:, list(order)].transpose(0, 2, 1)
    return [*found, (name, both[0]), (f"{name}.recurrent", both[1])]


def _outputs(call: OnnxCall, tensor: str) -> tuple[Moved | None, ...]:
    """All steps, and the last one, with ONNX's axis of directions."""
    steps, hidden = call.draft.shape(tensor)
    work = call.named("last").call()
    last = work.reshaped(work.emit(Gather((steps - 1,), 0), tensor), (1, hidden))
    batch_first = bool(call.integer("layout", 0))
    whole = call.call().reshaped(tensor, (steps, 1, hidden))
    return (
        settled(Value(whole, (steps, 1, hidden), Layout.PLAIN), 0 if batch_first else 2),
        settled(Value(last, (1, hidden), Layout.PLAIN), 0 if batch_first else 1),
        None,
    )


READERS: dict[str, Callable[[OnnxCall, Shifted], Moved | Known | tuple[Moved | None, ...]]] = {
    "GRU": gru,
    "Gather": _gather,
    "Identity": _identity,
    "LSTM": lstm,
    "Reshape": _reshape,
    "Shape": _shape,
    "Squeeze": _squeeze,
    "Transpose": transpose,
}
