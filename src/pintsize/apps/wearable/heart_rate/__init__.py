"""Heart rate from a pulse wave (PPG) or an electrocardiogram: integers from the raw sample to the beats."""

from pintsize.apps.wearable.heart_rate.heart_rate import HeartRate, load_heart_rate
from pintsize.apps.wearable.heart_rate.kinds import ECG, KINDS, PPG, Kind
from pintsize.apps.wearable.heart_rate.rates import Rate

__all__ = ["ECG", "KINDS", "PPG", "HeartRate", "Kind", "Rate", "load_heart_rate"]
