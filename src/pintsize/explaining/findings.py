"""What was found, put into an Explanation's rows and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pintsize.explaining.confirm import Cause
from pintsize.explaining.explanation import LayerLoss, NamedCause
from pintsize.explaining.judge import Score, is_measurable
from pintsize.explaining.suspect import Scene, Suspect
from pintsize.explaining.weight_suspects import weights_of
from pintsize.graph import BITS, Node

#: places of each kind that are told of though restoring them gains nothing
TOLD = 6


def named(cause: Cause) -> NamedCause:
    """A cause, ready to tell."""
    s = cause.suspect
    return NamedCause(
        s.kind, s.places, s.evidence, s.restoration.how, cause.before.accuracy, cause.after.accuracy,
        cause.before.divergence, cause.after.divergence, s.fix,
    )  # fmt: skip


def layer_loss(scene: Scene, node: Node, gained: float) -> LayerLoss:
    """One layer's figures. gained: by restoring it alone."""
    graph, seen, noise = scene.graph, scene.seen[node.output], scene.noise[node.name]
    weights = weights_of(graph, node)
    return LayerLoss(
        node.name, node.op.name, node.source, BITS[graph.type(weights[0]).dtype] if weights else None,
        graph.type(node.output).code_bits, noise.pruned, noise.weights, noise.activations, noise.both,
        noise.own_weights, noise.own_output, gained, seen.beyond,
        seen.reach.peak / seen.reach.usual if seen.reach.usual > 0 else None,
        len(seen.channel_spread), _dead(scene, node),
    )  # fmt: skip


def _dead(scene: Scene, node: Node) -> int:
    """Channels of a layer of weights that hold the same number on every sample and at every place."""
    if not weights_of(scene.graph, node):
        return 0
    return int((scene.seen[node.output].channel_spread == 0).sum())


def notes(scene: Scene, scores: Mapping[str, Score], cleared: Sequence[Suspect]) -> tuple[str, ...]:
    """What is worth saying though it costs nothing."""
    said = [
        f"{n.name}: {dead} of {len(scene.seen[n.output].channel_spread)} channels never change on these samples and "
        f'carry nothing: Prune(layer_widths={{"{n.name}": …}}) removes them'
        for n in scene.graph.nodes
        if (dead := _dead(scene, n))
    ]
    if is_measurable(scores["network in real numbers"], scores["integers"]):
        said.append(
            "this network was trained with its rounding and answers better with it than in real numbers: what a "
            "restored layer gains is what the layers after it, trained for the rounded one, let it gain"
        )
    by_kind: dict[str, list[Suspect]] = {}
    for suspect in cleared:
        by_kind.setdefault(suspect.kind, []).append(suspect)
    return (*said, *(_cleared(same) for same in by_kind.values()))


def _cleared(same: list[Suspect]) -> str:
    """Suspects of one kind that are no causes."""
    places = [place for s in same for place in s.places]
    where = ", ".join(places[:TOLD]) + (f" and {len(places) - TOLD} more" if len(places) > TOLD else "")
    seen = f" ({same[0].evidence})" if len(same) == 1 else ""
    return f"{same[0].kind} at {where}{seen}: putting it right gains nothing measurable"
