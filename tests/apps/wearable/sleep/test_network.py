"""The network, its lessons, and what is chosen."""

from __future__ import annotations

import numpy as np
import torch

from pintsize.apps.wearable.sleep.features import COLUMNS
from pintsize.apps.wearable.sleep.learning import Schedule, learnt, outputs
from pintsize.apps.wearable.sleep.network import AROUND, WINDOW, Network, OfWindow
from pintsize.apps.wearable.sleep.nights import TEST, TRAINED, TWELVE, Recorded
from pintsize.apps.wearable.sleep.teaching import lessons
from pintsize.apps.wearable.sleep.training import chosen


def night(seed: int, epochs: int = 220) -> Recorded:
    """Wake moves, sleep does not."""
    random = np.random.default_rng(seed)
    stages = np.repeat(random.permutation([0, 1, 2, 3, 0, 1, 1, 2, 3, 1, 0]), 20)[:epochs]
    features = random.uniform(0.0, 0.4, (epochs, COLUMNS)) + 8.0 * (stages == 0)[:, None]
    features[:, 32:] = np.linspace(0, 0.5, epochs)[:, None]
    return Recorded(str(seed), features, stages)


def test_nobody_is_on_both_sides() -> None:
    assert set(TEST).isdisjoint(TRAINED)
    assert {*TEST, *TRAINED} == {*TWELVE}
    assert len(TEST) == 3


def test_a_window_says_what_the_whole_night_says_of_its_middle() -> None:
    torch.manual_seed(0)
    network = Network(4).eval()
    x = torch.randn(1, 19, WINDOW + 9)
    with torch.no_grad():
        whole = network(x)[0].T
        alone = OfWindow(network)(torch.stack([x[0, :, i : i + WINDOW] for i in range(10)]))
    torch.testing.assert_close(whole, alone)


def test_it_learns_from_the_forest_what_wakes_look_like() -> None:
    nights = [night(seed) for seed in range(2)]
    taught = lessons(nights, 0, 15)
    assert len(taught) == 2 * 4
    assert all(lesson.answer.shape == (220, 4) for lesson in taught)
    network = learnt(taught, 0, Schedule(steps=60))
    unseen = night(9)
    told = outputs(network, lessons([unseen], 0, 15)[0].x)
    scoring, figures = chosen([told], [unseen.stages])
    assert figures["validation_kappa"] > 0.7
    assert 0.1 <= scoring.wake < 0.9
    assert AROUND == 30
