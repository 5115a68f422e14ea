"""From a model's numbers to decisions: small stages that are told a value and its time, and answer at once."""

from pintsize.stream.decision.calibration import Calibrated, Calibration, calibration_error, fit_temperature
from pintsize.stream.decision.decision import Decision, record
from pintsize.stream.decision.detector import Detection, Detector
from pintsize.stream.decision.endpoint import Endpointer, Endpointing
from pintsize.stream.decision.grammar import Grammar, Order
from pintsize.stream.decision.hysteresis import Hysteresis, Levels
from pintsize.stream.decision.orders import Listening, OrderMatcher
from pintsize.stream.decision.refractory import Refractory
from pintsize.stream.decision.smoothing import ExponentialSmoothing, MeanSmoothing
from pintsize.stream.decision.stage import Stage
from pintsize.stream.decision.thresholds import Classifier, Thresholds
from pintsize.stream.decision.tracker import MedianTracker, Tracking

__all__ = [
    "Calibrated", "Calibration", "Classifier", "Decision", "Detection", "Detector", "Endpointer", "Endpointing",
    "ExponentialSmoothing", "Grammar", "Hysteresis", "Levels", "Listening", "MeanSmoothing", "MedianTracker", "Order",
    "OrderMatcher", "Refractory", "Stage", "Thresholds", "Tracking", "calibration_error", "fit_temperature", "record",
]  # fmt: skip
