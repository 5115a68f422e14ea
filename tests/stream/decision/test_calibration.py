from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.errors import DataError, UserError
from pintsize.stream.decision import Calibration, calibration_error, fit_temperature


def drawn(temperature: float, count: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `temperature` times too sure, and targets drawn from what they should say."""
    draw = np.random.default_rng(0)
    honest = draw.normal(0, 1.5, (count, 4))
    chances = Calibration().probabilities(honest)
    targets = (chances.cumsum(1) < draw.random((count, 1))).sum(1)
    return honest * temperature, targets


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found_again(temperature: float) -> None:
    logits, targets = drawn(temperature)
    assert fit_temperature(logits, targets).temperature == pytest.approx(temperature, rel=0.06)


def test_calibration_makes_confidence_and_accuracy_agree() -> None:
    logits, targets = drawn(4.0)
    before = calibration_error(Calibration().probabilities(logits), targets)
    after = calibration_error(fit_temperature(logits, targets).probabilities(logits), targets)
    assert before > 0.15
    assert after < 0.03


def test_probabilities_of_a_softmax_are_calibrated_as_its_logits_are() -> None:
    logits, targets = drawn(2.0, 500)
    given_chances = Calibration().probabilities(logits)
    warm = Calibration(2.0, "probabilities").probabilities(given_chances)
    np.testing.assert_allclose(warm, Calibration(2.0).probabilities(logits), atol=1e-9)
    fitted = fit_temperature(given_chances, targets, "probabilities")
    assert fitted.temperature == pytest.approx(fit_temperature(logits, targets).temperature, rel=1e-3)


@settings(max_examples=50)
@given(st.lists(st.floats(-80, 80), min_size=1, max_size=6), st.floats(0.05, 20))
def test_probabilities_are_probabilities_and_keep_their_order(
    logits: list[float], temperature: float
) -> None:
    chances = Calibration(temperature).probabilities(logits)
    assert ((chances >= 0) & (chances <= 1)).all()
    if len(logits) > 1:
        assert chances.sum() == pytest.approx(1.0)
        assert chances[int(np.argmax(logits))] == chances.max()


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(DataError, match=r"\(3, 2\)"):
        fit_temperature(np.zeros((3, 2)), [0, 1])
    with pytest.raises(UserError, match="temperature"):
        Calibration(0.0)
