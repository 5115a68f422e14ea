"""From outputs to stages, and how agreement is measured."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.wearable.sleep.agreement import kappa, specificity
from pintsize.apps.wearable.sleep.features import COLUMNS, MOTION, prepared
from pintsize.apps.wearable.sleep.scoring import Scoring
from pintsize.errors import UserError
from pintsize.stream.decision import Calibration


def test_wake_from_its_threshold_on_else_the_likeliest_sleep() -> None:
    scoring = Scoring(0.3, Calibration(scores="probabilities"))
    chances = np.array([[0.31, 0.5, 0.1, 0.09], [0.29, 0.3, 0.31, 0.1], [0.9, 0.05, 0.03, 0.02]])
    assert scoring.stages(scoring.chances(chances)).tolist() == [0, 2, 0]


def test_a_threshold_is_a_probability() -> None:
    with pytest.raises(UserError, match="within 0 and 1"):
        Scoring(1.0, Calibration())


def test_kappa_is_agreement_beyond_chance() -> None:
    right = np.array([0] * 20 + [1] * 80)
    assert kappa(right, right, 2) == 1.0
    assert kappa(np.ones(100, np.int64), right, 2) == 0.0
    told = np.array([0] * 10 + [1] * 10 + [0] * 5 + [1] * 75)
    # 85 of 100 agree; by chance 0.15 · 0.2 + 0.85 · 0.8 = 0.71
    assert kappa(told, right, 2) == pytest.approx((0.85 - 0.71) / 0.29)
    assert specificity(told, right) == 0.5
    assert np.isnan(specificity(told, np.ones(100, np.int64)))


def test_a_louder_watch_gives_the_same_night() -> None:
    random = np.random.default_rng(0)
    features = random.uniform(1.0, 50.0, (60, COLUMNS))
    features[:, 32:] = random.uniform(0, 1, (60, 3))
    louder = features.copy()
    louder[:, :32] *= 8
    valid = np.ones(60, np.bool_)
    np.testing.assert_allclose(prepared(features, valid), prepared(louder, valid), atol=0.05)
    assert prepared(features, valid).shape == (60, len(MOTION) + 3)


def test_an_epoch_without_features_is_silence_and_does_not_move_the_others() -> None:
    features = np.random.default_rng(1).uniform(0.1, 5.0, (40, COLUMNS))
    valid = np.ones(40, np.bool_)
    valid[7] = False
    other = features.copy()
    other[7] = 1e6
    np.testing.assert_array_equal(prepared(features, valid), prepared(other, valid))
    assert not prepared(features, valid)[7].any()
