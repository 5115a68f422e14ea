"""Trains the cell detector and writes the folder that ships.

    python -m pintsize.apps.images.cells.training DATA --seed 0

Thresholds are chosen on training pictures held back, never on the validation or the test part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pintsize import Graph, Quantize, read_torch
from pintsize.apps.evidence import Evaluation
from pintsize.apps.images.cells.card import card_of
from pintsize.apps.images.cells.cells import FACTS, WEIGHTS
from pintsize.apps.images.cells.choosing import chosen_rules, errors_of
from pintsize.apps.images.cells.evaluation import evaluate
from pintsize.apps.images.cells.material import FEWEST_RED, HEIGHT, WIDTH, Smear, smears
from pintsize.apps.images.cells.network import CellNetwork
from pintsize.apps.images.cells.peaks import CLASSES, facts_of
from pintsize.apps.images.cells.windows import Windows, detection_loss
from pintsize.apps.images.firmware.building import program_figures
from pintsize.apps.images.gate import NAMES, gate_of
from pintsize.apps.shipping import CARD, ship
from pintsize.apps.training_line import training_line
from pintsize.folder import write_file
from pintsize.integers import run_integers
from pintsize.passes.simplify import fold
from pintsize.stream.manifest import read_manifest
from pintsize.together import one_thread_each

Watch = Callable[[str], object]

#: whose RAM holds a picture in colour: Cortex-M7 at 280 MHz
DEVICE = "stm32h7a3"
HELD_BACK = 0.15
#: pictures that the integers' ranges are read off
CALIBRATING = 24
LARGEST_GRADIENT = 5.0
TOLD_EVERY = 100


@dataclass(frozen=True)
class Effort:
    """AdamW with one cycle of the learning rate."""

    steps: int = 2200
    batch: int = 8
    learning_rate: float = 4e-3
    weight_decay: float = 0.02


def train(
    data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Watch = print, effort: Effort | None = None
) -> dict[str, Any]:
    """From the folder of data sets to a folder that ships; gives its figures. The same seed, the same bytes.

    Raises DataError where the data is not there.
    """
    held, kept = divided(smears(data, "train.json"), seed)
    with one_thread_each():
        graph = as_integers(learnt(kept, effort or Effort(), seed, watch), kept)
    return shipped(graph, held, kept, out, seed, watch)


def divided(everything: Sequence[Smear], seed: int) -> tuple[list[Smear], list[Smear]]:
    """Those held back, and those to learn from."""
    order = np.random.default_rng(seed).permutation(len(everything))
    count = max(1, round(HELD_BACK * len(everything)))
    return [everything[i] for i in order[:count]], [everything[i] for i in order[count:]]


def shipped(
    graph: Graph, held: Sequence[Smear], kept: Sequence[Smear], out: Path, seed: int, watch: Watch
) -> dict[str, Any]:
    """Chooses what counts as a cell and what can be looked at, and writes the folder; gives the figures."""
    with one_thread_each():
        parts = [(heatmaps_of(graph, part), part) for part in (held, kept)]
    output = graph.type(graph.outputs[0])
    rules = chosen_rules(parts, output.scale[0], output.zero_point)
    facts = {"rules": facts_of(rules), "gate": gate_of((s.pixels for s in (*held, *kept)), NAMES).facts()}
    figures: dict[str, Any] = {}
    for name, (maps, part) in zip(("held_back", "learnt"), parts, strict=True):
        errors = zip(CLASSES, errors_of(rules, maps, part), strict=True)
        figures |= {f"count_error_{label}_{name}": error for label, error in errors}
    figures |= {"pictures_held_back": len(held), "fewest_red": FEWEST_RED}
    watch(str(figures))
    card = card_of(Evaluation({}), figures, facts, seed)
    ship(graph, out, figures=figures, facts={FACTS: facts}, card=card, flash_device=DEVICE)
    figures |= program_figures(out, DEVICE)
    return ship(graph, out, figures=figures, facts={FACTS: facts}, card=card, flash_device=DEVICE)


def learnt(kept: Sequence[Smear], how: Effort, seed: int, watch: Watch) -> CellNetwork:
    """The network in real numbers; the same seed gives the same weights on one computer."""
    torch.manual_seed(seed)
    network, windows = CellNetwork(), Windows(kept, seed)
    optimizer = torch.optim.AdamW(network.parameters(), how.learning_rate, weight_decay=how.weight_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, how.learning_rate, how.steps, pct_start=0.15)
    losses: list[float] = []
    for step in range(1, how.steps + 1):
        x, heat, believed = windows.draw(how.batch)
        loss = detection_loss(network(x), heat, believed)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        cycle.step()
        losses.append(loss.item())
        if step % TOLD_EVERY == 0 or step == how.steps:
            watch(f"step {step} of {how.steps}: loss {np.mean(losses[-TOLD_EVERY:]):.3f}")
    return network.eval()


def as_integers(network: CellNetwork, kept: Sequence[Smear]) -> Graph:
    """The integers that ship; ranges are read off training pictures."""
    folded = fold(read_torch(network, (3, HEIGHT, WIDTH)).graph)
    chosen = np.linspace(0, len(kept) - 1, min(CALIBRATING, len(kept))).astype(int)
    samples = np.stack([kept[i].pixels for i in chosen]).astype(np.float32)
    return replace(Quantize()(folded, samples), name="cells", labels=CLASSES)


def heatmaps_of(graph: Graph, pictures: Sequence[Smear]) -> list[NDArray[np.int8]]:
    """(rows, columns, classes) codes of each picture, as the device computes them."""
    given = graph.type(graph.inputs[0])
    found: list[NDArray[np.int8]] = []
    for smear in pictures:
        codes = np.rint(smear.pixels.astype(np.float32) / np.float32(given.scale[0])) + given.zero_point
        found.append(run_integers(graph, np.clip(codes, -128, 127).astype(np.int8)[None])[0])
    return found


def main(given: Sequence[str] | None = None) -> None:
    parser = training_line("Trains the cell detector that ships.", WEIGHTS)
    options = parser.parse_args(given)
    figures = train(options.data, options.out, seed=options.seed)
    found = evaluate(options.data, options.out)
    facts = dict(read_manifest(options.out).content[FACTS])
    write_file(options.out / CARD, card_of(found, figures, facts, options.seed).encode())
    print({**figures, **found.metrics})


if __name__ == "__main__":
    main()
