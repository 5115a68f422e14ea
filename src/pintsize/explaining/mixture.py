"""Runs an annotated Graph of which some tensors are left in real numbers: so what rounding costs is measured.

A node whose tensors are all rounded computes its integer meaning: with nothing left real, the answers are the chip's
to the last bit. Any other node computes its float meaning from the rounded values of what is rounded, and its result
goes to its grid, unless it is left real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from pintsize.arithmetic import Grid, Quantized, quantize_activation
from pintsize.compress.quantize import freeze
from pintsize.graph import Graph, Node, Tensor, TensorType

#: called with the name and the real value of the input and of every node's output
Observe = Callable[[str, torch.Tensor], None]
BATCH = 64


@dataclass(frozen=True)
class Mixture:
    """An annotated Graph, and which of its tensors are left in real numbers. A bias goes with its weights.

    plain: the same Graph with the constants that those left in real numbers have; by default the annotated ones.
    """

    graph: Graph
    real: frozenset[str] = frozenset()
    plain: Graph | None = None

    def leaving(self, names: Iterable[str]) -> Mixture:
        """The same with these tensors real too."""
        return replace(self, real=self.real | frozenset(names))

    def with_tensors(self, *changed: Tensor) -> Mixture:
        """The same with these tensors put in place."""
        return replace(self, graph=self.graph.with_tensors(*changed))


def constants_of(graph: Graph) -> tuple[str, ...]:
    """All weights, biases and constant operands."""
    return tuple(t.name for t in graph.tensors.values() if t.is_constant)


def activations_of(graph: Graph) -> tuple[str, ...]:
    return tuple(t.name for t in graph.tensors.values() if not t.is_constant)


def grid_of(kind: TensorType) -> Grid:
    """The grid of an activation's type."""
    return Grid.of(torch.tensor(kind.scale[0], dtype=torch.float32), kind.zero_point, kind.code_bits)


class MixedRun:
    """A Mixture made ready to run. Raises SpecError where its grids are no legal ones."""

    def __init__(self, mixture: Mixture) -> None:
        self.graph = mixture.graph
        self.plain = mixture.plain or mixture.graph
        self.real = set(mixture.real)
        frozen = freeze(mixture.graph)
        self.grids = {n: grid_of(frozen.type(n)) for n in activations_of(frozen)}
        self.codes: dict[str, Quantized] = {}
        #: constants as real numbers: as they are where they are left real, else what their codes stand for
        self.constants: dict[str, torch.Tensor] = {}
        for node in self.graph.nodes:
            names = self.graph.constants(node)
            if names and not node.op.operands and names[0] in self.real:
                self.real.update(names)
            for name in names:
                self._add(frozen.tensors[name], node.op.operands)

    def _add(self, frozen: Tensor, operand: bool) -> None:
        code = _codes(frozen)
        if operand:
            code = Quantized(code.q[None], code.scale.reshape(()), code.zero_point, code.bits)
        self.codes[frozen.name] = code
        data = self.plain.constant(frozen.name)
        value = torch.from_numpy(np.ascontiguousarray(data, np.float32))
        if frozen.name not in self.real:
            value = _decoded(frozen)
        self.constants[frozen.name] = value[None] if operand else value

    def __call__(self, x: torch.Tensor, observe: Observe | None = None) -> torch.Tensor:
        """Real inputs (n, *input shape) → real outputs."""
        first = self.graph.inputs[0]
        values = {first: self._placed(first, x)}
        if observe:
            observe(first, _as_real(values[first]))
        for node in self.graph.nodes:
            values[node.output] = self._computed(node, values)
            if observe:
                observe(node.output, _as_real(values[node.output]))
        return _as_real(values[self.graph.outputs[0]])

    def _computed(
        self, node: Node, values: Mapping[str, torch.Tensor | Quantized]
    ) -> torch.Tensor | Quantized:
        given = [values.get(i, self.codes.get(i)) for i in node.inputs]
        exact = [g for g in given if isinstance(g, Quantized)]
        if not self.real.intersection((*node.inputs, node.output)) and len(exact) == len(given):
            out = self.grids[node.output]
            return out.codes(node.op.integer_meaning(exact, out))
        inputs = [self.constants[i] if i in self.constants else _as_real(values[i]) for i in node.inputs]
        return self._placed(node.output, node.op.float_meaning(inputs))

    def _placed(self, name: str, y: torch.Tensor) -> torch.Tensor | Quantized:
        if name in self.real:
            return y
        grid = self.grids[name]
        return grid.codes(quantize_activation(y, grid))


def _as_real(value: torch.Tensor | Quantized) -> torch.Tensor:
    return value.real().float() if isinstance(value, Quantized) else value


def _codes(constant: Tensor) -> Quantized:
    assert constant.data is not None
    kind = constant.type
    q = torch.from_numpy(constant.data.astype(np.float64 if kind.dtype == "int32" else np.float32))
    return Quantized(q, torch.tensor(kind.scale, dtype=torch.float32), kind.zero_point, kind.code_bits)


def _decoded(constant: Tensor) -> torch.Tensor:
    """What a constant's codes stand for."""
    code = _codes(constant)
    shape = [1] * code.q.dim()
    if code.scale.numel() > 1:
        shape[constant.type.axis or 0] = -1
    return ((code.q - code.zero_point) * code.scale.reshape(shape)).float()


def outputs(mixture: Mixture, x: np.ndarray, batch: int = BATCH) -> np.ndarray:
    """Real inputs (n, *input shape) → real outputs (n, outputs)."""
    run = MixedRun(mixture)
    with torch.no_grad():
        parts = [run(torch.from_numpy(x[i : i + batch])).flatten(1) for i in range(0, len(x), batch)]
    return torch.cat(parts).numpy()
