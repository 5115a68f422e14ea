"""The wearable as C: the activities' program and rule, and the heart rate's, for a microcontroller."""

from pintsize.apps.wearable.firmware.building import build
from pintsize.apps.wearable.firmware.program import Firmware, firmware

__all__ = ["Firmware", "build", "firmware"]
