"""Trains the sleep stages and writes the folder that ships.

    python -m pintsize.apps.wearable.sleep.training DATA --seed 0

Whatever is chosen (the threshold of wake, the temperature) is chosen on the nine people of training, each part of them
judged by a network that learnt from the others alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pintsize
from pintsize.apps.shipping import CARD, FLASH_DEVICE, ship
from pintsize.apps.training_line import training_line
from pintsize.apps.wearable.sleep.agreement import kappa
from pintsize.apps.wearable.sleep.card import card_of
from pintsize.apps.wearable.sleep.evaluation import evaluate
from pintsize.apps.wearable.sleep.features import prepared
from pintsize.apps.wearable.sleep.learning import learnt, outputs
from pintsize.apps.wearable.sleep.network import AROUND, WINDOW, Network, OfWindow
from pintsize.apps.wearable.sleep.nights import TRAINED, Recorded, night_of
from pintsize.apps.wearable.sleep.scoring import Scoring
from pintsize.apps.wearable.sleep.sleep import FACTS, STAGES, WEIGHTS
from pintsize.apps.wearable.sleep.teaching import lessons
from pintsize.folder import write_file
from pintsize.stream.decision import fit_temperature
from pintsize.together import one_thread_each

FOLDS = 3
#: windows that the ranges of the integers are read off
CALIBRATING = 256
THRESHOLDS = np.arange(0.1, 0.9, 0.02)


@one_thread_each()
def train(data: Path, out: Path = WEIGHTS, *, seed: int = 0) -> dict[str, Any]:
    """From the folder of data sets to a folder that ships; gives its figures. Raises DataError without the data."""
    nights = [night_of(data, person) for person in TRAINED]
    told = _by_others(nights, seed)
    scoring, figures = chosen(told, [night.stages for night in nights])
    network = learnt(lessons(nights, seed), seed)
    report = pintsize.quantize(
        OfWindow(network).eval(),
        _windows(nights, seed),
        device=FLASH_DEVICE,
        bits=8,
        goal="classes",
        seed=seed,
    )
    graph = replace(report.graph, name="sleep", labels=STAGES)
    facts = {FACTS: {"wake": scoring.wake, "look_ahead": AROUND}}
    return ship(graph, out, stream=1, calibration=scoring.calibration, facts=facts, figures=figures)


def _by_others(nights: Sequence[Recorded], seed: int) -> list[NDArray[np.float64]]:
    """Outputs for each night of a network that learnt from other people."""
    found: dict[int, NDArray[np.float64]] = {}
    for fold in range(FOLDS):
        network = learnt(lessons([n for i, n in enumerate(nights) if i % FOLDS != fold], seed), seed)
        found |= {i: _outputs(network, n) for i, n in enumerate(nights) if i % FOLDS == fold}
    return [found[i] for i in range(len(nights))]


def _outputs(network: Network, night: Recorded) -> NDArray[np.float64]:
    return outputs(network, prepared(night.features, np.ones(len(night.features), np.bool_)))


def chosen(
    told: Sequence[NDArray[np.float64]], right: Sequence[NDArray[np.int64]]
) -> tuple[Scoring, dict[str, float]]:
    """The scoring that suits these outputs best, and its figures: those of validation."""
    together, stages = np.concatenate(told), np.concatenate(right)
    calibration = fit_temperature(together, stages)
    wake = calibration.probabilities(together)[:, 0]
    awake = np.where(stages == 0, 0, 1)
    best = max(THRESHOLDS.tolist(), key=lambda least: kappa(np.where(wake >= least, 0, 1), awake, 2))
    scoring = Scoring(round(best, 2), calibration)
    found = scoring.stages(scoring.chances(together))
    return scoring, {
        "validation_kappa": kappa(np.minimum(found, 1), awake, 2),
        "validation_kappa_stages": kappa(found, stages, len(STAGES)),
        "validation_people": float(len(told)),
    }


def _windows(nights: Sequence[Recorded], seed: int) -> NDArray[np.float32]:
    """(CALIBRATING, 19, WINDOW) from anywhere in the nights."""
    random = np.random.default_rng(seed)
    padded = [
        np.pad(prepared(n.features, np.ones(len(n.features), np.bool_)), ((AROUND, AROUND), (0, 0)))
        for n in nights
    ]
    drawn = [padded[i] for i in random.integers(len(padded), size=CALIBRATING)]
    begins = [int(random.integers(len(x) - WINDOW + 1)) for x in drawn]
    return np.stack([x[b : b + WINDOW].T for x, b in zip(drawn, begins, strict=True)])


def main(given: Sequence[str] | None = None) -> None:
    parser = training_line("Trains the sleep stages that ship.", WEIGHTS)
    options = parser.parse_args(given)
    figures = train(options.data, options.out, seed=options.seed)
    found = evaluate(options.data, options.out)
    write_file(options.out / CARD, card_of(found, figures, options.seed).encode())
    print({**figures, **found.metrics})


if __name__ == "__main__":
    main()
