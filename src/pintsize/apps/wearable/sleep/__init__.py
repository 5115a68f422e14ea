"""Sleep stages of a night, from features of 30 s epochs."""

from pintsize.apps.wearable.sleep.sleep import Night, SleepModel, load_sleep

__all__ = ["Night", "SleepModel", "load_sleep"]
