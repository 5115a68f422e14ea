"""Spoken digits: one int8 model on raw samples that tells which digit a phrase is, or that it is none."""

from pintsize.apps.assistant.digits.digits import Digits

__all__ = ["Digits"]
