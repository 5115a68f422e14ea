"""What may be wrong with the grids of activations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np

from pintsize.compress.equalize import equalize
from pintsize.compress.quantize import correct_biases
from pintsize.explaining.mixture import constants_of
from pintsize.explaining.observed import bounds
from pintsize.explaining.suspect import Restoration, Scene, Suspect
from pintsize.graph import Graph, Node

#: the samples reach so many times as far as calibration did, or only 1 / so many
DIFFERENT_REACH = 1.5
#: fewer codes for the numbers of the input, all but one in a thousand, are few
FEW_LEVELS = 48
#: … as is a mean square of so many codes
FEW_CODES_RMS = 4.0
#: tensors on one grid, one of which reaches so many times as far as another
MIXED_SCALES = 6.0
#: the largest number, in 99.9th percentiles
OUTLIER = 4.0
#: share of numbers outside of what the codes stand for
CLIPPED = 0.001
#: calibration saw numbers that lie so much farther out than the codes: it left them out
FARTHER = 1.1
#: the channel that reaches farthest, in medians of the channels
IMBALANCE = 8.0
#: equalization that changes the ratio of two channels' weights so much would help
EQUALIZED = 2.0


def calibration_differs(scene: Scene) -> Iterator[Suspect]:
    """All grids at once: data of another scale than calibration's spoils every layer."""
    ratios = {
        name: seen.reach.usual / scene.calibration[name].usual
        for name, seen in scene.seen.items()
        if name in scene.calibration and scene.calibration[name].usual > 0 and seen.reach.usual > 0
    }
    off = [n for n in scene.seen if not 1 / DIFFERENT_REACH < ratios.get(n, 1.0) < DIFFERENT_REACH]
    groups = [g for g in scene.groups if set(g) & set(off)]
    if not groups:
        return
    first = next(n for n in (scene.graph.inputs[0], *(n.output for n in scene.graph.nodes)) if n in off)
    evidence = (
        f"{_said(scene, first)} reaches {ratios[first]:.2g} times as far on these samples as in calibration; so do, "
        f"or otherwise differ, {len(off)} of {len(scene.seen)} tensors"
    )
    how = "on grids that these samples give"
    grids = (scene.regrid(g, *_extent(scene, g), how) for g in groups)
    yield Suspect(
        "calibration differs", tuple(dict.fromkeys(scene.place(n) for n in off)), evidence,
        reduce(Restoration.__add__, (*grids, _corrected_anew(scene))),
        "calibrate and train with data like these: --data (Python: the samples given to Quantize), scaled as on the "
        "device",
    )  # fmt: skip


def coarse_input(scene: Scene) -> Iterator[Suspect]:
    """An input whose numbers meet few of its codes."""
    name = scene.graph.inputs[0]
    kind, reach = scene.graph.type(name), scene.seen[name].reach
    if not scene.group(name):  # ids of tokens
        return
    levels = (min(reach.high, reach.usual) - max(reach.low, -reach.usual)) / kind.scale[0]
    spread = reach.rms / kind.scale[0]
    if levels < FEW_LEVELS or spread < FEW_CODES_RMS:
        evidence = (
            f"all but a thousandth of its numbers lie within {max(1, round(levels))} of {1 << kind.code_bits} codes "
            f"(root mean square: {spread:.2g} codes)"
        )
        yield Suspect(
            "coarse input", ("the input",), evidence, scene.left_real(scene.group(name)),
            'Quantize(calibration="percentile") cuts rare peaks; else scale the samples so that they fill the range, '
            "or take their logarithm",
        )  # fmt: skip


def mixed_scale_concat(scene: Scene) -> Iterator[Suspect]:
    """Tensors of different sizes joined on one grid."""
    for node in scene.graph.nodes:
        names = scene.graph.activations(node)
        if not node.op.ties_types or len(names) < 2:
            continue
        usual = {n: scene.seen[n].reach.usual for n in names if scene.seen[n].reach.usual > 0}
        if len(usual) > 1 and max(usual.values()) > MIXED_SCALES * min(usual.values()):
            small = min(usual, key=lambda n: usual[n])
            large = max(usual, key=lambda n: usual[n])
            codes = usual[small] / scene.graph.type(node.output).scale[0]
            evidence = (
                f"it joins {_said(scene, large)}, which reaches {usual[large]:.3g}, and {_said(scene, small)}, which "
                f"reaches {usual[small]:.3g}, on one grid: the smaller keeps {codes:.1f} codes on a side"
            )
            yield Suspect(
                "mixed-scale concat", (node.name,), evidence, scene.left_real(scene.group(node.output)),
                "a batch norm on each branch in the model, so that they reach alike" + _or_sixteen_bits(scene),
            )  # fmt: skip


def range_outlier(scene: Scene) -> Iterator[Suspect]:
    """A grid that a few numbers stretch, so that all others share few codes."""
    for group in scene.groups:
        name = max(group, key=lambda n: scene.seen[n].reach.usual)
        reach, before = scene.seen[name].reach, scene.calibration.get(name)
        peaks = [r.peak / r.usual for r in (reach, before) if r is not None and r.usual > 0]
        low, high = bounds(scene.graph.type(name))
        if peaks and max(peaks) > OUTLIER and max(-low, high) > OUTLIER / 2 * reach.usual:
            evidence = (
                f"its largest number is {max(peaks):.3g} times the 99.9th percentile, and the grid reaches "
                f"{max(-low, high) / reach.usual:.2g} times as far as that"
            )
            cut = max(reach.low, -reach.usual), min(reach.high, reach.usual)
            yield Suspect(
                "range outlier", (scene.place(name),), evidence,
                scene.regrid(group, *cut, "on a grid up to the 99.9th percentile"),
                'Quantize(calibration="percentile"), or Relu6 there in the model',
            )  # fmt: skip


def saturation(scene: Scene) -> Iterator[Suspect]:
    """Numbers cut off at the ends of the grid, beyond what an activation function cuts by itself."""
    for group in scene.groups:
        name = max(group, key=lambda n: scene.seen[n].beyond)
        share = scene.seen[name].beyond
        if share <= CLIPPED:
            continue
        reach, before = scene.seen[name].reach, scene.calibration.get(name)
        low, high = bounds(scene.graph.type(name))
        evidence = (
            f"{share:.2%} of its numbers are cut off: they run from {reach.low:.3g} to {reach.high:.3g}, its codes "
            f"from {low:.3g} to {high:.3g}"
        )
        was_seen = before is not None and (before.high > FARTHER * high or before.low < FARTHER * low)
        fix = (
            'Quantize(calibration="min_max")'
            if was_seen
            else "more calibration samples, and more varied ones"
        )
        yield Suspect(
            "saturation", (scene.place(name),), evidence,
            scene.regrid(group, *_extent(scene, group), "on a grid that holds all of them"),
            f"{fix}; `pintsize shrink` learns the grid from --data",
        )  # fmt: skip


def channel_imbalance(scene: Scene) -> Iterator[Suspect]:
    """Channels of so different sizes that one scale for all leaves the small ones few codes."""
    evener: Graph | None = None
    for node in scene.graph.nodes:
        peaks = scene.seen[node.output].channel_peak
        alive = peaks[peaks > 0]
        group = scene.group(node.output)
        if len(alive) < 2 or not group or alive.max() <= IMBALANCE * np.median(alive):
            continue
        evener = evener or equalize(scene.graph)
        ratio = alive.max() / np.median(alive)
        scale = scene.graph.type(node.output).scale[0]
        lost = int((alive < scale / 2).sum())
        evidence = (
            f"channel {int(peaks.argmax())} reaches {ratio:.3g} times as far as the median channel, which keeps "
            f"{np.median(alive) / scale:.1f} codes on a side{_weights(scene.graph, node)}"
        ) + (f"; {lost} channels are rounded away" if lost else "")
        yield Suspect(
            "channel imbalance", (node.name,), evidence, scene.left_real(group),
            "Quantize(equalize_layers=True), the default" if _changed(scene.graph, evener, node)
            else "a batch norm there in the model" + _or_sixteen_bits(scene),
        )  # fmt: skip


def coarse_activation(scene: Scene, node: Node | None) -> Suspect | None:
    """An output (or, for None, the input) with nothing particular about it: too fine for its codes."""
    name = scene.graph.inputs[0] if node is None else node.output
    group = scene.group(name)
    if not group:
        return None
    bits = scene.graph.type(name).code_bits
    reach = scene.seen[name].reach
    codes = reach.rms / scene.graph.type(name).scale[0]
    evidence = f"{bits} bits are coarse for what follows (root mean square: {codes:.3g} codes)"
    fix = "a batch norm there in the model" + _or_sixteen_bits(scene)
    return Suspect("coarse activation", (scene.place(name),), evidence, scene.left_real(group), fix)


def _or_sixteen_bits(scene: Scene) -> str:
    """An option where every op has the arithmetic for it."""
    possible = all(n.op.int16 for n in scene.graph.nodes)
    return ", or Quantize(activation_bits=16)" if possible else ""


def _extent(scene: Scene, group: tuple[str, ...]) -> tuple[float, float]:
    reaches = [scene.seen[n].reach for n in group]
    return min(r.low for r in reaches), max(r.high for r in reaches)


def _corrected_anew(scene: Scene) -> Restoration:
    """Biases corrected by these samples' means, where they were corrected by those of calibration."""
    means = {name: seen.channel_mean for name, seen in scene.seen.items()}
    anew = correct_biases(scene.plain, means)
    moved = [n for n in constants_of(anew) if (scene.plain.constant(n) != scene.graph.constant(n)).any()]
    return Restoration("", tensors=tuple(anew.tensors[n] for n in moved))


def _said(scene: Scene, tensor: str) -> str:
    place = scene.place(tensor)
    return place if place == "the input" else f"the output of {place}"


def _weights(graph: Graph, node: Node) -> str:
    reach = _weight_reach(graph, node)
    if reach is None or not (reach > 0).any():
        return ""
    return f"; its weights {reach.max() / np.median(reach[reach > 0]):.3g} times"


def _weight_reach(graph: Graph, node: Node) -> np.ndarray | None:
    """The largest weight of every output channel."""
    constants = graph.constants(node)
    axis = graph.type(constants[0]).axis if constants and not node.op.operands else None
    if axis is None:
        return None
    data = np.abs(graph.constant(constants[0]))
    return data.max(tuple(i for i in range(data.ndim) if i != axis))


def _changed(graph: Graph, evener: Graph, node: Node) -> bool:
    """Does equalization change how the layer's channels compare?"""
    before, after = _weight_reach(graph, node), _weight_reach(evener, node)
    if before is None or after is None:
        return False
    alive = (before > 0) & (after > 0)
    change = after[alive] / before[alive]
    return bool(len(change)) and float(change.max() / change.min()) > EQUALIZED
