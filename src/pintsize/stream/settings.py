"""How a run is set up, and what an application's decisions must answer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import UserError
from pintsize.stream.convert import Conversion
from pintsize.stream.decision import Decision
from pintsize.stream.framing import Frame
from pintsize.stream.health import HealthLimits
from pintsize.stream.overload import Overload
from pintsize.stream.sinks.outbox import Keeping

Told = Decision | Sequence[Decision] | None


class Decider(Protocol):
    """An application's decisions: any `Stage` that takes a model's outputs is one. It may say several at once."""

    def update(self, time_s: float, value: NDArray[np.float32] | None, /) -> Told: ...
    def reset(self, reason: str, /) -> Told: ...
    def finish(self, time_s: float, /) -> Told: ...


@runtime_checkable
class Listener(Protocol):
    """A decider that also wants the samples: to hand a phrase of them to a second model, once the first one says so."""

    def hear(self, frame: Frame, fit: bool, /) -> None:
        """What the next `update` is about, converted; fit: False where no decision may rest on it."""
        ...


@dataclass(frozen=True)
class Settings:
    """How to run.

    conversion: what the artifact wants of the samples
    full_scale: what the source's full scale is to the artifact, whatever the samples' type: 1.0 for sound; 163.84 where
      it takes millivolts and 5 µV are one count of 16 bits
    window_samples: that the artifact takes at a time; None: its input's size over the channels (1 for pictures)
    hop_samples: a step every so many samples; None: one window after the other
    limits: of the signal's health; None: those that fit the source
    deadline_s: for each step; None: the hop's length, which is what real time asks for
    live: the source does not wait; False for whatever can be read as slowly as needed
    modelled_step_s: act as a device that needs that long for a step, on the source's clock
    mj_per_step: energy of one step on the device; None: what the artifact's manifest says
    energy_device: which device that is; None: the one of the manifest
    offline: refuse sinks that leave the device
    """

    conversion: Conversion = field(default_factory=Conversion)
    full_scale: float = 1.0
    window_samples: int | None = None
    hop_samples: int | None = None
    limits: HealthLimits | None = None
    deadline_s: float | None = None
    live: bool = False
    modelled_step_s: float | None = None
    overload: Overload = field(default_factory=Overload)
    mj_per_step: float | None = None
    energy_device: str | None = None
    offline: bool = True
    keeping: Keeping = field(default_factory=Keeping)

    def __post_init__(self) -> None:
        if not self.full_scale > 0:
            raise UserError(f"a full scale of {self.full_scale}: more than 0")
        if self.deadline_s is not None and not self.deadline_s > 0:
            raise UserError(f"a deadline of {self.deadline_s} s: more than 0")
        if self.live and self.modelled_step_s is not None:
            raise UserError(
                "a live source runs as fast as this computer does: modelled_step_s is for replays"
            )
