"""The assistant as C: the pieces' own programs, and the decisions between them in integers."""

from pintsize.apps.assistant.firmware.building import build
from pintsize.apps.assistant.firmware.program import Firmware, firmware

__all__ = ["Firmware", "build", "firmware"]
