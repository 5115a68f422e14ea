"""The evaluation page: figures with their intervals, risk against coverage, calibration."""

from __future__ import annotations

from pintsize.apps.evidence.answers import Answers
from pintsize.apps.evidence.calibration import expected_calibration_error
from pintsize.apps.evidence.coverage import at_threshold, risk_coverage
from pintsize.apps.evidence.evaluation import Evaluation
from pintsize.report.document import document
from pintsize.report.drawing import picture, require_drawing
from pintsize.report.markup import EMPTY, Markup, join, table, tag


def evidence_page(title: str, evaluation: Evaluation) -> str:
    """One HTML file that needs nothing else; the same evaluation gives the same bytes.

    Raises MissingExtra where Altair is not installed.
    """
    require_drawing()
    head = tag("h1", title)
    return document(
        title, head, _notes(evaluation), _figures(evaluation), *(_answers(a) for a in evaluation.answers)
    )


def _notes(evaluation: Evaluation) -> Markup:
    return join(tag("p", note, class_="lead") for note in evaluation.notes)


def _figures(evaluation: Evaluation) -> Markup:
    heads = [("figure", False), ("value", True), ("95 % interval", True), ("groups", True)]
    rows = [
        (name, _number(value), *_interval(evaluation, name)) for name, value in evaluation.metrics.items()
    ]
    told = "Intervals are bootstrapped: whole patients, persons or pictures are drawn again, never parts of them."
    note = tag("p", told, class_="note") if evaluation.intervals else EMPTY
    return tag("section", tag("h2", "Figures"), table(heads, rows), note)


def _interval(evaluation: Evaluation, name: str) -> tuple[str, str]:
    found = evaluation.intervals.get(name)
    if found is None:
        return "", ""
    return f"{_number(found.low)} to {_number(found.high)}", str(found.groups)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4g}"


def _answers(answers: Answers) -> Markup:
    from pintsize.apps.evidence import charts

    curve = risk_coverage(answers)
    told = (
        f"{len(answers.right):,} answers, {100 * answers.right.mean():.1f} % right. Mean risk over all coverages "
        f"(AURC) {curve.area:.4f}, expected calibration error {expected_calibration_error(answers):.4f}."
    )
    risk = picture(
        charts.risk_against_coverage(answers), "Share of wrong answers when only the surest are given."
    )
    right = picture(charts.right_against_confidence(answers), "Share that is right at each confidence told.")
    return tag("section", tag("h2", answers.name), tag("p", told), *_abstention(answers), risk, right)


def _abstention(answers: Answers) -> tuple[Markup, ...]:
    found = at_threshold(answers)
    if found is None:
        return ()
    coverage, risk = found
    told = (
        f"Below a confidence of {answers.abstains_below:.3g} nothing is said: {100 * coverage:.1f} % are answered, "
        f"{100 * risk:.2f} % of them wrongly."
    )
    return (tag("p", told),)
