"""Low-rank factors: a layer of weights becomes two thinner ones, through as few numbers as its outputs really span.

A layer y = W x + b whose outputs vary along few directions P (outputs, rank) is projected on them:
y ≈ P Pᵀ (y - mean) + mean. The first factor PᵀW keeps the layer's op (window, stride, table of ids); the second, P, is
1x1. The directions are the principal ones of the outputs on samples; without samples, of the weights alone.
Sources: Denton et al., "Exploiting Linear Structure Within Convolutional Networks", 2014; outputs rather than weights:
Zhang et al., "Accelerating Very Deep Convolutional Networks", 2016; tables of ids: Lan et al., "ALBERT", 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from pintsize.errors import UserError
from pintsize.graph import Graph, Node, Op, Tensor, rebuild
from pintsize.module import run_float
from pintsize.ops import Conv2d, Embedding, Linear
from pintsize.passes.neighbours import constant, free_name, own_constant, replaced
from pintsize.spec import check

LAYERS = (Conv2d, Embedding, Linear)
AT_ONCE = 256


@dataclass(frozen=True)
class Directions:
    """What a layer's outputs do: their mean (outputs,), the principal directions (outputs, outputs) as columns, and
    the power along each, falling.
    """

    mean: np.ndarray
    vectors: np.ndarray
    powers: np.ndarray

    def rank(self, kept: float) -> int:
        """The fewest directions with this share of the power."""
        total = self.powers.sum()
        if total <= 0.0:
            return 1
        return int(np.searchsorted(np.cumsum(self.powers) / total, kept - 1e-9)) + 1


@dataclass(frozen=True)
class Moments:
    """Sums over rows of a layer's outputs: how many, their sum (outputs,), their products (outputs, outputs)."""

    count: int
    total: np.ndarray
    products: np.ndarray

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.total + other.total, self.products + other.products)

    def directions(self) -> Directions:
        mean = self.total / self.count
        return _principal(mean, self.products / self.count - np.outer(mean, mean))


@dataclass(frozen=True)
class Factorize:
    """How to factorize.

    kept: share of the power of a layer's outputs, about their mean, that its factors keep, in (0, 1];
    layer_ranks: node name → rank of that layer, whatever it saves; alignment: ranks are rounded up to a multiple of it;
    least_saving: a layer stays whole where factors save a smaller share of its weights, in [0, 1).
    """

    kept: float = 0.98
    layer_ranks: Mapping[str, int] = field(default_factory=dict)
    alignment: int = 4
    least_saving: float = 0.25

    def __post_init__(self) -> None:
        if not 0.0 < self.kept <= 1.0:
            raise UserError(f"the share of power that is kept must be above 0 and at most 1, not {self.kept}")
        if not 0.0 <= self.least_saving < 1.0:
            raise UserError(f"the least saving must be at least 0 and below 1, not {self.least_saving}")
        if self.alignment < 1 or any(rank < 1 for rank in self.layer_ranks.values()):
            raise UserError("alignment and ranks must be at least 1")

    def __call__(self, graph: Graph, samples: np.ndarray | None = None) -> Graph:
        """A float Graph in which layers stand as two where that saves weights.

        samples: (n, *input shape), channels last. Raises UserError for an unknown layer, a rank that its outputs do
        not have, or no samples at all.
        """
        if samples is not None and not len(samples):
            raise UserError("no samples to find the directions of outputs with: give some, or None")
        layers = [n for n in graph.nodes if isinstance(n.op, LAYERS)]
        unknown = set(self.layer_ranks) - {n.name for n in layers}
        if unknown:
            raise UserError(
                f"no layer to factorize is named {sorted(unknown)}; there are {[n.name for n in layers]}"
            )
        directions = _of_weights(graph, layers) if samples is None else _of_outputs(graph, layers, samples)
        for node in layers:
            rank = self._rank(graph, node, directions[node.name])
            if rank is not None:
                graph = factorized(graph, node, directions[node.name], rank)
        check(graph, "float")
        return graph

    def _rank(self, graph: Graph, node: Node, directions: Directions) -> int | None:
        """None: the layer stays whole."""
        outputs, inputs = _matrix(graph, node).shape
        if node.name in self.layer_ranks:
            rank = self.layer_ranks[node.name]
            if rank > outputs:
                raise UserError(f"{node.name} has {outputs} outputs: its rank cannot be {rank}")
            return rank
        rank = -(-directions.rank(self.kept) // self.alignment) * self.alignment
        saved = 1.0 - rank * (outputs + inputs) / (outputs * inputs)
        return rank if rank < outputs and saved >= max(self.least_saving, 1e-9) else None


def factorized(graph: Graph, node: Node, directions: Directions, rank: int) -> Graph:
    """The float Graph with one layer as two of this rank."""
    weight, bias = (graph.constant(c) for c in node.inputs[1:3])
    chosen = directions.vectors[:, :rank]  # (outputs, rank)
    middle = free_name(graph, f"{node.output}.factor")
    thin = own_constant(graph, node, node.inputs[1], np.tensordot(chosen.T, weight, 1))
    nothing = constant(free_name(graph, f"{node.name}.factor.bias"), np.zeros(rank))
    spread = constant(free_name(graph, f"{node.name}.expand.weight"), _as_weight(node.op, chosen))
    rest = directions.mean - chosen @ (chosen.T @ (directions.mean - bias))
    offset = own_constant(graph, node, node.inputs[2], rest)
    first = replace(node, name=free_name(graph, f"{node.name}.factor"), op=_without_activation(node.op),
                    inputs=(node.inputs[0], thin.name, nothing.name), output=middle)  # fmt: skip
    second = replace(node, op=_second(node.op), inputs=(middle, spread.name, offset.name))
    constants: list[Tensor] = [thin, nothing, spread, offset]
    return rebuild(graph, replaced(graph, {node: (first, second)}), {t.name: t for t in constants})


def _second(op: Op) -> Op:
    """What spreads the few numbers out to the layer's outputs."""
    if isinstance(op, Conv2d):
        return Conv2d(activation=op.activation)
    return Linear(op.activation if isinstance(op, Linear) else "none")


def _as_weight(op: Op, matrix: np.ndarray) -> np.ndarray:
    return matrix[:, None, None, :] if isinstance(op, Conv2d) else matrix


def _without_activation(op: Op) -> Op:
    return replace(op, activation="none") if isinstance(op, Conv2d | Linear) else op


def _matrix(graph: Graph, node: Node) -> np.ndarray:
    """(outputs, inputs of one output)."""
    weight = graph.constant(node.inputs[1])
    return weight.reshape(len(weight), -1)


def _of_weights(graph: Graph, layers: list[Node]) -> dict[str, Directions]:
    """As if every input of a layer varied alike, around 0."""
    matrices = {n: _matrix(graph, n).astype(np.float64) for n in layers}
    return {n.name: _principal(graph.constant(n.inputs[2]), m @ m.T) for n, m in matrices.items()}


def _of_outputs(graph: Graph, layers: list[Node], samples: np.ndarray) -> dict[str, Directions]:
    """Of the layers' outputs before their activation."""
    by_output = {n.output: n for n in layers}
    found: dict[str, Moments] = {}
    seen: dict[str, torch.Tensor] = {}

    def observe(name: str, value: torch.Tensor) -> None:
        seen[name] = value
        node = by_output.get(name)
        if node is not None:
            rows = _before_activation(graph, node, seen).reshape(-1, value.shape[-1]).double().numpy()
            more = Moments(len(rows), rows.sum(0), rows.T @ rows)
            found[node.name] = found[node.name] + more if node.name in found else more

    with torch.no_grad():
        for start in range(0, len(samples), AT_ONCE):
            run_float(
                graph, torch.from_numpy(np.ascontiguousarray(samples[start : start + AT_ONCE])), observe
            )
    return {name: moments.directions() for name, moments in found.items()}


def _before_activation(graph: Graph, node: Node, seen: Mapping[str, torch.Tensor]) -> torch.Tensor:
    bare = _without_activation(node.op)
    if bare == node.op:
        return seen[node.output]
    constants = [torch.from_numpy(np.ascontiguousarray(graph.constant(c))) for c in node.inputs[1:]]
    return bare.float_meaning([seen[node.inputs[0]], *constants])


def _principal(mean: np.ndarray, covariance: np.ndarray) -> Directions:
    """Eigenvectors by falling power, each with its largest entry positive, so that they are the same anywhere."""
    powers, vectors = np.linalg.eigh(covariance)
    powers, vectors = powers[::-1], vectors[:, ::-1]
    signs = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(vectors.shape[1])])
    return Directions(np.asarray(mean, np.float64), vectors * signs, np.maximum(powers, 0.0))
