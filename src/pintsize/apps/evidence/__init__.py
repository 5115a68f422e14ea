"""What stands behind an application's figures: risk against coverage, calibration, intervals by patient or person."""

from pintsize.apps.evidence.answers import Answers
from pintsize.apps.evidence.bootstrap import Interval, bootstrap
from pintsize.apps.evidence.calibration import expected_calibration_error, reliability
from pintsize.apps.evidence.coverage import RiskCoverage, risk_coverage
from pintsize.apps.evidence.evaluation import Evaluation, joined
from pintsize.apps.evidence.page import evidence_page

__all__ = [
    "Answers",
    "Evaluation",
    "Interval",
    "RiskCoverage",
    "bootstrap",
    "evidence_page",
    "expected_calibration_error",
    "joined",
    "reliability",
    "risk_coverage",
]
