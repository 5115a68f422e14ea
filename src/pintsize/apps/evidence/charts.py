"""The pictures of the evaluation page."""

from __future__ import annotations

import altair as alt
import numpy as np

from pintsize.apps.evidence.answers import Answers
from pintsize.apps.evidence.calibration import reliability
from pintsize.apps.evidence.coverage import at_threshold, risk_coverage

WIDTH, HEIGHT = 620, 220
#: more points than this are not seen
POINTS = 400


def risk_against_coverage(answers: Answers) -> alt.TopLevelMixin:
    """Share wrong (y) of the share answered (x), and where the application abstains."""
    curve = risk_coverage(answers)
    shown = np.unique(np.linspace(0, len(curve.risk) - 1, POINTS).astype(np.int64))
    rows = [{"coverage": float(curve.coverage[at]), "risk": float(curve.risk[at])} for at in shown]
    line = alt.Chart(alt.Data(values=rows)).mark_line(color="var(--accent)").encode(
        x=alt.X("coverage:Q", title="share answered", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("risk:Q", title="share of those that is wrong", axis=alt.Axis(format=".1%")),
    )  # fmt: skip
    found = at_threshold(answers)
    marked = [] if found is None else [{"coverage": found[0], "risk": found[1]}]
    point = alt.Chart(alt.Data(values=marked)).mark_point(filled=True, size=90, color="var(--bad)")
    return _sized(line, point.encode(x="coverage:Q", y="risk:Q"))


def right_against_confidence(answers: Answers) -> alt.TopLevelMixin:
    """Share right (y) of answers told with a confidence (x), beside the line where both are equal."""
    rows = [
        {"confidence": each.confidence, "right": each.right, "count": each.count}
        for each in reliability(answers)
    ]
    ends = alt.Data(values=[{"confidence": 0, "right": 0}, {"confidence": 1, "right": 1}])
    whole = alt.Scale(domain=[0, 1])
    x = alt.X("confidence:Q", title="confidence told", scale=whole)
    y = alt.Y("right:Q", title="share that is right", scale=whole, axis=alt.Axis(format=".0%"))
    even = alt.Chart(ends).mark_line(strokeDash=[4, 4], color="var(--quiet)").encode(x=x, y=y)
    size = alt.Size("count:Q", title="answers", scale=alt.Scale(range=[20, 400]))
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, color="var(--accent)", opacity=0.8)
    return _sized(even, points.encode(x=x, y=y, size=size))


def _sized(*layers: alt.Chart) -> alt.TopLevelMixin:
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
