"""Which parts a source has: its channels are recognised, and each kind gets its models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pintsize.apps.stages import Stage
from pintsize.apps.wearable.activity import load_activity
from pintsize.apps.wearable.alerts import Alerts
from pintsize.apps.wearable.channels import Channels, recognised
from pintsize.apps.wearable.day import Day
from pintsize.apps.wearable.heart import HeartPart, OfSensor, OfSignal
from pintsize.apps.wearable.heart_rate import KINDS, HeartRate
from pintsize.apps.wearable.heart_rate.following import Following
from pintsize.apps.wearable.moving import LEAST_HZ, NO_TURNING, Activity, MovingPart
from pintsize.apps.wearable.part import Part
from pintsize.apps.wearable.wearer import Wearer, weights_of
from pintsize.errors import DataError
from pintsize.stream.artifact import load
from pintsize.stream.source import Source, Wrapping
from pintsize.stream.sources.described import Described, numbered

#: without an accelerometer
NO_REST = (
    "no accelerometer: a high rate cannot be told from effort, so it is no alert (--rests says that you rest)"
)
#: below this rate a pulse wave cannot be read
_LEAST_SIGNAL_HZ = {"ppg": 15.0, "ecg": 60.0}
TOO_SLOW = "a pulse wave needs 15 Hz and an electrocardiogram 60 Hz for a heart rate, the source is at {rate_hz:g} Hz"


@dataclass(frozen=True, eq=False)
class Parts:
    """all: in the order in which they see a block; stages: the models that they ask"""

    all: tuple[Part, ...]
    stages: tuple[Stage[..., Any], ...]
    channels: Channels


def names_of(source: Source) -> tuple[str, ...]:
    """The source's names of its channels, through whatever wraps it; numbers where it has none."""
    inner = innermost(source)
    names = inner.description.channel_names if isinstance(inner, Described) else ()
    return names if len(names) == source.channels else numbered(source.channels)


def innermost(source: Source) -> Source:
    """What is wrapped in faults, pace and conversions."""
    while isinstance(source, Wrapping):
        source = source.source
    return source


def parts_of(source: Source, day: Day, wearer: Wearer, weights: Path | None = None) -> Parts:
    """Raises DataError where no channel is known or none is fast enough, VerificationError for changed weights."""
    channels = recognised(names_of(source), source.name)
    stages: list[Stage[..., Any]] = []
    found: list[Part] = []
    moving = _moving(source, channels, day, weights, stages)
    if moving is not None:
        found.append(moving)
    heart = _heart(source, channels, day, wearer, weights, stages, moving)
    if heart is not None:
        found.append(heart)
    if not found:
        raise DataError(f"{source.name}: {TOO_SLOW.format(rate_hz=source.rate_hz)}")
    return Parts(tuple(found), tuple(stages), channels)


def _moving(
    source: Source, channels: Channels, day: Day, weights: Path | None, stages: list[Stage[..., Any]]
) -> MovingPart | None:
    if channels.acceleration is None:
        return None
    if channels.turning is None or source.rate_hz < LEAST_HZ:
        slow = f"activity needs {LEAST_HZ:g} Hz, the source is at {source.rate_hz:g} Hz"
        day.notes.append(NO_TURNING if channels.turning is None else slow)
        return MovingPart(source, channels.acceleration, day, None)
    model = load_activity(weights_of(weights, "activity"))
    stage = Stage("activity", model.artifact, model.ask)
    stages.append(stage)
    activity = Activity(model, source.rate_hz, stage)
    both = (*channels.acceleration, *channels.turning)
    return MovingPart(source, both, day, activity, channels.turning_in_degrees)


def _heart(
    source: Source, channels: Channels, day: Day, wearer: Wearer, weights: Path | None,
    stages: list[Stage[..., Any]], moving: MovingPart | None,
) -> HeartPart | None:  # fmt: skip
    kind = _kind(source, channels)
    if kind is None:
        slow = TOO_SLOW.format(rate_hz=source.rate_hz)
        day.notes.append("no channel that a heart rate comes from" if channels.heart is None else slow)
        return None
    motion = None if moving is None else moving.motion
    if motion is None and not wearer.rests:
        day.notes.append(NO_REST)

    def at_rest(time_s: float) -> bool | None:
        return (wearer.rests or None) if motion is None else motion.at_rest(time_s)

    alerts = Alerts(wearer.alerts)
    if kind == "rate":
        own = (channels.rate,) if channels.contact is None else (channels.rate, channels.contact)
        indices = tuple(channel for channel in own if channel is not None)
        return HeartPart(source, indices, OfSensor(), day, alerts, at_rest)
    heart = HeartRate(load(weights_of(weights, f"heart_rate_{kind}")), KINDS[kind])
    stage = Stage(f"heart rate, {heart.kind.title}", heart.artifact, heart.push)
    stages.append(stage)
    following = Following(heart, source.rate_hz, stage)

    def spoilt(time_s: float) -> str | None:
        return motion.spoils(time_s) if motion is not None and kind == "ppg" else None

    def noted(line: str) -> None:
        if line not in day.notes:
            day.notes.append(line)

    channel = channels.ppg if kind == "ppg" else channels.ecg
    assert channel is not None
    return HeartPart(source, (channel,), OfSignal(following, spoilt, noted), day, alerts, at_rest)


def _kind(source: Source, channels: Channels) -> str | None:
    """The best that the source's rate allows."""
    offered = (("ecg", channels.ecg), ("ppg", channels.ppg), ("rate", channels.rate))
    return next(
        (
            kind
            for kind, channel in offered
            if channel is not None and source.rate_hz >= _LEAST_SIGNAL_HZ.get(kind, 0.0)
        ),
        None,
    )
