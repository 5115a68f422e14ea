"""A model of pictures as C: the gate, the network and the decision, raw pixels in."""

from pintsize.apps.images.firmware.building import build
from pintsize.apps.images.firmware.program import Firmware, firmware

__all__ = ["Firmware", "build", "firmware"]
