"""Quantization: real numbers to int8, int4 or int2 codes, from a few hundred samples.

`Quantize` runs the whole of it on a folded Graph: equalize across layers, calibrate the ranges, annotate every
tensor with its grid, correct the biases, freeze the codes. Training (compress/train.py) works between
`annotate` and `freeze`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch

from pintsize.arithmetic import WEIGHT_MAX, quantize_bias, quantize_weight
from pintsize.compress.calibrate import Calibration, Range, calibrate
from pintsize.compress.equalize import equalize
from pintsize.errors import UserError
from pintsize.graph import DType, Graph, Node, Tensor, TensorType
from pintsize.module import tied_groups
from pintsize.ops import Add, Concat, Mul
from pintsize.spec import check

WEIGHT_DTYPES: dict[int, DType] = {8: "int8", 4: "int4", 2: "int2"}
#: an all-zero channel still needs a scale; small enough to matter to nothing, large enough for its bias
LEAST_WEIGHT_SCALE = 1e-6
#: from a node's accumulator to its output; beyond it an output holds nothing
LARGEST_FACTOR = 2.0**20
LARGEST_SCALE = 1e30
Bits = Literal[8, 4, 2]


@dataclass(frozen=True)
class Quantize:
    """How to quantize.

    weight_bits: width of all weights; layer_bits: node name → another width for that node.
    calibration: how ranges are read off the samples (min_max, percentile, mse).
    """

    weight_bits: Bits = 8
    layer_bits: Mapping[str, Bits] = field(default_factory=dict)
    calibration: Calibration = "mse"
    equalize_layers: bool = True
    correct_biases: bool = True

    def __post_init__(self) -> None:
        for bits in (self.weight_bits, *self.layer_bits.values()):
            if bits not in WEIGHT_DTYPES:
                raise UserError(f"weights may have {sorted(WEIGHT_DTYPES)} bits, not {bits}")

    def __call__(self, graph: Graph, samples: np.ndarray) -> Graph:
        """A folded float Graph and samples (n, *input shape) → the integer Graph."""
        return freeze(self.annotate(graph, samples))

    def annotate(self, graph: Graph, samples: np.ndarray) -> Graph:
        """The Graph with every tensor's grid in its type, constants still real.

        Raises UserError when `layer_bits` names a node that is not there.
        """
        check(graph, "folded")
        layers = [n.name for n in graph.nodes if graph.constants(n)]
        unknown = set(self.layer_bits) - set(layers)
        if unknown:
            raise UserError(f"no layer with weights is named {sorted(unknown)}; there are {layers}")
        prepared = own_constants(graph)
        prepared = equalize(prepared) if self.equalize_layers else prepared
        ranges, means = calibrate(prepared, samples, self.calibration)
        annotated = _with_grids(prepared, ranges, self._bits)
        if self.correct_biases:
            annotated = correct_biases(annotated, means)
        check(annotated, "annotated")
        return annotated

    def _bits(self, node: Node) -> Bits:
        return self.layer_bits.get(node.name, self.weight_bits)


def own_constants(graph: Graph) -> Graph:
    """The graph with a copy of every constant that several nodes read: each puts it on a grid of its own."""
    taken: set[str] = set()
    copies: list[Tensor] = []
    nodes: list[Node] = []
    for node in graph.nodes:
        names = {c: f"{c}@{node.name}" for c in graph.constants(node) if c in taken}
        taken.update(graph.constants(node))
        copies += [replace(graph.tensors[c], name=own) for c, own in names.items()]
        nodes.append(replace(node, inputs=tuple(names.get(i, i) for i in node.inputs)))
    return replace(graph.with_tensors(*copies), nodes=tuple(nodes))


def _with_grids(graph: Graph, ranges: Mapping[str, Range], bits: Callable[[Node], Bits]) -> Graph:
    grids = _activation_grids(graph, ranges)
    changed = [replace(graph.tensors[n], type=replace(graph.type(n), dtype="int8", scale=(s,), zero_point=z))
               for n, (s, z) in grids.items()]  # fmt: skip
    for node in graph.nodes:
        constants = graph.constants(node)
        if constants:
            changed += _constant_grids(graph, node, bits(node), grids[node.inputs[0]][0])
    return graph.with_tensors(*changed)


def _activation_grids(graph: Graph, ranges: Mapping[str, Range]) -> dict[str, tuple[float, int]]:
    """(scale, zero point) per activation: tied tensors share the union of their ranges; fixed ones are fixed."""
    leaders = tied_groups(graph)
    fixed = {leaders[n.output]: f for n in graph.nodes if (f := n.op.fixed_output()) is not None}
    grids: dict[str, tuple[float, int]] = {}
    for name, leader in leaders.items():
        if leader in fixed:
            grids[name] = fixed[leader]
            continue
        members = [ranges[m] for m, other in leaders.items() if other == leader]
        grids[name] = Range(min(m.low for m in members), max(m.high for m in members)).grid()
    return _coarsened(graph, grids, leaders)


def _coarsened(
    graph: Graph, grids: dict[str, tuple[float, int]], leaders: Mapping[str, str]
) -> dict[str, tuple[float, int]]:
    """No output so fine that one unit of its node's accumulator were a million steps (nearly dead layers).

    Raises UserError where tensors of so different sizes share a grid that there is none for them.
    """
    for node in graph.nodes:
        least = float(np.float32(min(_largest_unit(graph, node, grids) / LARGEST_FACTOR, LARGEST_SCALE)))
        scale, zero_point = grids[node.output]
        if scale < least:
            tied = [name for name in grids if leaders[name] == leaders[node.output]]
            grids = {**grids, **dict.fromkeys(tied, (least, zero_point))}
    for node in graph.nodes:
        if _largest_unit(graph, node, grids) > 2 * LARGEST_FACTOR * grids[node.output][0]:
            raise UserError(f"{node.name} at {node.source or 'an unknown place'}: its inputs are more than a million "
                            "times as large as its output can tell apart; normalize them in the model")  # fmt: skip
    return grids


def _largest_unit(graph: Graph, node: Node, grids: Mapping[str, tuple[float, int]]) -> float:
    """What 1 in the node's accumulator can stand for, at most; 0 where nothing is requantized."""
    scales = [grids[i][0] for i in graph.activations(node)]
    constants = graph.constants(node)
    if constants:
        return scales[0] * float(np.abs(graph.constant(constants[0])).max(initial=0.0))
    if isinstance(node.op, Mul):
        return scales[0] * scales[1]
    return max(scales) if isinstance(node.op, Add | Concat) else 0.0


def _constant_grids(graph: Graph, node: Node, bits: Bits, input_scale: float) -> list[Tensor]:
    weight, bias = (graph.tensors[c] for c in graph.constants(node))
    assert weight.data is not None and bias.data is not None
    axis = output_axis(weight)
    scale = weight_scales(weight.data, axis, bits)
    reach = np.abs(bias.data) / (np.float64(input_scale) * 2.0**29)
    scale = np.maximum(np.maximum(scale, reach), LEAST_WEIGHT_SCALE).astype(np.float32)
    kind = TensorType(weight.type.shape, WEIGHT_DTYPES[bits], tuple(scale.tolist()), 0, axis)
    return [replace(weight, type=kind), replace(bias, type=_bias_type(bias.type.shape, scale, input_scale))]


def _bias_type(shape: tuple[int, ...], weight_scale: np.ndarray, input_scale: float) -> TensorType:
    scale = (weight_scale.astype(np.float64) * input_scale).astype(np.float32)
    return TensorType(shape, "int32", tuple(scale.tolist()), 0, 0)


def output_axis(weight: Tensor) -> int:
    """Where a weight keeps its output channels: first, but last for depthwise (Kh, Kw, C)."""
    return 2 if len(weight.type.shape) == 3 else 0


def weight_scales(weight: np.ndarray, axis: int, bits: Bits) -> np.ndarray:
    """One scale per output channel: the largest weight at 8 bits, the least squared error below."""
    rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1).astype(np.float64)
    largest = np.abs(rows).max(1) / WEIGHT_MAX[bits]
    if bits == 8:
        return largest
    shrinks = np.linspace(0.3, 1.0, 36)
    errors = np.stack([_squared_error(rows, np.maximum(largest * s, 1e-12), bits) for s in shrinks])
    return largest * shrinks[errors.argmin(0)]


def _squared_error(rows: np.ndarray, scale: np.ndarray, bits: Bits) -> np.ndarray:
    codes = np.clip(np.round(rows / scale[:, None]), -WEIGHT_MAX[bits], WEIGHT_MAX[bits])
    return ((codes * scale[:, None] - rows) ** 2).sum(1)


def correct_biases(annotated: Graph, means: Mapping[str, np.ndarray]) -> Graph:
    """Adds to each bias what rounding the weights takes from the mean output.

    means: activation → its mean per channel. Source: Nagel et al., "Data-Free Quantization", 2019.
    """
    changed: list[Tensor] = []
    for node in annotated.nodes:
        constants = annotated.constants(node)
        if not constants:
            continue
        weight, bias = (annotated.tensors[c] for c in constants)
        assert weight.data is not None and bias.data is not None
        lost = weight.data - weight_codes(weight) * _per_channel(weight)
        changed.append(
            replace(bias, data=(bias.data + _mean_output(lost, means[node.inputs[0]])).astype(np.float32))
        )
    return annotated.with_tensors(*changed)


def _mean_output(weight: np.ndarray, mean: np.ndarray) -> np.ndarray:
    if weight.ndim == 3:  # depthwise (Kh, Kw, C·m)
        return weight.sum((0, 1)) * np.repeat(mean, weight.shape[2] // len(mean))
    return weight.reshape(weight.shape[0], -1, weight.shape[-1]).sum(1) @ mean


def _per_channel(weight: Tensor) -> np.ndarray:
    shape = [1] * len(weight.type.shape)
    shape[weight.type.axis or 0] = -1
    return np.array(weight.type.scale, np.float32).reshape(shape)


def weight_codes(weight: Tensor) -> np.ndarray:
    """The int8 codes of an annotated weight."""
    assert weight.data is not None
    bits = next(b for b, d in WEIGHT_DTYPES.items() if d == weight.type.dtype)
    scale = torch.from_numpy(_per_channel(weight))
    return quantize_weight(torch.from_numpy(weight.data), scale, bits).numpy().astype(np.int8)


def freeze(annotated: Graph) -> Graph:
    """The integer Graph: every constant of an annotated Graph as its codes."""
    changed: list[Tensor] = []
    for node in annotated.nodes:
        constants = annotated.constants(node)
        if not constants:
            continue
        weight, bias = (annotated.tensors[c] for c in constants)
        scale_in = annotated.type(node.inputs[0]).scale[0]
        changed.append(replace(weight, data=weight_codes(weight)))
        changed.append(_frozen_bias(bias, np.array(weight.type.scale, np.float32), scale_in))
    graph = annotated.with_tensors(*changed)
    check(graph, "integer")
    return graph


def _frozen_bias(bias: Tensor, weight_scale: np.ndarray, input_scale: float) -> Tensor:
    assert bias.data is not None
    scale = torch.from_numpy(weight_scale).double() * torch.tensor(input_scale, dtype=torch.float32).double()
    codes = quantize_bias(torch.from_numpy(bias.data), scale).numpy().astype(np.int32)
    return Tensor(bias.name, _bias_type(bias.type.shape, weight_scale, input_scale), codes)
