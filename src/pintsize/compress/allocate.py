"""Channels per group and bits per layer, chosen together for a number of bytes.

Every channel and every narrower weight has a price, in nats of the teacher's answers: what is lost if it goes. Then the
cheapest step per byte saved is taken again and again until the constants fit. No group falls far below the width that
it would have if all were cut alike: rankings across layers starve some of them, and what is starved does not recover.

Prices: channels, ½ mean_n (Σ activation · gradient)² with labels drawn from the teacher's answers (Fisher information,
Theis et al., 2018); bits, KL(teacher ‖ network with that layer's weights rounded).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from pintsize.compress.channels import ChannelMap, Group, map_channels
from pintsize.compress.importance import MAKERS
from pintsize.compress.quantize import Bits, output_axis
from pintsize.compress.weight_scales import weight_scales
from pintsize.graph import Graph, Node, Tensor
from pintsize.module import GraphModule, run_float
from pintsize.passes.simplify import fold

#: samples that prices are measured on
PRICED_SAMPLES = 512
#: no group gets narrower than this share of its width in the uniform solution of the same size
LEAST_SHARE = 0.7
#: a step takes this share of a group's channels
STEP_SHARE = 1 / 16
#: bias, multiplier and shift of an output channel
BYTES_PER_OUTPUT = 9
#: layers with fewer channels than this on either side lose too much at 2 bits
LEAST_CHANNELS_AT_2_BITS = 32
NARROWER: Mapping[Bits, Bits] = {8: 4, 4: 2}


@dataclass(frozen=True)
class Allocation:
    """How many channels each group keeps (by its first layer's name) and the bits of each layer's weights."""

    widths: Mapping[str, int]
    bits: Mapping[str, Bits]

    def __hash__(self) -> int:
        return hash((tuple(self.widths.items()), tuple(self.bits.items())))


@dataclass(frozen=True)
class Prices:
    """channels: group's first layer → what its cheapest 0, 1, 2, … cost together; bits: (layer, bits) → cost."""

    channels: Mapping[str, np.ndarray]
    bits: Mapping[tuple[str, Bits], float]


def prices(graph: Graph, x: np.ndarray, seed: int = 0) -> Prices:
    """Measures the prices of a float Graph whose output is logits on samples x (n, *input shape, channels last)."""
    flow = map_channels(graph)
    samples = x[:: max(1, len(x) // PRICED_SAMPLES)][:PRICED_SAMPLES]
    each = _channel_prices(graph, flow, samples, seed)
    together = {g.layers[0]: _running_sums(each[list(g.channels)]) for g in flow.groups}
    return Prices(together, _bit_prices(fold(graph), samples))


def _running_sums(costs: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.sort(costs))])


def _channel_prices(graph: Graph, flow: ChannelMap, x: np.ndarray, seed: int, batch: int = 64) -> np.ndarray:
    """Price by channel identity."""
    points = {n.output for n in graph.nodes if n.op.name in MAKERS and n.output not in graph.outputs}
    count = 1 + max((int(ids.max()) for ids in flow.tensors.values() if len(ids)), default=0)
    module = GraphModule(graph).eval()
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(count, dtype=torch.float64)
    for start in range(0, len(x), batch):
        seen: dict[str, torch.Tensor] = {}

        def observe(name: str, value: torch.Tensor, seen: dict[str, torch.Tensor] = seen) -> None:
            if name in points:
                value.retain_grad()
                seen[name] = value

        module.observe = observe
        logits = module(torch.from_numpy(x[start : start + batch])).flatten(1)
        drawn = torch.multinomial(logits.detach().softmax(1), 1, generator=generator).squeeze(1)
        F.cross_entropy(logits, drawn, reduction="sum").backward()
        gates = torch.zeros(len(logits), count, dtype=torch.float64)
        for name, value in seen.items():
            assert value.grad is not None
            moved = (value.detach() * value.grad).unsqueeze(1).flatten(1, -2).sum(1)  # (n, C)
            gates.index_add_(1, torch.from_numpy(flow.tensors[name]), moved.double())
        total += 0.5 * gates.square().sum(0)
    return (total / len(x)).numpy()


def _bit_prices(graph: Graph, x: np.ndarray) -> dict[tuple[str, Bits], float]:
    """(layer, bits) → what rounding its weights to so many bits costs; 8 bits are the start and cost nothing."""
    inputs = torch.from_numpy(x)
    with torch.no_grad():
        wanted = F.log_softmax(run_float(graph, inputs).flatten(1), 1)
        found: dict[tuple[str, Bits], float] = {}
        for node in weighted_layers(graph):
            found[node.name, 8] = 0.0
            for bits in NARROWER.values():
                rounded = graph.with_tensors(_rounded(graph.tensors[node.inputs[1]], bits))
                answers = F.log_softmax(run_float(rounded, inputs).flatten(1), 1)
                lost = F.kl_div(answers, wanted, log_target=True, reduction="batchmean")
                found[node.name, bits] = max(float(lost), 0.0)  # below it is rounding
    return found


def weighted_layers(graph: Graph) -> list[Node]:
    """The layers whose weights may have 8, 4 or 2 bits."""
    return [
        n for n in graph.nodes if n.op.activations == 1 and len(graph.constants(n)) == 2 and not n.op.operands
    ]


def _rounded(weight: Tensor, bits: Bits) -> Tensor:
    assert weight.data is not None
    axis = output_axis(weight)
    shape = [1] * weight.data.ndim
    shape[axis] = -1
    scale = weight_scales(weight.data, axis, bits).reshape(shape)
    most = 2 ** (bits - 1) - 1
    return replace(
        weight, data=(np.clip(np.rint(weight.data / scale), -most, most) * scale).astype(np.float32)
    )


@dataclass(frozen=True)
class _Axis:
    """An axis of a constant: entries that always stay, and entries per channel of each group."""

    fixed: int
    per_channel: Mapping[str, int]

    def extent(self, widths: Mapping[str, int]) -> int:
        return self.fixed + sum(n * widths[group] for group, n in self.per_channel.items())


@dataclass(frozen=True)
class Sizes:
    """The bytes of all constants as a function of widths and bits. layers: weight axes, and which one is the output."""

    groups: Mapping[str, Group]
    layers: Mapping[str, tuple[tuple[_Axis, ...], int]]

    @classmethod
    def of(cls, graph: Graph) -> Sizes:
        """Of a float Graph with its batch norms folded, or not: they leave no bytes."""
        flow = map_channels(graph)
        groups = {g.layers[0]: g for g in flow.groups}
        owner = {c: name for name, g in groups.items() for c in g.channels}
        layers = {}
        for node in weighted_layers(graph):
            weight = graph.tensors[node.inputs[1]]
            axes = tuple(_axis(flow, owner, weight, a) for a in range(len(weight.type.shape)))
            layers[node.name] = axes, output_axis(weight)
        return cls(groups, layers)

    def full(self) -> Allocation:
        """Every channel, 8 bits."""
        return Allocation({n: len(g.channels) for n, g in self.groups.items()}, dict.fromkeys(self.layers, 8))

    def bytes(self, allocation: Allocation) -> float:
        return sum(self._layer(name, allocation) for name in self.layers)

    def _layer(self, name: str, allocation: Allocation) -> float:
        axes, output = self.layers[name]
        extents = [axis.extent(allocation.widths) for axis in axes]
        return float(np.prod(extents)) * allocation.bits[name] / 8 + BYTES_PER_OUTPUT * extents[output]

    def takes_2_bits(self, name: str, allocation: Allocation) -> bool:
        axes, output = self.layers[name]
        extents = [axis.extent(allocation.widths) for axis in axes]
        taps = float(np.prod(extents)) / max(extents[output], 1)
        return min(extents[output], taps) >= LEAST_CHANNELS_AT_2_BITS


def _axis(flow: ChannelMap, owner: Mapping[int, str], weight: Tensor, axis: int) -> _Axis:
    ids = flow.slices.get((weight.name, axis))
    if ids is None:
        return _Axis(weight.type.shape[axis], {})
    names = [owner.get(int(i)) for i in ids]
    entries = {
        n: names.count(n) // len({int(i) for i in ids if owner.get(int(i)) == n}) for n in set(names) if n
    }
    return _Axis(names.count(None), entries)


def allocate(
    sizes: Sizes, cost: Prices, bytes_allowed: float, alignment: int = 4, floor_channels: int = 4
) -> Allocation | None:
    """The allocation that fits into so many bytes of constants and costs little; None where nothing fits."""
    current = sizes.full()
    floors = _floors(sizes, bytes_allowed, alignment, floor_channels)
    while sizes.bytes(current) > bytes_allowed:
        best = min(_steps(sizes, cost, current, floors, alignment), key=lambda step: step[0], default=None)
        if best is None:
            return None
        current = best[1]
    return current


def _floors(sizes: Sizes, bytes_allowed: float, alignment: int, floor_channels: int) -> dict[str, int]:
    """Least widths: a share of those of the widest uniform 4-bit network that fits."""
    full = sizes.full()
    narrow: dict[str, Bits] = dict.fromkeys(sizes.layers, 4)
    for share in np.arange(1.0, 0.0, -1 / 64):
        widths = {n: _aligned(w * share, w, alignment, floor_channels) for n, w in full.widths.items()}
        if sizes.bytes(Allocation(widths, narrow)) <= bytes_allowed:
            return {n: _aligned(w * LEAST_SHARE, w, alignment, floor_channels) for n, w in widths.items()}
    return {n: min(w, floor_channels) for n, w in full.widths.items()}


def _aligned(width: float, most: int, alignment: int, least: int) -> int:
    return min(most, max(least, round(width / alignment) * alignment))


def _steps(
    sizes: Sizes, cost: Prices, current: Allocation, floors: Mapping[str, int], alignment: int
) -> Sequence[tuple[float, Allocation]]:
    """(price per byte saved, what is then left) of every step that saves something."""
    have = sizes.bytes(current)
    steps: list[tuple[float, Allocation]] = []
    for name, width in current.widths.items():
        every = len(sizes.groups[name].channels)
        chunk = max(alignment, round(every * STEP_SHARE / alignment) * alignment)
        narrower = max(floors[name], width - chunk)
        if narrower < width:
            after = replace(current, widths={**current.widths, name: narrower})
            lost = cost.channels[name][every - narrower] - cost.channels[name][every - width]
            steps.append((float(lost), after))
    for name, bits in current.bits.items():
        narrow = NARROWER.get(bits)
        if narrow and (narrow == 4 or sizes.takes_2_bits(name, current)):
            after = replace(current, bits={**current.bits, name: narrow})
            steps.append((cost.bits[name, narrow] - cost.bits[name, bits], after))
    saved = [(lost, after, have - sizes.bytes(after)) for lost, after in steps]
    return [(max(lost, 0.0) / bytes_, after) for lost, after, bytes_ in saved if bytes_ > 0]
