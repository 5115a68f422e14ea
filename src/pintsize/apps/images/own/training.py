"""Trains a small model of a user's own classes from a folder of labelled pictures.

check-up → `pintsize.diagnose` → a network in real numbers, on copies → `pintsize.shrink` → calibrate → ship
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize import Budget, Dataset, Graph, Splits, Watcher, diagnose, shrink
from pintsize.apps.images.gate import NAMES, gate_of
from pintsize.apps.images.own.card import card_of
from pintsize.apps.images.own.checkup import checked
from pintsize.apps.images.own.folder import Labelled, read_labelled
from pintsize.apps.images.own.network import OwnNetwork
from pintsize.apps.images.own.own import FACTS
from pintsize.apps.images.pictures import grey_of
from pintsize.apps.images.variation import Copies, Variation
from pintsize.apps.shipping import FLASH_DEVICE, ship
from pintsize.errors import UserError
from pintsize.folder import check_writable
from pintsize.integers import run_integers
from pintsize.stream.decision import fit_temperature
from pintsize.together import one_thread_each

Watch = Callable[[str], object]

#: of each label: to choose by, and to report on
CHOOSING, REPORTING = 0.15, 0.15
#: left and right, colours and exposure are changed a little, as a camera does
MILD = Variation(turn_deg=10, scale=0.12, aspect=0.06, shift=0.08, gamma=0.2, contrast=0.2, bright=0.06, blur=0.5,
                 noise=0.02, shade=0.03, hidden=0.3)  # fmt: skip
#: of what is told, this share should be right
RIGHT = 0.95
#: what pictures may differ from those learnt from, as a share
SLACK = 0.3
LARGEST_CODE = 127
TOLD_EVERY = 100


@dataclass(frozen=True)
class Effort:
    """steps of AdamW with one cycle of the learning rate; copies: that the shrinker is given; flash: of its budget."""

    steps: int = 600
    batch: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 0.03
    copies: int = 4000
    width: int = 16
    flash: str = "48kB"


def train_own(
    folder: Path, out: Path, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """`folder/<label>/<picture>` → a folder that ships; gives its figures. The same seed, the same bytes.

    Raises DataError for pictures that cannot be learnt from, OutputError where `out` cannot be written.
    """
    check_writable(out)
    how = effort or Effort()
    found = checked(read_labelled(folder))
    for remark in found.remarks:
        watch(remark)
    parts = divided(found.pictures, seed)
    with one_thread_each():
        torch.manual_seed(seed)
        network = OwnNetwork(
            channels_of(found.pictures), len(found.pictures.labels), side_of(found.pictures), how.width
        )
        _require_possible(network, found.pictures, how, watch)
        learn(network, parts[0], how, seed, watch)
        graph = _shrunk(network, parts, seed, watch, how)
        return _shipped(graph, parts, found.remarks, out, seed, watch)


def channels_of(pictures: Labelled) -> int:
    return 1 if pictures.grey else 3


def side_of(pictures: Labelled) -> int:
    return pictures.x.shape[1]


def divided(pictures: Labelled, seed: int) -> tuple[Labelled, Labelled, Labelled]:
    """To learn from, to choose by, to report on: as the folder has it, else drawn, each label alike."""
    part = np.array([{"validation": 1, "test": 2}.get(p, 0) for p in pictures.parts])
    random = np.random.default_rng(seed)
    for label in range(len(pictures.labels)):
        members = random.permutation(np.flatnonzero(pictures.y == label))
        for number, share in ((1, CHOOSING), (2, REPORTING)):
            if not (part[members] == number).any():
                free = members[part[members] == 0]
                part[free[: max(1, round(share * len(members)))]] = number
    first, second, third = (pictures.take(np.flatnonzero(part == number)) for number in range(3))
    return first, second, third


def learn(network: OwnNetwork, shown: Labelled, how: Effort, seed: int, watch: Watch) -> None:
    """Trains in place, every label as often, and leaves it in eval mode."""
    random, copies = np.random.default_rng(seed), Copies(seed, MILD)
    optimizer = torch.optim.AdamW(network.parameters(), how.learning_rate, weight_decay=how.weight_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, how.learning_rate, how.steps, pct_start=0.2)
    network.train()
    losses: list[float] = []
    for step in range(1, how.steps + 1):
        x, y = drawn(shown, how.batch, random)
        loss = F.cross_entropy(network(copies.of(x)), y, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cycle.step()
        losses.append(loss.item())
        if step % TOLD_EVERY == 0 or step == how.steps:
            watch(f"step {step} of {how.steps}: loss {np.mean(losses[-TOLD_EVERY:]):.3f}")
    network.eval()


def drawn(shown: Labelled, count: int, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """(count, channels, side, side) uint8 and (count,): every label as likely, and every picture within it."""
    members = [np.flatnonzero(shown.y == label) for label in range(len(shown.labels))]
    y = random.integers(len(members), size=count)
    rows = np.array([members[label][random.integers(len(members[label]))] for label in y])
    return torch.from_numpy(as_given(shown)[rows]), torch.from_numpy(y)


def as_given(pictures: Labelled) -> NDArray[np.uint8]:
    """(n, channels, side, side) as the network takes them."""
    if pictures.grey:
        return np.stack([grey_of(x) for x in pictures.x])[:, None]
    return np.ascontiguousarray(pictures.x.transpose(0, 3, 1, 2))


def _require_possible(network: OwnNetwork, pictures: Labelled, how: Effort, watch: Watch) -> None:
    """What can be known before training. Raises UserError where it cannot work."""
    side = side_of(pictures)
    found = diagnose(
        network.eval(), FLASH_DEVICE, Budget(flash=how.flash), (channels_of(pictures), side, side)
    )
    if not found.plausible:
        raise UserError(f"this cannot be made small enough: {'; '.join(found.problems)}")
    watch(
        f"pictures are seen at {side}×{side}{' in grey' if pictures.grey else ''}; the model will take "
        f"{found.weight_bytes.least:,} to {found.weight_bytes.most:,} B of constants"
    )


def _shrunk(
    network: OwnNetwork, parts: tuple[Labelled, Labelled, Labelled], seed: int, watch: Watch, how: Effort
) -> Graph:
    x, y = drawn(parts[0], how.copies, np.random.default_rng(seed + 1))
    copies = Copies(seed + 1, MILD).of(x).numpy()
    labels = parts[0].labels
    data = Splits(Dataset(copies, y.numpy(), labels), *(Dataset(_real(p), p.y, labels) for p in parts[1:]))
    report = shrink(
        network, data, device=FLASH_DEVICE, budget=Budget(flash=how.flash), effort="low", seed=seed,
        cores=("host", "cortex-m4"), watcher=_Told(watch),
    )  # fmt: skip
    return replace(report.graph, name="own pictures", labels=labels)


def _real(pictures: Labelled) -> NDArray[np.float32]:
    return as_given(pictures).astype(np.float32)


class _Told(Watcher):
    """Says what the shrinker does."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def stage(self, title: str) -> None:
        self._watch(title)

    def note(self, text: str) -> None:
        self._watch(text)


def _shipped(
    graph: Graph, parts: tuple[Labelled, Labelled, Labelled], remarks: tuple[str, ...], out: Path, seed: int,
    watch: Watch,
) -> dict[str, Any]:  # fmt: skip
    _, choosing, reporting = parts
    outputs, right = integers_of(graph, choosing), choosing.y
    calibration = fit_temperature(outputs, right)
    least = least_told(calibration.probabilities(outputs), right)
    gate = gate_of((x for part in parts[:2] for x in part.x), NAMES, SLACK)
    facts = {"gate": gate.facts(), "least": least}
    found = calibration.probabilities(integers_of(graph, reporting))
    told = found.max(1) >= least
    hit = found.argmax(1) == reporting.y
    figures: dict[str, Any] = {
        "accuracy": float(hit.mean()),
        "answered": float(told.mean()),
        "right_of_answered": float(hit[told].mean()) if told.any() else None,
        "pictures_reported_on": len(reporting.y),
    }
    watch(f"right on {figures['accuracy']:.1%} of {len(reporting.y)} pictures that nothing was learnt from")
    counts = {name: int(sum((part.y == i).sum() for part in parts)) for i, name in enumerate(graph.labels)}
    return ship(
        graph, out, calibration=calibration, figures=figures, facts={FACTS: facts},
        card=card_of(counts, figures, facts, remarks, seed),
    )  # fmt: skip


def integers_of(graph: Graph, pictures: Labelled) -> NDArray[np.float64]:
    """(n, labels) logits, as the device computes them."""
    given, gave = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    pixels = as_given(pictures).transpose(0, 2, 3, 1).astype(np.float32)
    codes = np.rint(pixels / np.float32(given.scale[0])) + given.zero_point
    kept = np.clip(codes, -LARGEST_CODE - 1, LARGEST_CODE).astype(np.int8)
    return (run_integers(graph, kept).astype(np.float64) - gave.zero_point) * gave.scale[0]


def least_told(probabilities: NDArray[np.float64], right: NDArray[np.int64]) -> float:
    """The least of 0.30, 0.35 … 0.95 at which enough of what is told is right."""
    best, confidence = probabilities.argmax(1), probabilities.max(1)
    for least in np.arange(30, 96, 5) / 100:
        told = confidence >= least
        if told.any() and (best == right)[told].mean() >= RIGHT:
            return float(least)
    return 0.95
