"""A drafted Graph whose tensors carry grids, constants still real → the integer Graph, legal and in codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from pintsize.errors import ModelError, SpecError, UnsupportedOp
from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.ops import BatchNorm, DepthwiseConv2d, LayerNorm, Reshape
from pintsize.ops.recurrent import Recurrent
from pintsize.passes.absorb_transpose import MOVES, absorb_transpose
from pintsize.passes.fuse_activation import ACTIVATIONS, TAKES
from pintsize.passes.neighbours import free_name, only_consumer, replaced
from pintsize.read.onnx_call import WeightGrid
from pintsize.spec import check

WEIGHT_MAX = 127
#: real weights over their scale must be whole numbers up to this
CODE_TOLERANCE = 1e-2
BIAS_TOLERANCE = 1e-4
#: codes of a factor that the model holds as a real number, and of the offset beside it
FACTOR_CODE, OFFSET_CODE = 64, 2**28
LEAST_FACTOR_SCALE = 1e-12
BIAS_MAX = 2**30
#: transposes and reshapes among which simpler ways are looked for; the time grows with their cube
MOVES_MAX = 256


def integers(graph: Graph, grids: Mapping[str, WeightGrid]) -> Graph:
    """The integer Graph.

    grids: constant → where its numbers come from. Raises UnsupportedOp listing every tensor that is not quantized,
    ModelError where codes are not those of a legal Graph.
    """
    graph = _settled(_fused(graph))
    _refuse_open(graph)
    graph = _with_codes(graph, grids)
    try:
        check(graph, "integer")
        graph = _without_moves(graph)
        check(graph, "integer")
    except SpecError as error:
        raise ModelError(f"model '{graph.name}' cannot be computed in integers: {error}") from error
    return graph


def _fused(graph: Graph) -> Graph:
    """ReLU and ReLU6 right behind an op whose own output is not quantized, as part of that op."""
    for node in graph.nodes:
        activation = ACTIVATIONS.get(type(node.op))
        before = graph.producer(node.inputs[0])
        if activation is None or before is None or graph.type(before.output).is_quantized:
            continue
        if (
            isinstance(before.op, TAKES)
            and before.op.activation == "none"
            and only_consumer(graph, before.output)
        ):
            work = replace(
                before, op=replace(before.op, activation=activation), output=node.output, name=node.name
            )
            graph = replace(graph, nodes=replaced(graph, {before: (), node: (work,)}))
    return graph


def _settled(graph: Graph) -> Graph:
    """Grids given to open tensors by the op that makes them: tied to its input's, or fixed."""
    for node in graph.nodes:
        known = graph.type(node.output)
        if known.is_quantized:
            continue
        before, fixed = graph.type(node.inputs[0]), node.op.fixed_output()
        if node.op.ties_types and len(node.inputs) == 1 and before.is_quantized:
            fixed = before.scale[0], before.zero_point
        if fixed is not None:
            kind = replace(known, dtype="int8", scale=(fixed[0],), zero_point=fixed[1])
            graph = graph.with_tensors(replace(graph.tensors[node.output], type=kind))
    return graph


def _refuse_open(graph: Graph) -> None:
    used = {name for node in graph.nodes for name in (*graph.activations(node), node.output)}
    places = {n.output: n.source for n in graph.nodes}
    is_open = [places.get(t, t) for t in graph.tensors if t in used and not graph.type(t).is_quantized]
    if is_open:
        raise UnsupportedOp(
            f"model '{graph.name}' is quantized, but not wholly: "
            "no QuantizeLinear and DequantizeLinear stand behind\n  " + "\n  ".join(dict.fromkeys(is_open))
        )


def _with_codes(graph: Graph, grids: Mapping[str, WeightGrid]) -> Graph:
    """Every constant as codes; each node has its own."""
    nodes: list[Node] = []
    tensors = {t.name: t for t in graph.tensors.values() if not t.is_constant}
    problems: list[str] = []
    for node in graph.nodes:
        try:
            made, constants = _in_codes(graph, node, grids)
        except UnsupportedOp as error:
            problems.append(f"{node.source}: {error}")
            continue
        renamed = {c.name: _own(c.name, tensors) for c in constants if c.is_constant}
        tensors |= {
            renamed.get(c.name, c.name): replace(c, name=renamed.get(c.name, c.name)) for c in constants
        }
        nodes += [replace(n, inputs=tuple(renamed.get(i, i) for i in n.inputs)) for n in made]
    if problems:
        raise UnsupportedOp("\n  ".join([f"weights of model '{graph.name}' cannot be read:", *problems]))
    used = {name for n in nodes for name in (*n.inputs, n.output)}
    kept = {name: t for name, t in tensors.items() if name in used}
    return replace(graph, tensors=kept, nodes=tuple(nodes))


def _own(name: str, taken: Mapping[str, Any]) -> str:
    return next(c for c in (name, *(f"{name}_{i}" for i in range(2, len(taken) + 3))) if c not in taken)


def _in_codes(
    graph: Graph, node: Node, grids: Mapping[str, WeightGrid]
) -> tuple[Sequence[Node], Sequence[Tensor]]:
    """The node with constants in codes, or the nodes that do its work, and their new tensors."""
    if isinstance(node.op, BatchNorm):
        return _factors(graph, node)
    constants = graph.constants(node)
    if not constants:
        return (node,), ()
    if node.op.operands:
        return (node,), [_operand(graph.tensors[c], grids.get(c)) for c in constants]
    if isinstance(node.op, LayerNorm):
        return (node,), _normalization(graph, node, grids)
    if len(constants) != 2 or isinstance(node.op, Recurrent):
        raise UnsupportedOp("it cannot be read from a quantized model")
    weight = _weight(
        graph.tensors[constants[0]], grids.get(constants[0]), isinstance(node.op, DepthwiseConv2d)
    )
    unit = node.op.weighed_scale or graph.type(node.inputs[0]).scale[0]
    return (node,), (weight, _bias(graph.tensors[constants[1]], grids.get(constants[1]), weight, unit))


def _weight(tensor: Tensor, grid: WeightGrid | None, channels_last: bool) -> Tensor:
    if grid is None:
        raise UnsupportedOp(f"its weights {tensor.name} are real numbers: quantize them too")
    assert tensor.data is not None
    axis = tensor.data.ndim - 1 if channels_last else 0
    count = tensor.data.shape[axis]
    if grid.scale.size not in (1, count):
        raise UnsupportedOp(f"{grid.scale.size} scales for {count} output channels")
    scale = np.broadcast_to(grid.scale, (count,)).astype(np.float32)
    ones = [1] * tensor.data.ndim
    ones[axis] = -1
    steps = tensor.data.astype(np.float64) / scale.reshape(ones)
    codes = np.rint(steps)
    if np.abs(steps - codes).max(initial=0.0) > CODE_TOLERANCE:
        raise UnsupportedOp("its weights have a scale per channel, but not along the output channels")
    if np.abs(codes).max(initial=0.0) > WEIGHT_MAX:
        raise UnsupportedOp(
            f"its weights have codes of {int(np.abs(codes).max())} less the zero point: quantize them "
            "symmetrically, to -127..127 with zero point 0 (onnxruntime: weight_type=QInt8, "
            "extra_options={'WeightSymmetric': True})"
        )
    kind = TensorType(tensor.type.shape, "int8", tuple(scale.tolist()), 0, axis)
    return Tensor(tensor.name, kind, codes.astype(np.int8))


def _operand(tensor: Tensor, grid: WeightGrid | None) -> Tensor:
    """A constant that an activation is added to or multiplied with: codes of eight bits, wherever their zero lies."""
    if grid is None or grid.scale.size != 1:
        raise UnsupportedOp(f"its constant {tensor.name} must be quantized with one scale")
    assert tensor.data is not None
    codes = np.rint(tensor.data.astype(np.float64) / grid.scale[0])
    zero_point = int(np.clip(-128 - codes.min(initial=0), -128, 127))
    if codes.min(initial=0) + zero_point < -128 or codes.max(initial=0) + zero_point > 127:
        raise UnsupportedOp(f"its constant {tensor.name} must have codes of 8 bits")
    kind = TensorType(tensor.type.shape, "int8", (float(grid.scale[0]),), zero_point)
    return Tensor(tensor.name, kind, (codes + zero_point).astype(np.int8))


def _bias(tensor: Tensor, grid: WeightGrid | None, weight: Tensor, unit: float) -> Tensor:
    """On the grid unit · weight scale; the model's own codes where they are on it already."""
    assert tensor.data is not None
    scale = np.array(weight.type.scale, np.float64) * unit
    codes = np.rint(tensor.data.astype(np.float64) / scale)
    if grid is not None:
        held = grid.codes.reshape(-1)
        same = np.all(np.abs(grid.scale - scale) <= BIAS_TOLERANCE * scale)
        codes = held if same else np.rint(held * grid.scale.astype(np.float64) / scale)
    if np.abs(codes).max(initial=0.0) > BIAS_MAX:
        raise UnsupportedOp("its bias is too large for its scale: it does not fit 30 bits")
    kind = TensorType(tensor.type.shape, "int32", tuple(scale.astype(np.float32).tolist()), 0, 0)
    return Tensor(tensor.name, kind, codes.astype(np.int32))


def _factors(graph: Graph, node: Node) -> tuple[Sequence[Node], Sequence[Tensor]]:
    """Real factors and offsets per channel as a 1×1 depthwise convolution, each channel on a grid of its own."""
    gain, bias, mean, variance = (graph.constant(c).astype(np.float64) for c in node.inputs[1:])
    epsilon = node.op.epsilon if isinstance(node.op, BatchNorm) else 0.0
    factor = gain / np.sqrt(variance + epsilon)
    offset, unit = bias - mean * factor, graph.type(node.inputs[0]).scale[0]
    name = free_name(graph, f"{node.name}.factor")
    weight = _each_on_its_own(name, factor.reshape(1, 1, -1), offset, unit)
    real = Tensor(free_name(graph, f"{node.name}.offset"), TensorType(offset.shape), offset)
    nodes, tensors = _around(graph, node, weight.name, real.name)
    return nodes, (*tensors, weight, _bias(real, None, weight, unit))


def _each_on_its_own(name: str, factor: np.ndarray, offset: np.ndarray, unit: float) -> Tensor:
    """One factor per channel, the last axis, with a scale each: as exact as a float32. Offsets must fit beside them."""
    least = np.maximum(np.abs(offset) / (unit * OFFSET_CODE), LEAST_FACTOR_SCALE)
    scale = np.maximum(np.abs(factor.reshape(-1)) / FACTOR_CODE, least).astype(np.float32)
    kind = TensorType(factor.shape, "int8", tuple(scale.tolist()), 0, factor.ndim - 1)
    return Tensor(name, kind, np.rint(factor / scale).astype(np.int8))


def _normalization(graph: Graph, node: Node, grids: Mapping[str, WeightGrid]) -> tuple[Tensor, Tensor]:
    """Gain and bias of a layer norm, whatever codes the model has them in."""
    gain, bias = (graph.tensors[c] for c in graph.constants(node))
    assert gain.data is not None and bias.data is not None
    unit = node.op.weighed_scale or 1.0
    weight = _each_on_its_own(gain.name, gain.data.astype(np.float64), bias.data.astype(np.float64), unit)
    return weight, _bias(bias, grids.get(bias.name), weight, unit)


def _around(graph: Graph, node: Node, weight: str, bias: str) -> tuple[Sequence[Node], Sequence[Tensor]]:
    """The convolution, between two reshapes where the tensor is not an image."""
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.output]
    work = replace(node, op=DepthwiseConv2d(), inputs=(x.name, weight, bias))
    if len(x.type.shape) == 3:
        return (work,), ()
    before, after = (free_name(graph, f"{node.name}.{word}") for word in ("image", "convolved"))
    shape = (1, prod(x.type.shape[:-1]), x.type.shape[-1])
    images = [Tensor(n, replace(t.type, shape=shape)) for n, t in ((before, x), (after, y))]
    return (
        Node(before, Reshape((*shape[:-1], -1)), (x.name,), before, node.source),
        replace(work, name=after, inputs=(before, weight, bias), output=after),
        Node(node.name, Reshape((*y.type.shape[:-1], -1)), (after,), node.output, node.source),
    ), images


def _without_moves(graph: Graph) -> Graph:
    """As `absorb_transpose`, on codes: what moves keeps the grid of what it moves."""
    if sum(isinstance(n.op, MOVES) for n in graph.nodes) > MOVES_MAX:
        return graph
    real = {t.name: Tensor(t.name, TensorType(t.type.shape), None if t.data is None else t.data.astype(np.float64))
            for t in graph.tensors.values()}  # fmt: skip
    moved = absorb_transpose(replace(graph, tensors=real))
    kinds = {t.name: t.type for t in graph.tensors.values()}
    for node in reversed(moved.nodes):  # a transpose that sank behind a function took its output's name
        if node.op.ties_types and len(node.inputs) == 1 and node.inputs[0] not in graph.inputs:
            kinds[node.inputs[0]] = kinds[node.output]
    tensors = {t.name: _in_kind(t, kinds[t.name]) for t in moved.tensors.values()}
    return replace(moved, tensors=tensors)


def _in_kind(tensor: Tensor, kind: TensorType) -> Tensor:
    """The tensor in its own shape, on the grid of `kind`; its numbers as codes."""
    dtype = np.int32 if kind.dtype == "int32" else np.int8
    data = None if tensor.data is None else tensor.data.astype(dtype)
    return Tensor(tensor.name, replace(kind, shape=tensor.type.shape), data)
