"""Makes the beat detector that ships: a band-pass in the device's integers, and a rule chosen on training patients.

    python -m pintsize.apps.ecg.beats.training DATA --seed 0

Nothing is learnt by gradients: a filter and a rule of a few numbers already find the beats, in a fraction of the flash
that a network's kernels take. Of the rule `share` is chosen on the training patients; there is no chance in it, so
the seed changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize import Graph, compile_model, frontend
from pintsize.apps.ecg.beats.card import card_of
from pintsize.apps.ecg.beats.evaluation import evaluate
from pintsize.apps.ecg.beats.finder import BeatFinder, FinderRule
from pintsize.apps.ecg.beats.matching import TOLERANCE_S, matched
from pintsize.apps.ecg.beats.model import FACTS, WEIGHTS
from pintsize.apps.ecg.beats.records import FULL_SCALE_MV, RATE_HZ, Record, read_records, training_records
from pintsize.apps.shipping import CARD, COMPUTER, ship
from pintsize.apps.training_line import training_line
from pintsize.folder import write_file
from pintsize.stream.artifact import load

Watch = Callable[[str], object]

#: where a QRS complex has its energy, and P and T waves and muscles have less
LOW_HZ, HIGH_HZ, ORDER = 8.0, 20.0, 2
#: samples of a step: a ninth of a second
HOP = 20
#: of the rule's `share`, what was tried
SHARES = (4, 5, 6)
#: not among the patients chosen on: flutter waves, which no annotation calls beats
FLUTTER = "207"


def band_pass() -> Graph:
    """A step of it: 20 samples of 5 µV → the same without what is no QRS complex."""
    graph = frontend.band_pass(RATE_HZ, (HOP,), LOW_HZ, HIGH_HZ, ORDER, full_scale=FULL_SCALE_MV)
    return replace(graph, name="beats")


def train(data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Watch = print) -> dict[str, Any]:
    """From the folder of data sets to a folder that ships; gives its figures. Raises DataError without the data."""
    graph = band_pass()
    names = [name for name in training_records(data) if name != FLUTTER]
    with TemporaryDirectory() as folder:
        compile_model(graph, COMPUTER, Path(folder) / "beats", stream=HOP, carry=True)
        artifact = load(Path(folder) / "beats")
        records = [(record, _passed(artifact.run, record)) for record in read_records(data, names)]
    rated = {share: _rated(FinderRule(share=share), records) for share in SHARES}
    for share, (se, pp) in rated.items():
        watch(f"share {share}: Se {se:.4f}, +P {pp:.4f} on {len(records)} training patients")
    best = max(SHARES, key=lambda share: min(rated[share]))
    figures = {"training_se": rated[best][0], "training_pp": rated[best][1]}
    rule = FinderRule(share=best)
    return ship(graph, out, stream=HOP, carry=True, figures=figures, facts={FACTS: asdict(rule)})


def _passed(run: Callable[[NDArray[np.int16]], NDArray[Any]], record: Record) -> NDArray[Any]:
    """All of a record's band-passed codes. Filters of several records follow one another: it settles in a second."""
    whole = len(record.samples) // HOP * HOP
    return np.concatenate([run(step) for step in record.samples[:whole].reshape(-1, HOP)])


def _rated(rule: FinderRule, records: Sequence[tuple[Record, NDArray[Any]]]) -> tuple[float, float]:
    """Sensitivity and positive predictivity."""
    hits = beats = right = found = 0
    for record, passed in records:
        finder, end_s = BeatFinder(rule), len(passed) / RATE_HZ
        told = [*finder.update(end_s, passed), *finder.finish(end_s)]
        match = matched([beat.sample for beat in told], record.at, TOLERANCE_S * RATE_HZ)
        hits, beats = hits + int((match.hits >= 0).sum()), beats + len(record.at)
        right, found = right + int(match.right.sum()), found + len(told)
    return hits / beats, right / found


def publish(data: Path, out: Path, seed: int = 0, watch: Watch = print) -> dict[str, float]:
    """`train`, then measures the unseen patients and writes the card; gives the metrics."""
    figures = train(data, out, seed=seed, watch=watch)
    evaluation = evaluate(data, out)
    write_file(out / CARD, card_of(evaluation, figures, seed).encode())
    return dict(evaluation.metrics)


def main() -> None:
    """The command line of the shipped detector."""
    parser = training_line("Makes the beat detector that ships.", WEIGHTS)
    options = parser.parse_args()
    for name, value in publish(options.data, options.out, options.seed).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
