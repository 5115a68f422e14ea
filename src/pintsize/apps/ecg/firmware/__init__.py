"""The ECG as C: the pieces' own programs, and the gate, the rhythm and the triage between them in integers."""

from pintsize.apps.ecg.firmware.building import build
from pintsize.apps.ecg.firmware.program import Firmware, firmware

__all__ = ["Firmware", "build", "firmware"]
