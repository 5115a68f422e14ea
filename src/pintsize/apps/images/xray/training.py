"""Trains the X-ray model and writes the folder that ships.

    python -m pintsize.apps.images.xray.training DATA --seed 0

Several networks learn from copies of the training X-rays; asked together they teach the one that `pintsize.shrink`
makes small. Whatever is chosen is chosen on training X-rays held back, never on the validation or the test part.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pintsize import Budget, Dataset, Graph, Splits, Teaching, Watcher, shrink
from pintsize.apps.evidence import Evaluation
from pintsize.apps.images.firmware.building import program_figures
from pintsize.apps.images.gate import Gate, gate_of
from pintsize.apps.images.pictures import Pixels
from pintsize.apps.images.ranking import area_under_curve
from pintsize.apps.images.variation import Copies, Variation
from pintsize.apps.images.xray.card import card_of
from pintsize.apps.images.xray.evaluation import evaluate, picture_of
from pintsize.apps.images.xray.learning import Schedule, Shown, Watch, answers, learn
from pintsize.apps.images.xray.material import LABELS, OTHERS_LEARNT, SIDE, XRays, other_pictures, xrays
from pintsize.apps.images.xray.network import Together, XRayNetwork
from pintsize.apps.images.xray.xray import FACTS, WEIGHTS
from pintsize.apps.shipping import CARD, FLASH_DEVICE, ship
from pintsize.apps.training_line import training_line
from pintsize.folder import write_file
from pintsize.integers import run_integers
from pintsize.stream.decision import fit_temperature
from pintsize.together import one_thread_each

#: of the training X-rays of each class
HELD_BACK = 0.15
#: a JPEG of a grey picture may have colours so far from grey; in sixteenths
MOST_COLOUR = 12 * 16
#: of what is told on X-rays held back, this share must be right
RIGHT = 0.97
#: of X-rays held back, this share is let through to an answer
GRADED = 0.98
FLASH = "34kB"


@dataclass(frozen=True)
class Effort:
    """teachers: widths of the networks, of which the first is made small; copies: that the shrinker is given."""

    teachers: tuple[int, ...] = (24, 28, 32)
    copies: int = 9000
    judged: int = 1200
    schedule: Schedule = field(default_factory=Schedule)


def train(
    data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """From the folder of data sets to a folder that ships; gives its figures. The same seed, the same bytes.

    Raises DataError where the data is not there.
    """
    how = effort or Effort()
    everything = xrays(data, "train")
    kept, held = _divided(everything, seed)
    others = other_pictures(data, OTHERS_LEARNT)
    shown = Shown(kept.x, kept.y, others[::2])
    judged = Shown(held.x, held.y, others[1::2])
    with one_thread_each():
        teachers = [_taught(width, shown, seed + i, watch, how) for i, width in enumerate(how.teachers)]
        together = Together(teachers).eval()
        watch(f"teachers together, AUC on X-rays held back: {_auc(answers(together, held.x), held.y):.4f}")
        graph = _shrunk(deepcopy(teachers[0]), together, shown, judged, seed, watch, how)
        return _shipped(graph, together, held, judged, gate(everything.x), out, seed, watch)


def gate(x: Pixels) -> Gate:
    """What statistics X-rays may have."""
    found = gate_of((picture_of(one).pixels for one in x), ("brightness", "contrast", "clipped", "sharpness"))
    return Gate({**found.ranges, "colour": (0, MOST_COLOUR)})


def _divided(part: XRays, seed: int) -> tuple[XRays, XRays]:
    """Those to learn from, and of each class a share held back."""
    random = np.random.default_rng(seed)
    held = np.zeros(len(part.y), bool)
    for label in (0, 1):
        members = random.permutation(np.flatnonzero(part.y == label))
        held[members[: round(HELD_BACK * len(members))]] = True
    return XRays(part.x[~held], part.y[~held], "kept"), XRays(part.x[held], part.y[held], "held back")


def _taught(width: int, shown: Shown, seed: int, watch: Watch, how: Effort) -> XRayNetwork:
    torch.manual_seed(seed)
    network = XRayNetwork(len(LABELS), width)
    learn(network, shown, how.schedule, seed, watch)
    return network


def score(outputs: NDArray[np.floating[Any]], y: NDArray[np.int64] | None) -> float:
    """What the shrinker compares networks by: AUC of X-rays, and how much of the others is known as such."""
    if y is None:
        return 0.0
    graded = y < 2
    odd = outputs[:, 2:].max(1) > outputs[:, :2].max(1)
    return 0.7 * _auc(outputs[graded], y[graded]) + 0.3 * float((odd == ~graded).mean())


def _auc(outputs: NDArray[np.floating[Any]], y: NDArray[np.int64]) -> float:
    return area_under_curve(outputs[:, 1] - outputs[:, 0], y == 1)


def _shrunk(
    student: XRayNetwork, teacher: Together, shown: Shown, judged: Shown, seed: int, watch: Watch, how: Effort
) -> Graph:
    parts = Splits(
        copies_of(shown, how.copies, seed), copies_of(judged, how.judged, seed + 1),
        copies_of(judged, how.judged, seed + 2),
    )  # fmt: skip
    report = shrink(
        student, parts, device=FLASH_DEVICE, budget=Budget(flash=FLASH), effort="low", seed=seed,
        teaching=Teaching(teacher=teacher, metric=score), cores=("host", "cortex-m4"), watcher=Told(watch),
    )  # fmt: skip
    return replace(report.graph, name="xray", labels=LABELS)


def copies_of(shown: Shown, count: int, seed: int) -> Dataset:
    """Varied copies, as many of each label as training shows."""
    x, y = shown.draw(count, np.random.default_rng(seed))
    with torch.no_grad():
        return Dataset(Copies(seed, Variation()).of(x).numpy(), y.numpy(), LABELS)


class Told(Watcher):
    """Says what the shrinker does."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def stage(self, title: str) -> None:
        self._watch(title)

    def note(self, text: str) -> None:
        self._watch(text)


def _shipped(
    graph: Graph, teacher: Together, held: XRays, judged: Shown, let: Gate, out: Path, seed: int, watch: Watch
) -> dict[str, Any]:
    """Calibrates on copies of what was held back, and chooses when nothing is told."""
    copies = copies_of(judged, 4000, seed + 3)
    outputs, y = integers_of(graph, copies.x[:, 0]), np.asarray(copies.y)
    calibration = fit_temperature(outputs, y)
    clean = integers_of(graph, held.x)
    found = calibration.probabilities(clean)
    most_odd = float(np.clip(np.ceil(np.quantile(found[:, 2:].sum(1), GRADED) * 100) / 100, 0.3, 0.9))
    least = least_told(calibration.probabilities(outputs[y < 2]), y[y < 2])
    facts = {"gate": let.facts(), "most_odd": most_odd, "least": least}
    figures = {
        "auc_of_teachers_held_back": _auc(answers(teacher, held.x), held.y),
        "auc_held_back": _auc(clean, held.y),
        "auc_of_varied_copies_held_back": _auc(outputs[y < 2], y[y < 2]),
        "teachers": len(list(teacher.members)),
    }
    watch(f"integers, AUC on X-rays held back: {figures['auc_held_back']:.4f}")
    card = card_of(Evaluation({}), figures, facts, seed)
    ship(graph, out, calibration=calibration, figures=figures, facts={FACTS: facts}, card=card)
    figures |= program_figures(out, FLASH_DEVICE)
    return ship(graph, out, calibration=calibration, figures=figures, facts={FACTS: facts}, card=card)


def integers_of(graph: Graph, x: NDArray[Any]) -> NDArray[np.float64]:
    """(n, SIDE, SIDE) pixels → (n, labels) logits, as the device computes them."""
    given, gave = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    codes = np.rint(np.asarray(x, np.float32) / np.float32(given.scale[0])) + given.zero_point
    codes = np.clip(codes, -128, 127).astype(np.int8).reshape(-1, SIDE, SIDE, 1)
    return (run_integers(graph, codes).astype(np.float64) - gave.zero_point) * gave.scale[0]


def least_told(probabilities: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """The least of 0.55, 0.60 … 0.95 at which enough of what is told of varied X-rays is right."""
    sick = probabilities[:, 1] / np.maximum(probabilities[:, :2].sum(1), 1e-9)
    confidence, right = np.maximum(sick, 1 - sick), (sick >= 0.5) == (y == 1)
    for least in np.arange(55, 96, 5) / 100:
        told = confidence >= least
        if told.any() and right[told].mean() >= RIGHT:
            return float(least)
    return 0.95


def main(given: Sequence[str] | None = None) -> None:
    parser = training_line("Trains the X-ray model that ships.", WEIGHTS)
    options = parser.parse_args(given)
    figures = train(options.data, options.out, seed=options.seed)
    found = evaluate(options.data, options.out)
    facts = facts_of(options.out)
    write_file(options.out / CARD, card_of(found, figures, facts, options.seed).encode())
    print({**figures, **found.metrics})


def facts_of(folder: Path) -> dict[str, Any]:
    """What the shipped manifest says that a run needs."""
    from pintsize.stream.manifest import read_manifest

    return dict(read_manifest(folder).content[FACTS])


if __name__ == "__main__":
    main()
