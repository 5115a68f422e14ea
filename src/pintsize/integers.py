"""The reference: an integer Graph run as it is. Every written program must give these integers.

A Graph with states runs step by step: `run_integers` takes its inputs for the steps of one signal, in order after a
reset, as the written program does; `Steps` runs many signals at once, or goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.graph import Graph, Node, Tensor

if TYPE_CHECKING:
    Observer = Callable[[str, torch.Tensor], None]


def run_integers(
    graph: Graph, codes: np.ndarray, observe: Observer | None = None, batch: int = 256
) -> np.ndarray:
    """An integer Graph's output codes (n, *output shape) for input codes (n, *input shape), int8 or int16 each.

    With states the n inputs are the steps of one signal, after a reset. This is the reference that every written
    program must equal. `observe` is called with the name and the codes of the input and of every node's output.
    """
    steps = Steps(graph)
    size = 1 if graph.states else batch
    parts = [steps.step(codes[start : start + size], observe) for start in range(0, len(codes), size)]
    return np.concatenate(parts)


class Steps:
    """An integer Graph and what it keeps from step to step, for one signal or several side by side."""

    def __init__(self, graph: Graph, signals: int = 1) -> None:
        self.graph = graph
        self._constants = {t.name: frozen(t) for t in graph.tensors.values() if t.is_constant}
        self._grids = {t.name: grid_of(t) for t in graph.tensors.values() if not t.is_constant}
        self._states: dict[str, torch.Tensor] = {}
        self.reset(signals)

    def reset(self, signals: int = 1) -> None:
        """As if nothing had come yet."""
        self._states = {
            s.tensor: torch.from_numpy(np.repeat(s.initial[None].astype(np.float64), signals, 0))
            for s in self.graph.states
        }

    @property
    def states(self) -> dict[str, np.ndarray]:
        """Every state's codes (signals, *shape) as they stand, by tensor."""
        return {n: q.numpy().astype(self.graph.type(n).dtype) for n, q in self._states.items()}

    def step(self, codes: np.ndarray, observe: Observer | None = None) -> np.ndarray:
        """Output codes (signals, *output shape) for each signal's next input codes (signals, *input shape)."""
        graph, grids = self.graph, self._grids
        kind = np.int16 if graph.type(graph.outputs[0]).dtype == "int16" else np.int8
        changed: dict[str, torch.Tensor] = {}
        with torch.no_grad():
            values = dict(self._constants)
            values |= {n: grids[n].codes(q.to(_kept(graph, n))) for n, q in self._states.items()}
            _place(values, grids, graph.inputs[0], torch.from_numpy(codes.astype(np.float32)), observe)
            for node in graph.nodes:
                given = inputs_of(graph, node, values)
                if node.carried:
                    states = [self._states[name] for name in node.carried]
                    made, left = node.op.carry(given, grids[node.output], states)
                    changed |= dict(zip(node.carried, left, strict=True))
                else:
                    made = node.op.integer_meaning(given, grids[node.output])
                _place(values, grids, node.output, made, observe)
        self._states = {
            s.tensor: (values[s.next].q.double() if s.next else changed[s.tensor]) for s in graph.states
        }
        return values[graph.outputs[0]].q.numpy().astype(kind)


def run_steps(graph: Graph, codes: np.ndarray) -> np.ndarray:
    """Outputs (signals, steps, *output shape) of several signals' inputs (signals, steps, *input shape)."""
    steps = Steps(graph, len(codes))
    return np.stack([steps.step(codes[:, i]) for i in range(codes.shape[1])], 1)


def _kept(graph: Graph, name: str) -> torch.dtype:
    """Exact for these codes."""
    return torch.float64 if graph.type(name).dtype == "int32" else torch.float32


def _place(
    values: dict[str, Quantized],
    grids: Mapping[str, Grid],
    name: str,
    q: torch.Tensor,
    observe: Observer | None,
) -> None:
    values[name] = grids[name].codes(q)
    if observe:
        observe(name, q)


def inputs_of(graph: Graph, node: Node, values: Mapping[str, Quantized]) -> list[Quantized]:
    """What the node computes from; operands that are constants get a batch axis of 1."""
    operands = graph.constants(node) if node.op.operands else ()
    return [_operand(values[i]) if i in operands else values[i] for i in node.inputs]


def _operand(x: Quantized) -> Quantized:
    return Quantized(x.q[None], x.scale.reshape(()), x.zero_point, x.bits)


def frozen(tensor: Tensor) -> Quantized:
    """A constant's codes and grid."""
    kind = np.float64 if tensor.type.dtype == "int32" else np.float32
    assert tensor.data is not None
    q = torch.from_numpy(tensor.data.astype(kind))
    return Quantized(q, scale_of(tensor), tensor.type.zero_point, tensor.type.code_bits)


def scale_of(tensor: Tensor) -> torch.Tensor:
    """float32: 0-d, or one per channel of a constant."""
    scale = torch.tensor(tensor.type.scale, dtype=torch.float32)
    return scale if tensor.is_constant else scale.reshape(())


def grid_of(tensor: Tensor) -> Grid:
    """Of an activation."""
    return Grid.of(scale_of(tensor), tensor.type.zero_point, tensor.type.code_bits)
