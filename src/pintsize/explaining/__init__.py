"""`pintsize explain`: where the accuracy went, layer by layer, with the cause and the fix, each cause confirmed."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from pintsize.data import samples_of
from pintsize.explaining.activation_suspects import (
    calibration_differs,
    channel_imbalance,
    coarse_activation,
    coarse_input,
    mixed_scale_concat,
    range_outlier,
    saturation,
)
from pintsize.explaining.confirm import Cause, Confirmed, confirm
from pintsize.explaining.explanation import Explanation, Step
from pintsize.explaining.findings import layer_loss, named, notes
from pintsize.explaining.judge import Judge, Score, gain, is_measurable
from pintsize.explaining.mixture import Mixture, activations_of, constants_of
from pintsize.explaining.noise import noises
from pintsize.explaining.observed import observe
from pintsize.explaining.record import Record, read_record
from pintsize.explaining.rescaled import rescaled
from pintsize.explaining.suspect import Restoration, Scene, Suspect
from pintsize.explaining.weight_suspects import coarse_weights, narrow_weights, weight_outlier
from pintsize.progress import Watcher
from pintsize.together import one_thread_each

#: the most particular first
DETECTORS = (
    calibration_differs, coarse_input, mixed_scale_concat, range_outlier, saturation, channel_imbalance,
    narrow_weights, weight_outlier,
)  # fmt: skip
#: layers that are tried without a particular reason, where no reason was found
UNSUSPECTED = 4
SCALED = "steps, layers and further causes are those of the samples so scaled"


def explain(folder: str | Path, data: Any = None, watcher: Watcher | None = None) -> Explanation:
    """Explains a folder that `pintsize.shrink` wrote.

    data: other samples to judge by, whatever `pintsize.data.load` reads (of split data the test part), as the user's
    model takes them. Raises UserError where the folder does not hold what this needs, DataError for unfit data.
    """
    record = read_record(Path(folder))
    return explain_record(record if data is None else record.on(samples_of(data)), watcher)


@one_thread_each()
def explain_record(record: Record, watcher: Watcher | None = None) -> Explanation:
    """Explains a network from what was kept of it."""
    watch = watcher or Watcher()
    record, misread = rescaled(record)
    watch.stage(f"Comparing every layer on {len(record.x)} samples")
    graph, judge = record.student, Judge(record.x, record.y, record.answers, record.goal)
    start = Mixture(graph, plain=record.plain)
    scores = _steps(start, judge)
    noise = noises(graph, record.plain, record.teacher, record.x)
    scene = Scene(graph, record.plain, observe(record.plain, record.x), record.calibration, noise)
    watch.stage("Restoring one layer at a time")
    gains = _layer_gains(scene, judge, scores["integers"], watch)
    found = _causes(scene, judge, scores, gains, watch)
    shrunk = _smaller_network(record, judge, scores)
    return Explanation(
        graph.name, len(record.x), record.y is not None, record.goal,
        "nats" if record.goal == "classes" else "of the variance",
        tuple(Step(name, s.accuracy, s.divergence) for name, s in scores.items()),
        tuple(layer_loss(scene, node, gains[node.name]) for node in graph.nodes),
        tuple(named(c) for c in (*misread, *shrunk, *found.causes)),
        (*(SCALED for _ in misread), *notes(scene, scores, found.cleared)),
    )  # fmt: skip


def explanation_file(explanation: Explanation) -> bytes:
    """The content of `explanation.json`."""
    return (json.dumps(explanation.as_data(), indent=1) + "\n").encode()


def _steps(start: Mixture, judge: Judge) -> dict[str, Score]:
    """Step → its score, from the teacher to the chip."""
    graph = start.graph
    return {
        "teacher": judge.score(judge.answers),
        "network in real numbers": judge(start.leaving(graph.tensors)),
        "weights rounded": judge(start.leaving(activations_of(graph))),
        "activations rounded": judge(start.leaving(constants_of(graph))),
        "integers": judge(start),
    }


def _layer_gains(scene: Scene, judge: Judge, shipped: Score, watch: Watcher) -> dict[str, float]:
    """Node name → what restoring its weights and its output gains."""
    gains: dict[str, float] = {}
    nodes = scene.graph.nodes
    for done, node in enumerate(nodes, 1):
        names = {*scene.graph.constants(node), *(scene.group(node.output) or (node.output,))}
        gains[node.name] = gain(shipped, judge(Mixture(scene.graph, frozenset(names), scene.plain)))
        watch.step("layers", done, len(nodes))
    return gains


def _causes(
    scene: Scene, judge: Judge, scores: dict[str, Score], gains: dict[str, float], watch: Watcher
) -> Confirmed:
    suspects = [s for detector in DETECTORS for s in detector(scene)]
    shipped = scores["integers"]
    tried = count(1)

    def tell() -> None:
        watch.step("suspects", (done := next(tried)), done + 1)

    found = confirm(Mixture(scene.graph, plain=scene.plain), shipped, suspects, judge, tell)
    if not is_measurable(found.score, scores["network in real numbers"]):
        return found
    others = _unsuspected(scene, gains)
    more = confirm(found.mixture, found.score, others, judge, tell)
    return replace(more, causes=(*found.causes, *more.causes), cleared=found.cleared)


def _unsuspected(scene: Scene, gains: dict[str, float]) -> list[Suspect]:
    """Weights and outputs of the layers that matter most, and the input."""
    ranked = sorted(scene.graph.nodes, key=lambda n: -gains[n.name])[:UNSUSPECTED]
    weights = [coarse_weights(scene, n) for n in ranked]
    outputs = [coarse_activation(scene, n) for n in (None, *ranked)]
    return [s for s in (*weights, *outputs) if s is not None]


def _smaller_network(record: Record, judge: Judge, scores: dict[str, Score]) -> tuple[Cause, ...]:
    """What the network lost before any rounding."""
    # a network trained with its rounding may answer worse without it
    own = scores["network in real numbers"], scores["integers"]
    before, after = min(own, key=lambda s: s.divergence), scores["teacher"]
    if not is_measurable(before, after) or before.accuracy > after.accuracy:
        return ()
    have, had = record.student.macs, record.teacher_macs
    if have == had:
        return ()
    evidence = f"it has {have:,} multiply-accumulates where the teacher has {had:,}"
    fix = "`pintsize shrink` with a smaller --max-drop, more --flash, or --effort high"
    restoration = Restoration("the teacher in its place")
    return (Cause(Suspect("smaller network", ("all layers",), evidence, restoration, fix), before, after),)


__all__ = ["Explanation", "explain", "explain_record", "explanation_file"]
