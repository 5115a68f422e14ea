"""Signal to noise at every layer: what pruning, rounded weights and rounded activations do to its output.

In decibels, 10 log10(mean square of the signal / mean square of the difference); 6 dB are one bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from pintsize.arithmetic import quantize_activation
from pintsize.explaining.mixture import BATCH, MixedRun, Mixture, activations_of, constants_of
from pintsize.graph import Graph, Node
from pintsize.module import run_float

#: where nothing differs, and beyond what anybody needs
MOST_DB = 99.0


@dataclass(frozen=True)
class Noise:
    """One layer's output in decibels; None where there is nothing to compare.

    pruned: the network in real numbers against the teacher's tensor of the same name and width, each channel up to a
    factor; weights, activations, both: rounded so throughout the network, against the same network in real numbers;
    own_weights, own_output: only this layer's weights, or only its output, rounded.
    """

    pruned: float | None
    weights: float | None
    activations: float | None
    both: float | None
    own_weights: float | None
    own_output: float | None


@dataclass
class _Ratio:
    """Signal and noise, summed up."""

    signal: float = 0.0
    noise: float = 0.0

    def add(self, wanted: torch.Tensor, found: torch.Tensor) -> None:
        self.signal += float(wanted.double().square().sum())
        self.noise += float((found.double() - wanted.double()).square().sum())

    def db(self) -> float | None:
        return decibels(self.signal, self.noise)


@dataclass
class _Match:
    """A tensor of the teacher and one of the student, each channel up to a factor."""

    wanted: np.ndarray | float = 0.0
    found: np.ndarray | float = 0.0
    product: np.ndarray | float = 0.0

    def add(self, wanted: torch.Tensor, found: torch.Tensor) -> None:
        a, b = (t.reshape(-1, t.shape[-1]).double().numpy() for t in (wanted, found))
        self.wanted = self.wanted + (a * a).sum(0)
        self.found = self.found + (b * b).sum(0)
        self.product = self.product + (a * b).sum(0)

    def db(self) -> float | None:
        explained = np.square(self.product) / np.maximum(self.found, 1e-30)
        return decibels(float(np.sum(self.wanted)), float(np.sum(np.maximum(self.wanted - explained, 0.0))))


def decibels(signal: float, noise: float) -> float | None:
    """None for no signal."""
    if signal <= 0.0:
        return None
    return float(min(MOST_DB, 10.0 * np.log10(signal / noise))) if noise > 0.0 else MOST_DB


def noises(annotated: Graph, plain: Graph, teacher: Graph | None, x: np.ndarray) -> dict[str, Noise]:
    """Node name → its noise, over inputs x (n, *input shape). plain: with the constants of real numbers."""
    ear = _Ear(annotated, plain, teacher)
    with torch.no_grad():
        for start in range(0, len(x), BATCH):
            ear.listen(torch.from_numpy(x[start : start + BATCH]))
    return {n.name: ear.noise(n) for n in annotated.nodes}


class _Ear:
    """Runs the networks side by side and compares every tensor."""

    def __init__(self, annotated: Graph, plain: Graph, teacher: Graph | None) -> None:
        self.graph, self.teacher = annotated, teacher
        names, whole = activations_of(annotated), Mixture(annotated, plain=plain)
        self.plain = MixedRun(whole.leaving(annotated.tensors))
        self.rounded = {
            "weights": MixedRun(whole.leaving(names)),
            "activations": MixedRun(whole.leaving(constants_of(annotated))),
            "both": MixedRun(whole),
        }
        self.sums = {k: {n: _Ratio() for n in names} for k in (*self.rounded, "own_weights", "own_output")}
        alike = {n for n in names if teacher and n in teacher.tensors and _same_shape(teacher, annotated, n)}
        self.matches = {n: _Match() for n in alike}

    def listen(self, x: torch.Tensor) -> None:
        wanted: dict[str, torch.Tensor] = {}
        self.plain(x, wanted.__setitem__)
        for step, run in self.rounded.items():
            run(x, lambda name, value, sums=self.sums[step]: sums[name].add(wanted[name], value))
        for node in self.graph.nodes:
            self._listen_alone(node, wanted)
        if self.teacher is not None:
            run_float(self.teacher, x, lambda name, value: self._match(name, value, wanted))

    def _listen_alone(self, node: Node, wanted: Mapping[str, torch.Tensor]) -> None:
        y = wanted[node.output]
        grid = self.rounded["both"].grids[node.output]
        self.sums["own_output"][node.output].add(y, grid.codes(quantize_activation(y, grid)).real())
        if self.graph.constants(node):
            constants = self.rounded["weights"].constants
            inputs = [constants[i] if i in constants else wanted[i] for i in node.inputs]
            self.sums["own_weights"][node.output].add(y, node.op.float_meaning(inputs))

    def _match(self, name: str, value: torch.Tensor, wanted: Mapping[str, torch.Tensor]) -> None:
        if name in self.matches:
            self.matches[name].add(value, wanted[name])

    def noise(self, node: Node) -> Noise:
        name = node.output
        matched = self.matches[name].db() if name in self.matches else None
        steps = {step: sums[name].db() for step, sums in self.sums.items()}
        return Noise(matched, **steps)


def _same_shape(a: Graph, b: Graph, name: str) -> bool:
    return a.type(name).shape == b.type(name).shape
