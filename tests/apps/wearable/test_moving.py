"""The accelerometer's unit is told by gravity; motion spoils a pulse, and rest takes a minute to be sure of."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from pintsize.apps.wearable.activity import ActivityModel, Told
from pintsize.apps.wearable.day import Day
from pintsize.apps.wearable.gravity import STANDARD_GRAVITY, UNITS, Gravity
from pintsize.apps.wearable.motion import Motion
from pintsize.apps.wearable.moving import Activity, MovingPart
from pintsize.stream.decision import Decision
from tests.apps.wearable.making import Worn, resting


@pytest.mark.parametrize("unit", list(UNITS))
def test_gravity_tells_the_unit(unit: str) -> None:
    gravity = Gravity(50.0)
    samples = np.stack(resting(50.0, 6, UNITS[unit]), axis=1)
    assert gravity.metres(samples[:100]) is None
    metres = gravity.metres(samples[100:])
    assert gravity.unit == unit
    assert metres is not None
    assert np.linalg.norm(metres, axis=1).mean() == pytest.approx(STANDARD_GRAVITY, rel=0.02)


@pytest.mark.parametrize("magnitude", [0.0, 0.1, 3.0, 30.0, 200.0])
def test_what_has_no_gravity_in_it_has_no_unit(magnitude: float) -> None:
    gravity = Gravity(50.0)
    assert gravity.metres(np.full((300, 3), magnitude / 3**0.5)) is None
    assert "where gravity should be" in str(gravity.reason)


def fed(motion: Motion, metres: np.ndarray, since_s: float = 0.0) -> float:
    for second in range(len(metres) // 50):
        motion.push(since_s + second + 1.0, metres[50 * second : 50 * second + 50])
    return since_s + len(metres) // 50


def test_rest_takes_a_minute() -> None:
    motion, still = Motion(50.0), np.stack(resting(50.0, 90), axis=1)
    assert motion.at_rest(0.0) is None
    now_s = fed(motion, still[: 50 * 30])
    assert motion.at_rest(now_s) is None
    now_s = fed(motion, still[50 * 30 :], now_s)
    assert motion.at_rest(now_s) is True
    assert motion.at_rest(now_s + 10) is None  # nothing came since


def test_shaking_spoils_the_pulse_for_a_while() -> None:
    motion, random = Motion(50.0), np.random.default_rng(0)
    shaken = np.stack(resting(50.0, 10), axis=1) + 5 * random.standard_normal((500, 3))
    now_s = fed(motion, shaken)
    assert motion.spoils(now_s) is not None
    assert motion.at_rest(now_s) is False
    assert motion.spoils(now_s + 5) is None
    motion.reset()
    assert motion.spoils(now_s) is None


class Counted:
    """In place of the activities' model: walking where the first axis shakes, and what it was given."""

    rate_hz, hop_samples = 50, 25

    def __init__(self) -> None:
        self.given: list[np.ndarray] = []
        self.resets = 0

    def ask(self, time_s: float, samples: np.ndarray) -> Told:
        self.given.append(samples)
        label = "WALKING" if samples[:, 0].std() > 500 else "SEATED"
        return Told(label, 0.9, "", time_s)

    def reset(self) -> None:
        self.resets += 1


def moved(
    samples: np.ndarray, rate_hz: float, in_degrees: bool = False
) -> tuple[Counted, list[Decision], Day]:
    names = ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"]
    source, day, model = Worn(names, list(samples.T), rate_hz), Day("d"), Counted()
    activity = Activity(cast(ActivityModel, model), rate_hz)
    part = MovingPart(source, range(6), day, activity, in_degrees)
    return model, [decision for block in source.blocks() for decision in part.see(block)], day


def walk(rate_hz: float, seconds: int = 60, gravity: float = 1.0, turning: float = 1.0) -> np.ndarray:
    """Still for half the time, then walking, turning about z all the while."""
    axes = np.array(resting(rate_hz, seconds, gravity))
    half = axes.shape[1] // 2
    axes[0, half:] += 0.5 * gravity * np.sin(np.arange(axes.shape[1] - half) * 2 * np.pi * 2 / rate_hz)
    turns = np.zeros_like(axes)
    turns[2] = turning
    return np.concatenate([axes, turns]).T


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
@pytest.mark.parametrize("gravity", [1.0, 9.81])
def test_activity_is_told_when_it_changes_at_any_rate_and_unit(rate_hz: float, gravity: float) -> None:
    _, told, day = moved(walk(rate_hz, gravity=gravity), rate_hz)
    kinds = [d.value for d in told if d.kind == "activity" and d.value]
    assert kinds == ["SEATED", "WALKING"]
    assert [span.label for span in day.activities] == ["SEATED", "WALKING"]
    assert day.activities[1].end_s - day.activities[1].start_s == pytest.approx(30, abs=2)


def test_the_model_is_given_codes_of_its_units() -> None:
    model, _, _ = moved(walk(50.0, gravity=1.0), 50.0)
    first = model.given[2].astype(float)
    assert np.linalg.norm(first[:, :3] / 500, axis=1).mean() == pytest.approx(STANDARD_GRAVITY, rel=0.02)
    assert (first[:, 5] / 2000).mean() == pytest.approx(1.0, rel=0.01)


def test_degrees_are_turned_into_radians() -> None:
    model, _, _ = moved(walk(50.0, turning=180.0), 50.0, in_degrees=True)
    assert (model.given[2][:, 5] / 2000).mean() == pytest.approx(np.pi, rel=0.01)


def test_a_broken_signal_makes_the_activity_unknown() -> None:
    samples = walk(50.0)
    samples[50 * 20 : 50 * 22] = np.nan
    model, told, _ = moved(samples, 50.0)
    activities = [(d.value, d.reason) for d in told if d.kind == "activity"]
    assert [value for value, _ in activities] == [None, "SEATED", None, "SEATED", "WALKING"]
    assert "not numbers" in str(activities[2][1])
    assert model.resets >= 2
