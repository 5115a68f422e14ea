"""Columns of common exports are recognised by their names; what is not known is refused with what is there."""

from __future__ import annotations

import pytest

from pintsize.apps.wearable.channels import Channels, recognised
from pintsize.errors import DataError


@pytest.mark.parametrize(
    ("names", "source", "expected"),
    [
        (["heart_rate", "contact", "rr_s", "energy_kj"], "ble:AA", Channels(rate=0, contact=1)),
        (["Value"], "heartrate_seconds_merged.csv", Channels(rate=0)),
        (["distance", "heart_rate", "speed"], "garmin.csv", Channels(rate=1)),
        (["HR (bpm)", "Speed (km/h)"], "polar.CSV", Channels(rate=0)),
        (["HR [bpm]", "HRV [ms]"], "Polar_H10.txt", Channels(rate=0)),
        (["X [mg]", "Y [mg]", "Z [mg]"], "ACC.txt", Channels(acceleration=(0, 1, 2))),
        (["channel 0", "channel 1", "channel 2", "ambient"], "Polar_PPG.txt", Channels(ppg=0)),
        (["0"], "E4/HR.csv", Channels(rate=0)),
        (["0"], "E4/BVP.csv", Channels(ppg=0)),
        (["0", "1", "2"], "E4/ACC.csv", Channels(acceleration=(0, 1, 2))),
        (["z", "y", "x"], "Accelerometer.csv", Channels(acceleration=(2, 1, 0))),
        (["Acceleration x (m/s^2)", "Acceleration y (m/s^2)", "Acceleration z (m/s^2)"], "phyphox.csv",
         Channels(acceleration=(0, 1, 2))),
        (["accel_x", "accel_y", "accel_z", "gyro_x", "gyro_y", "gyro_z", "BVP"], "watch.csv",
         Channels(ppg=6, acceleration=(0, 1, 2), turning=(3, 4, 5))),
        (["ax", "ay", "az", "gx [deg/s]", "gy [deg/s]", "gz [deg/s]"], "imu.csv",
         Channels(acceleration=(0, 1, 2), turning=(3, 4, 5), turning_in_degrees=True)),
        (["RESP", "PLETH", "II"], "bidmc.csv", Channels(ppg=1, ecg=2)),
    ],
)  # fmt: skip
def test_common_exports_are_known(names: list[str], source: str, expected: Channels) -> None:
    assert recognised(names, source) == expected


def test_an_electrocardiogram_comes_before_a_pulse_before_a_sensors_word() -> None:
    assert recognised(["ppg", "ecg", "hr"]).heart == "ecg"
    assert recognised(["ppg", "hr"]).heart == "ppg"
    assert recognised(["hr"]).heart == "rate"
    assert recognised(["acc_x", "acc_y", "acc_z"]).heart is None


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["steps", "calories"], "day.csv"),
        (["Value"], "steps.csv"),
        (["0", "1"], "HR.csv"),
        (["acc_x", "acc_y"], "a.csv"),
    ],
)
def test_what_is_not_known_is_refused_with_what_there_is(names: list[str], source: str) -> None:
    with pytest.raises(DataError, match=names[0]):
        recognised(names, source)
