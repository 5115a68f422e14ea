"""A suspect: what may cost accuracy, where, what speaks for it, how to put it right for a test, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pintsize.compress.calibrate import Range
from pintsize.explaining.mixture import Mixture, activations_of
from pintsize.explaining.noise import Noise
from pintsize.explaining.observed import Observed, Reach
from pintsize.graph import Graph, Tensor, TensorType
from pintsize.module import tied_groups
from pintsize.ops.embedding import ids_read

Kind = Literal[
    "calibration differs", "coarse input", "mixed-scale concat", "range outlier", "saturation", "channel imbalance",
    "narrow weights", "weight outlier", "coarse activation", "coarse weights", "smaller network",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Restoration:
    """What is put right for a test. how: in words; real: tensors left in real numbers; tensors: put in place."""

    how: str
    real: frozenset[str] = frozenset()
    tensors: tuple[Tensor, ...] = ()

    def __call__(self, mixture: Mixture) -> Mixture:
        return mixture.with_tensors(*self.tensors).leaving(self.real)

    @property
    def touched(self) -> frozenset[str]:
        return self.real | {t.name for t in self.tensors}

    def __add__(self, other: Restoration) -> Restoration:
        return Restoration(self.how, self.real | other.real, (*self.tensors, *other.tensors))


@dataclass(frozen=True, eq=False)
class Suspect:
    """places: names of layers, or "the input"; evidence: what was seen there; fix: the option that helps."""

    kind: Kind
    places: tuple[str, ...]
    evidence: str
    restoration: Restoration
    fix: str


@dataclass(frozen=True, eq=False)
class Scene:
    """What the detectors look at.

    graph: annotated; plain: with the constants of real numbers; seen: activation → what it is like on the samples
    judged by; calibration: how far it reached where the grids come from; noise: by node name. groups: activations on
    one grid, except those whose grid the specification fixes.
    """

    graph: Graph
    plain: Graph
    seen: Mapping[str, Observed]
    calibration: Mapping[str, Reach]
    noise: Mapping[str, Noise]
    groups: tuple[tuple[str, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        leaders = tied_groups(self.graph)
        found: dict[str, list[str]] = {}
        for name in activations_of(self.graph):
            found.setdefault(leaders[name], []).append(name)
        fixed = {leaders[n.output] for n in self.graph.nodes if n.op.fixed_output() is not None}
        if ids_read(self.graph):
            fixed.add(leaders[self.graph.inputs[0]])
        free = tuple(tuple(group) for leader, group in found.items() if leader not in fixed)
        object.__setattr__(self, "groups", free)

    def place(self, tensor: str) -> str:
        """The layer that makes a tensor."""
        node = self.graph.producer(tensor)
        return "the input" if node is None else node.name

    def group(self, tensor: str) -> tuple[str, ...]:
        """All that share the tensor's grid; none where the specification fixes it."""
        return next((g for g in self.groups if tensor in g), ())

    def left_real(self, names: tuple[str, ...]) -> Restoration:
        return Restoration("left in real numbers", frozenset(names))

    def regrid(self, group: tuple[str, ...], low: float, high: float, how: str) -> Restoration:
        """The group on a grid from low to high."""
        return Restoration(how, tensors=tuple(self._on(name, low, high) for name in group))

    def _on(self, name: str, low: float, high: float) -> Tensor:
        kind = self.graph.type(name)
        scale, zero_point = Range(low, high).grid(kind.code_bits)
        return Tensor(name, TensorType(kind.shape, kind.dtype, (scale,), zero_point))
