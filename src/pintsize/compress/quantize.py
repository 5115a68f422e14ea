"""Quantization: real numbers to int8, int4 or int2 codes, from a few hundred samples.

`Quantize` runs the whole of it on a folded Graph: equalize across layers, calibrate the ranges, annotate every
tensor with its grid, correct the biases, freeze the codes. Training (compress/train.py) works between
`annotate` and `freeze`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

import numpy as np
import torch

from pintsize.arithmetic import CODES, quantize, quantize_bias, quantize_weight
from pintsize.compress.calibrate import Calibration, Range, calibrate
from pintsize.compress.equalize import equalize
from pintsize.compress.recurrent import fit_inner_ranges, frozen_constants, recurrent_grids
from pintsize.compress.weight_scales import weight_scales
from pintsize.errors import UserError
from pintsize.graph import DType, Graph, Node, Tensor, TensorType
from pintsize.module import tied_groups
from pintsize.ops import Embedding, LayerNorm, Matmul, Mul, TransposeConv2d
from pintsize.ops.embedding import ids_grid, ids_read
from pintsize.ops.recurrent import Recurrent
from pintsize.spec import RESCALING, check

WEIGHT_DTYPES: dict[int, DType] = {8: "int8", 4: "int4", 2: "int2"}
#: from a node's accumulator to its output; beyond it an output holds nothing
LARGEST_FACTOR = 2.0**20
LARGEST_SCALE = 1e30
LARGEST_FACTOR_INT16 = 2.0**6
Bits = Literal[8, 4, 2]
ActivationBits = Literal[8, 16]


@dataclass(frozen=True)
class Quantize:
    """How to quantize.

    weight_bits: width of all weights; layer_bits: node name → another width for that node; activation_bits: 8, or 16
    for signals with more dynamics than 8 bits hold, with the ops that have such an arithmetic (see Op.int16).
    calibration: how ranges are read off the samples (min_max, percentile, mse).
    """

    weight_bits: Bits = 8
    layer_bits: Mapping[str, Bits] = field(default_factory=dict)
    calibration: Calibration = "mse"
    equalize_layers: bool = True
    correct_biases: bool = True
    activation_bits: ActivationBits = 8

    def __post_init__(self) -> None:
        for bits in (self.weight_bits, *self.layer_bits.values()):
            if bits not in WEIGHT_DTYPES:
                raise UserError(f"weights may have {sorted(WEIGHT_DTYPES)} bits, not {bits}")
        if self.activation_bits not in CODES:
            raise UserError(f"activations may have {sorted(CODES)} bits, not {self.activation_bits}")

    def __call__(self, graph: Graph, samples: np.ndarray) -> Graph:
        """A folded float Graph and samples (n, *input shape) → the integer Graph."""
        return freeze(self.annotate(graph, samples))

    def annotate(self, graph: Graph, samples: np.ndarray) -> Graph:
        """The Graph with every tensor's grid in its type, constants still real.

        Raises UserError when `layer_bits` names a node that is not there, or an op has no int16 arithmetic.
        """
        check(graph, "folded")
        layers = [n.name for n in graph.nodes if graph.constants(n) and not n.op.operands]
        unknown = set(self.layer_bits) - set(layers)
        if unknown:
            raise UserError(f"no layer with weights is named {sorted(unknown)}; there are {layers}")
        if self.activation_bits == 16:
            refuse_without_int16(graph)
        prepared = own_constants(graph)
        prepared = equalize(prepared) if self.equalize_layers else prepared
        # 16 bits need not trade the extremes for finer steps
        method = self.calibration if self.activation_bits == 8 else "min_max"
        ranges, means = calibrate(prepared, samples, method)
        ranges |= operand_ranges(prepared)
        prepared = fit_inner_ranges(prepared, samples)
        annotated = _with_grids(prepared, ranges, self._bits, self.activation_bits)
        if self.correct_biases:
            annotated = correct_biases(annotated, means)
        check(annotated, "annotated")
        return annotated

    def _bits(self, node: Node) -> Bits:
        return self.layer_bits.get(node.name, self.weight_bits)


def without_int16(graph: Graph) -> list[str]:
    """The nodes whose op computes on int8 alone."""
    return [f"{n.name} ({n.op.name})" for n in graph.nodes if not n.op.int16]


def refuse_without_int16(graph: Graph) -> None:
    """Raises UserError naming every node whose op computes on int8 alone."""
    refused = without_int16(graph)
    if refused:
        raise UserError(f"no int16 arithmetic for {', '.join(refused)}: quantize the activations to 8 bits")


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


def operand_ranges(graph: Graph) -> dict[str, Range]:
    """Range of every constant that is an operand."""
    names = {c for node in graph.nodes if node.op.operands for c in graph.constants(node)}
    data = {name: graph.constant(name) for name in sorted(names)}
    return {name: Range(float(d.min(initial=0)), float(d.max(initial=0))) for name, d in data.items()}


def _with_grids(
    graph: Graph, ranges: Mapping[str, Range], bits: Callable[[Node], Bits], activation_bits: ActivationBits
) -> Graph:
    grids = _activation_grids(graph, ranges, activation_bits)
    dtype: DType = "int16" if activation_bits == 16 else "int8"
    changed = [replace(graph.tensors[n], type=replace(graph.type(n), dtype=dtype, scale=(s,), zero_point=z))
               for n, (s, z) in grids.items()]  # fmt: skip
    if ids_read(graph):
        changed.append(replace(graph.tensors[graph.inputs[0]], type=_ids_type(graph)))
    for node in graph.nodes:
        constants = graph.constants(node)
        if isinstance(node.op, Recurrent):
            changed += recurrent_grids(
                graph, node, WEIGHT_DTYPES[bits(node)], grids.__getitem__, activation_bits
            )
        elif constants and not node.op.operands:
            changed += _constant_grids(
                graph, node, bits(node), node.op.weighed_scale or grids[node.inputs[0]][0]
            )
    return graph.with_tensors(*changed)


def _ids_type(graph: Graph) -> TensorType:
    """Of an input of token ids."""
    dtype, scale, zero_point = ids_grid(ids_read(graph))
    return TensorType(graph.type(graph.inputs[0]).shape, dtype, (scale,), zero_point)


def _activation_grids(
    graph: Graph, ranges: Mapping[str, Range], bits: ActivationBits
) -> dict[str, tuple[float, int]]:
    """(scale, zero point) per activation and operand: tied ones share the union of their ranges, some are fixed."""
    leaders = {**{name: name for name in operand_ranges(graph)}, **tied_groups(graph)}
    own = {n.output: n.op.fixed_output() if bits == 8 else n.op.fixed_output_int16() for n in graph.nodes}
    fixed = {leaders[name]: grid for name, grid in own.items() if grid is not None}
    if ids_read(graph):
        fixed[graph.inputs[0]] = ids_grid(ids_read(graph))[1:]
    grids: dict[str, tuple[float, int]] = {}
    for name, leader in leaders.items():
        if leader in fixed:
            grids[name] = fixed[leader]
            continue
        members = [ranges[m] for m, other in leaders.items() if other == leader]
        grids[name] = Range(min(m.low for m in members), max(m.high for m in members)).grid(bits)
    return _coarsened(graph, grids, leaders, LARGEST_FACTOR if bits == 8 else LARGEST_FACTOR_INT16)


def _coarsened(
    graph: Graph, grids: dict[str, tuple[float, int]], leaders: Mapping[str, str], largest_factor: float
) -> dict[str, tuple[float, int]]:
    """No output so fine that one unit of its node's accumulator were a million steps (nearly dead layers).

    Raises UserError where tensors of so different sizes share a grid that there is none for them.
    """
    for node in graph.nodes:
        least = float(np.float32(min(_largest_unit(graph, node, grids) / largest_factor, LARGEST_SCALE)))
        scale, zero_point = grids[node.output]
        if scale < least:
            tied = [name for name in grids if leaders[name] == leaders[node.output]]
            grids = {**grids, **dict.fromkeys(tied, (least, zero_point))}
    for node in graph.nodes:
        if _largest_unit(graph, node, grids) > 2 * largest_factor * grids[node.output][0]:
            place = f"{node.name} at {node.source or 'an unknown place'}"
            raise UserError(f"{place}: its inputs are more than {largest_factor:.0f} times as large as its output can "
                            "tell apart; normalize them in the model")  # fmt: skip
    return grids


def _largest_unit(graph: Graph, node: Node, grids: Mapping[str, tuple[float, int]]) -> float:
    """What 1 in the node's accumulator can stand for, at most; 0 where nothing is requantized."""
    scales = [grids[i][0] for i in node.inputs if i in grids]
    constants = graph.constants(node)
    if isinstance(node.op, Recurrent):
        return 0.0
    if constants and not node.op.operands:
        weighed = node.op.weighed_scale or scales[0]
        return weighed * float(np.abs(graph.constant(constants[0])).max(initial=0.0))
    if isinstance(node.op, Matmul | Mul):
        return scales[0] * scales[1]
    return max(scales) if node.op.name in RESCALING else 0.0


def _constant_grids(graph: Graph, node: Node, bits: Bits, input_scale: float) -> list[Tensor]:
    weight, bias = (graph.tensors[c] for c in graph.constants(node))
    assert weight.data is not None and bias.data is not None
    axis = output_axis(weight)
    reach = np.abs(bias.data) / (np.float64(input_scale) * 2.0**29)
    scale = weight_scales(weight.data, axis, bits, reach).astype(np.float32)
    kind = TensorType(weight.type.shape, WEIGHT_DTYPES[bits], tuple(scale.tolist()), 0, axis)
    return [replace(weight, type=kind), replace(bias, type=bias_type(bias.type.shape, scale, input_scale))]


def bias_type(shape: tuple[int, ...], weight_scale: np.ndarray, input_scale: float) -> TensorType:
    """Of a bias that is added to products of such weights and inputs."""
    scale = (weight_scale.astype(np.float64) * input_scale).astype(np.float32)
    return TensorType(shape, "int32", tuple(scale.tolist()), 0, 0)


def output_axis(weight: Tensor) -> int:
    """Where a weight keeps its output channels: first, but last for depthwise (Kh, Kw, C)."""
    return 2 if len(weight.type.shape) == 3 else 0


def correct_biases(annotated: Graph, means: Mapping[str, np.ndarray]) -> Graph:
    """Adds to each bias what rounding the weights takes from the mean output.

    means: activation → its mean per channel. Source: Nagel et al., "Data-Free Quantization", 2019.
    """
    changed: list[Tensor] = []
    for node in annotated.nodes:
        constants = annotated.constants(node)
        if not constants or node.op.operands or isinstance(node.op, Recurrent):
            continue
        weight, bias = (annotated.tensors[c] for c in constants)
        assert weight.data is not None and bias.data is not None
        lost = weight.data - real_weight(weight)
        changed.append(
            replace(
                bias, data=(bias.data + _mean_output(node, lost, means[node.inputs[0]])).astype(np.float32)
            )
        )
    return annotated.with_tensors(*changed)


def _mean_output(node: Node, weight: np.ndarray, mean: np.ndarray) -> np.ndarray:
    if isinstance(node.op, Embedding | LayerNorm):  # ids have no mean; what a norm weighs has a mean of 0
        return np.zeros(len(weight))
    if isinstance(node.op, TransposeConv2d):  # each output meets one tap in stride
        weight = weight / prod(node.op.stride)
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


def real_weight(weight: Tensor) -> np.ndarray:
    """What the codes of an annotated weight stand for."""
    return weight_codes(weight) * _per_channel(weight)


def freeze(annotated: Graph) -> Graph:
    """The integer Graph: every constant of an annotated Graph as its codes."""
    graph = annotated.with_tensors(*(c for node in annotated.nodes for c in frozen_layer(annotated, node)))
    check(graph, "integer")
    return graph


def frozen_layer(annotated: Graph, node: Node) -> list[Tensor]:
    """One node's constants as codes."""
    constants = annotated.constants(node)
    if node.op.operands:
        return [_frozen_operand(annotated.tensors[c]) for c in constants]
    if isinstance(node.op, Recurrent):
        return frozen_constants(annotated, node)
    if not constants:
        return []
    weight, bias = (annotated.tensors[c] for c in constants)
    scale_in = node.op.weighed_scale or annotated.type(node.inputs[0]).scale[0]
    codes = replace(weight, data=weight_codes(weight))
    return [codes, _frozen_bias(bias, np.array(weight.type.scale, np.float32), scale_in)]


def _frozen_operand(operand: Tensor) -> Tensor:
    assert operand.data is not None
    kind = operand.type
    return replace(operand, data=quantize(operand.data, kind.scale[0], kind.zero_point, kind.code_bits))


def _frozen_bias(bias: Tensor, weight_scale: np.ndarray, input_scale: float) -> Tensor:
    assert bias.data is not None
    scale = torch.from_numpy(weight_scale).double() * torch.tensor(input_scale, dtype=torch.float32).double()
    codes = quantize_bias(torch.from_numpy(bias.data), scale).numpy().astype(np.int32)
    return Tensor(bias.name, bias_type(bias.type.shape, weight_scale, input_scale), codes)
