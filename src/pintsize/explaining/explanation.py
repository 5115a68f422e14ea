"""Where the accuracy went: the numbers, ready to print, to draw and to save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pintsize.explaining.suspect import Kind


@dataclass(frozen=True)
class Step:
    """The network after one step: its accuracy, and its divergence from the teacher (nats; share of the variance)."""

    name: str
    accuracy: float
    divergence: float


@dataclass(frozen=True)
class LayerLoss:
    """One layer. Decibels as in `explaining.noise.Noise`.

    weight_bits: None without weights; restored_gain: divergence that goes away when this layer's weights and output
    alone are left in real numbers; dead: output channels that never change on the samples.
    """

    name: str
    op: str
    source: str
    weight_bits: int | None
    activation_bits: int
    pruned_db: float | None
    weights_db: float | None
    activations_db: float | None
    all_db: float | None
    own_weights_db: float | None
    own_output_db: float | None
    restored_gain: float
    clipped: float
    peak_to_usual: float | None
    channels: int
    dead: int


@dataclass(frozen=True)
class NamedCause:
    """A cause with its proof: the step before and after it was put right, on top of the causes named before it."""

    kind: Kind
    places: tuple[str, ...]
    evidence: str
    restored: str
    accuracy_before: float
    accuracy_after: float
    divergence_before: float
    divergence_after: float
    fix: str


@dataclass(frozen=True)
class Explanation:
    """All of it measured on `samples` samples. unit: of divergences; labelled: against labels, not the teacher."""

    name: str
    samples: int
    labelled: bool
    goal: str
    unit: str
    steps: tuple[Step, ...]
    layers: tuple[LayerLoss, ...]
    causes: tuple[NamedCause, ...]
    notes: tuple[str, ...]

    def as_data(self) -> Mapping[str, Any]:
        """What `explanation.json` holds."""
        return asdict(self)
