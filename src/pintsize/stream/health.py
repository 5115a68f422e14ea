"""Is what comes in fit for a decision? Each block is judged as the source gave it, before any conversion.

| fault | what was seen | the block's samples |
|---|---|---|
| gap | samples are missing before it, as the source says | fit, but whatever has state starts anew |
| clock | its time does not follow, ahead or back | fit, but whatever has state starts anew |
| rate | samples come at another rate than was said | not to be used |
| duplicate | it repeats the time of the block before | not to be used |
| order | it comes after a later one | not to be used |
| nan | NaN or infinity in it | not to be used |
| dead | nothing came | none |
| flat | one value, at or near 0, for long | fit for filters, not for a decision |
| stuck | one value away from 0 for long, or the same samples again and again | so too |
| clip | too much at the limits | so too |
| silence | too quiet for long (only where a level is set) | so too |
"""

from __future__ import annotations

from dataclasses import dataclass

from pintsize.errors import DataError
from pintsize.stream.block import Block
from pintsize.stream.finding import Finding
from pintsize.stream.levels import Clipping, Flatness, Quiet, Repetition, not_a_number
from pintsize.stream.source import Source
from pintsize.stream.timing import Timing

#: faults after which a block's samples must not reach a model
UNUSABLE = frozenset({"rate", "duplicate", "order", "nan", "dead"})
#: faults after which whatever has state starts anew
BREAKS = frozenset({"gap", "clock"})
#: faults whose samples are missing to what follows; what came twice, late or not at all leaves no hole of its own
_LOST = frozenset({"rate", "nan"})


@dataclass(frozen=True)
class Health:
    """The judgement on one block.

    ok: a decision may rest on it; if not, the value is None and the reason goes with it
    reason: what is wrong, for a person to read; None where nothing is
    faults: the kinds, as in the table above
    usable: the samples may be given to filters and models
    reset: whatever has state starts anew before this block; also at a new clip and after samples that were not usable
    at_s: the block's start by the source's clock
    """

    ok: bool
    reason: str | None
    faults: tuple[str, ...]
    usable: bool
    reset: bool
    at_s: float


@dataclass(frozen=True)
class HealthLimits:
    """From when on something is a fault; None switches a check off.

    flat_s: one value for this long, and 30 samples, is flat or stuck; for pictures: the same one for so long
    flat_step: neighbours that differ by no more than this, in the source's units, count as one value
    clip_share: this share of the last half second at the limits, in runs of three and more, is clipping
    silence_level: root mean square below this share of full scale for silence_s is silence
    repeats: a block that comes this many times more is a stuck sensor; off, since a pure tone does that
    gap_s: gaps up to this are borne (a camera that lost some pictures)
    Raises DataError when built with a figure below 0.
    """

    flat_s: float | None = 1.0
    flat_step: float = 0.0
    clip_share: float | None = 0.02
    silence_level: float | None = None
    silence_s: float = 1.0
    repeats: int | None = None
    gap_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flat_s", "flat_step", "clip_share", "silence_level", "silence_s", "repeats", "gap_s"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise DataError(f"{name}={value}: must not be below 0")


class Monitor:
    """Judges block after block; give it every one, heartbeats too.

    rate_hz, full_scale, saturates_at: the source's
    """

    def __init__(
        self,
        rate_hz: float,
        full_scale: float = 1.0,
        saturates_at: tuple[float, float] | None = None,
        limits: HealthLimits | None = None,
    ) -> None:
        limits = limits or HealthLimits()
        self._timing = Timing(rate_hz, limits.gap_s)
        self._levels: list[Flatness | Clipping | Quiet | Repetition] = []
        if limits.flat_s is not None:
            self._levels.append(Flatness(limits.flat_s, limits.flat_step, full_scale))
        if limits.repeats is not None:
            self._levels.append(Repetition(limits.repeats))
        if limits.clip_share is not None:
            self._levels.append(Clipping(limits.clip_share, saturates_at))
        if limits.silence_level is not None:
            self._levels.append(Quiet(limits.silence_level * full_scale, limits.silence_s))
        self._origin: str | None = None
        self._heard_s: float | None = None
        self._skipped = False

    def see(self, block: Block) -> Health:
        """The judgement on the next block."""
        if not len(block.samples):
            return self._judged(block, [self._dead(block)], new=False)
        new = self._origin is not None and block.origin != self._origin
        self._origin = block.origin
        if new:
            self._timing.restart()
        findings = [found for found in (self._timing.see(block), not_a_number(block)) if found]
        kinds = {found.kind for found in findings}
        if new or kinds & (BREAKS | UNUSABLE):
            for check in self._levels:
                check.restart()
        if not kinds & UNUSABLE:
            self._heard_s = block.end_s
            findings += [found for check in self._levels if (found := check.see(block))]
        return self._judged(block, findings, new)

    def _dead(self, block: Block) -> Finding:
        if self._heard_s is None:
            return Finding("dead", "no samples yet")
        silent_s = max(block.start_s - self._heard_s, 0.0)
        return Finding("dead", f"no samples for {silent_s:.1f} s, since {self._heard_s:.3f} s")

    def _judged(self, block: Block, findings: list[Finding], new: bool) -> Health:
        faults = tuple(dict.fromkeys(found.kind for found in findings))
        usable = not UNUSABLE & set(faults)
        reset = usable and (new or self._skipped or bool(BREAKS & set(faults)))
        if usable:
            self._skipped = False
        else:
            self._skipped = self._skipped or bool(_LOST & set(faults))
        reason = "; ".join(found.reason for found in findings) or None
        return Health(not findings, reason, faults, usable, reset, block.start_s)


def monitor_of(source: Source, limits: HealthLimits | None = None) -> Monitor:
    """The monitor that fits a source. Newest-wins sources lose pictures as they should: half a second is borne."""
    if limits is None:
        limits = HealthLimits(gap_s=0.0 if source.lossless else 0.5)
    return Monitor(source.rate_hz, source.full_scale, source.saturates_at, limits)
