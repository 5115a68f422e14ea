"""What may be wrong with the codes of weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pintsize.compress.equalize import equalize
from pintsize.compress.weight_scales import weight_scales
from pintsize.explaining.suspect import Restoration, Scene, Suspect
from pintsize.graph import BITS, Graph, Node, Tensor

#: the largest weight of a channel, in root mean squares of the others
OUTLIER = 10.0
#: equalization that divides that ratio so far would help
EQUALIZED = 1.5


def narrow_weights(scene: Scene) -> Iterator[Suspect]:
    """4 or 2 bits where 8 would do better."""
    for node in scene.graph.nodes:
        narrow = [c for c in weights_of(scene.graph, node) if BITS[scene.graph.type(c).dtype] < 8]
        if narrow:
            bits = BITS[scene.graph.type(narrow[0]).dtype]
            own = scene.noise[node.name].own_weights
            said = "" if own is None else f": alone they leave its output {own:.1f} dB above their noise"
            wider = tuple(_wider(scene, node, c) for c in narrow)
            biases = [c for c in scene.graph.constants(node) if scene.graph.type(c).dtype == "int32"]
            wider += tuple(replace(scene.graph.tensors[b], data=scene.plain.constant(b)) for b in biases)
            yield Suspect(
                "narrow weights", (node.name,), f"its weights have {bits} bits{said}",
                Restoration("at 8 bits", tensors=wider), f"--layer-bits {node.name}=8",
            )  # fmt: skip


def weight_outlier(scene: Scene) -> Iterator[Suspect]:
    """One weight far from all others of its channel, which share few codes then."""
    evener: Graph | None = None
    for node in scene.graph.nodes:
        for name in weights_of(scene.graph, node):
            ratio, channel = crest(scene.graph.tensors[name])
            if BITS[scene.graph.type(name).dtype] != 8 or ratio < OUTLIER:
                continue
            evener = evener or equalize(scene.graph)
            helps = crest(evener.tensors[name])[0] * EQUALIZED < ratio
            evidence = (
                f"the largest weight of channel {channel} is {ratio:.3g} times the root mean square of its others, "
                f"which share {2 * 127 / ratio:.0f} codes"
            )
            yield Suspect(
                "weight outlier", (node.name,), evidence, left_real(scene, node),
                "Quantize(equalize_layers=True), the default" if helps else
                "`pintsize shrink`, which learns the weights with their rounding (--effort high: for longer), or more "
                "weight decay in training",
            )  # fmt: skip


def coarse_weights(scene: Scene, node: Node) -> Suspect | None:
    """Weights of 8 bits with nothing particular about them."""
    names = weights_of(scene.graph, node)
    if not names:
        return None
    own = scene.noise[node.name].own_weights
    said = "" if own is None else f": {own:.1f} dB"
    bits = BITS[scene.graph.type(names[0]).dtype]
    return Suspect(
        "coarse weights", (node.name,), f"{bits} bits are coarse for its weights{said}", left_real(scene, node),
        "`pintsize shrink`, which learns the weights with their rounding (--effort high: for longer)",
    )  # fmt: skip


def weights_of(graph: Graph, node: Node) -> tuple[str, ...]:
    """The weights of a node, without its biases and constant operands."""
    if node.op.operands:
        return ()
    return tuple(c for c in graph.constants(node) if graph.type(c).dtype != "int32")


def left_real(scene: Scene, node: Node) -> Restoration:
    return Restoration("left in real numbers", frozenset(scene.graph.constants(node)))


def crest(weight: Tensor) -> tuple[float, int]:
    """(largest ratio of a channel's largest weight to the root mean square of its others, that channel)."""
    assert weight.data is not None
    axis = weight.type.axis
    data = np.abs(weight.data.astype(np.float64))
    rows = data.reshape(1, -1) if axis is None else np.moveaxis(data, axis, 0).reshape(data.shape[axis], -1)
    if rows.shape[1] < 2:
        return 1.0, 0
    largest = rows.max(1)
    others = np.sqrt((np.square(rows).sum(1) - largest**2).clip(min=0) / (rows.shape[1] - 1))
    # a channel of one weight and zeros loses nothing
    ratios = np.where(others > largest * 1e-4, largest / np.maximum(others, 1e-30), 1.0)
    return float(ratios.max()), int(ratios.argmax())


def _wider(scene: Scene, node: Node, name: str) -> Tensor:
    """The weight at 8 bits, its scale no finer than its bias allows."""
    graph, weight = scene.plain, scene.graph.tensors[name]
    assert weight.data is not None
    axis = weight.type.axis
    least = np.zeros(1)
    if axis is not None and len(node.inputs) == 3:
        weighed = node.op.weighed_scale or graph.type(node.inputs[0]).scale[0]
        least = np.abs(graph.constant(node.inputs[2])) / (weighed * 2.0**29)
    scale = weight_scales(weight.data, axis, 8, least)
    kind = replace(weight.type, dtype="int8", scale=tuple(scale.astype(np.float32).tolist()))
    return replace(weight, type=kind)
