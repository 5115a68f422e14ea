"""What is a legal Graph at each stage, as an executable list of rules.

float       as read: batch-norms may stand, every tensor is float32
folded      no batch-norm left, ready for quantization
annotated   folded; every tensor's type says how it will be quantized, constants still hold real numbers
integer     every tensor is quantized and every constant holds its codes: this is what ships; it may have states
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np

from pintsize.errors import SpecError
from pintsize.graph import Graph, Node, Tensor

Stage = Literal["float", "folded", "annotated", "integer"]
Rule = Callable[[Graph], Iterator[str]]

CODE_MAX = {"int16": 32767, "int8": 127, "int4": 7, "int2": 1, "int32": 2**31 - 1}
#: the requantization in C adds half a step to an accumulator of this size without overflow
ACCUMULATOR_MAX = 2**30
FACTOR_MAX = 2.0**30
#: int16 activations are summed up in 64 bits, 15 more are for the multiplier and 2 for the rounding
ACCUMULATOR_MAX_INT16 = 2**47
FACTOR_MAX_INT16 = 2.0**7
#: ops that bring every input to the output's grid by itself
RESCALING = ("add", "concat", "maximum", "mean", "minimum", "prelu", "requantize", "sub", "sum")


def check(graph: Graph, stage: Stage) -> None:
    """Raises SpecError listing every rule that the Graph breaks at this stage."""
    unknown = list(tensors_are_known(graph))  # the other rules look tensors up
    problems = unknown or [problem for rule in RULES[stage] for problem in rule(graph)]
    if problems:
        raise SpecError(f"{graph.name} is not a legal {stage} graph:\n  " + "\n  ".join(problems))


def one_input_one_output(graph: Graph) -> Iterator[str]:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        yield f"needs one input and one output, has {graph.inputs} and {graph.outputs}"
    if set(graph.inputs) & set(graph.outputs):
        yield "its output is its input: there is nothing to compute"


def tensors_are_known(graph: Graph) -> Iterator[str]:
    names = {name for node in graph.nodes for name in (*node.inputs, node.output, *node.carried)}
    names |= {name for state in graph.states for name in (state.tensor, state.next) if name}
    for name in sorted((names | set(graph.inputs) | set(graph.outputs)) - set(graph.tensors)):
        yield f"tensor {name} is used but not defined"


def in_execution_order(graph: Graph) -> Iterator[str]:
    ready = {*graph.inputs, *(t.name for t in graph.tensors.values() if t.is_constant)}
    ready |= {state.tensor for state in graph.states}
    for node in graph.nodes:
        yield from (f"{node.name} reads {i} before it is computed" for i in node.inputs if i not in ready)
        if node.output in ready:
            yield f"{node.name} writes {node.output}, which exists already"
        ready.add(node.output)
    yield from (f"output {o} is never computed" for o in graph.outputs if o not in ready)


def names_are_unique(graph: Graph) -> Iterator[str]:
    names = [node.name for node in graph.nodes]
    yield from (f"two nodes are named {n}" for n in sorted({n for n in names if names.count(n) > 1}))


def shapes_follow(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        try:
            shape = node.op.shape([graph.type(i) for i in node.inputs])
        except (ValueError, IndexError) as error:
            yield f"{node.name}: {error}"
            continue
        if shape != graph.type(node.output).shape:
            yield f"{node.name} makes {shape}, its output says {graph.type(node.output).shape}"


def data_fits_type(graph: Graph) -> Iterator[str]:
    for tensor in graph.tensors.values():
        if tensor.data is not None and tensor.data.shape != tensor.type.shape:
            yield f"{tensor.name}: data {tensor.data.shape} in a tensor {tensor.type.shape}"
        if tensor.data is not None and not np.isfinite(tensor.data).all():
            yield f"{tensor.name} holds NaN or infinity"


def constants_where_expected(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        expected = node.op.activations
        found = len(graph.activations(node))
        if expected is not None and found != expected:
            yield f"{node.name} ({node.op.name}) needs {expected} computed input, has {found}"
        if expected is None and found != len(node.inputs) and not node.op.operands:
            yield f"{node.name} ({node.op.name}) takes no constants"
        if not found:
            yield f"{node.name} ({node.op.name}) computes from constants alone"


def ids_come_from_outside(graph: Graph) -> Iterator[str]:
    """An input of token ids is read as such by all; nothing computes ids."""
    looking_up = {n.inputs[0] for n in graph.nodes if n.op.takes_ids}
    yield from (
        f"{name} holds ids, which only the graph's input may"
        for name in sorted(looking_up - set(graph.inputs))
    )
    for node in graph.nodes:
        if not node.op.takes_ids and looking_up.intersection(node.inputs):
            yield f"{node.name} ({node.op.name}) reads ids as if they were numbers"


def ids_are_exact(graph: Graph) -> Iterator[str]:
    for name in sorted({n.inputs[0] for n in graph.nodes if n.op.takes_ids}):
        kind = graph.type(name)
        if kind.scale != (1.0,) or kind.zero_point != (-128 if kind.dtype == "int8" else 0):
            yield f"{name} holds ids: it must be int8 with scale 1 and zero point -128, or int16 with scale 1"


def all_float(graph: Graph) -> Iterator[str]:
    yield from (f"{t.name} is {t.type.dtype}" for t in graph.tensors.values() if t.type.dtype != "float32")


def no_batch_norm(graph: Graph) -> Iterator[str]:
    yield from (f"{n.name} is a batch_norm" for n in graph.nodes if n.op.name == "batch_norm")


def all_quantized(graph: Graph) -> Iterator[str]:
    carried = {name for node in graph.nodes for name in node.carried}
    for tensor in graph.tensors.values():
        if not tensor.type.is_quantized:
            yield f"{tensor.name} has no scale"
        elif not all(np.isfinite(s) and s > 0 for s in tensor.type.scale):
            yield f"{tensor.name} has a scale that is not positive"
        if (
            not tensor.is_constant
            and tensor.type.dtype not in ("int8", "int16")
            and tensor.name not in carried
        ):
            yield f"{tensor.name} is {tensor.type.dtype}; activations are int8 or int16"
        if not tensor.is_constant and tensor.type.dtype == "int16" and tensor.type.zero_point:
            yield f"{tensor.name} is int16 with zero point {tensor.type.zero_point}; it must be 0"


def widths_agree(graph: Graph) -> Iterator[str]:
    """Only requantize, and what reads signals, goes from one width of activations to another."""
    for node in graph.nodes:
        operands = graph.constants(node) if node.op.operands else ()
        read = () if node.op.takes_ids else graph.activations(node)
        widths = {graph.type(n).dtype for n in (*read, *operands, node.output)}
        if "int16" in widths and not node.op.int16:
            yield f"{node.name} ({node.op.name}) has no int16 arithmetic"
        elif len(widths) > 1 and node.op.name != "requantize" and not node.op.any_width:
            yield f"{node.name} ({node.op.name}) mixes {' and '.join(sorted(widths))}; requantize is what goes between"
        elif len(widths) > 1 and getattr(node.op, "once", False):
            yield f"{node.name} ({node.op.name}) rounds once, which it does from int8 to int8 alone"


def tied_types_agree(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        if not node.op.ties_types or len(node.inputs) != 1:
            continue
        before, after = graph.type(node.inputs[0]), graph.type(node.output)
        if (before.scale, before.zero_point) != (after.scale, after.zero_point):
            yield f"{node.name} ({node.op.name}) must keep its input's scale and zero point"


def fixed_outputs_kept(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        out = graph.type(node.output)
        fixed = node.op.fixed_output_int16() if out.dtype == "int16" else node.op.fixed_output()
        if fixed is not None and out.is_quantized and (out.scale[0], out.zero_point) != fixed:
            yield f"{node.name} ({node.op.name}) must have scale {fixed[0]} and zero point {fixed[1]}"


def constants_have_one_reader(graph: Graph) -> Iterator[str]:
    """A bias is on its own node's grid, so two nodes cannot read the same one."""
    read = [c for node in graph.nodes for c in graph.constants(node)]
    yield from (
        f"constant {c} is read more than once" for c in sorted({c for c in read if read.count(c) > 1})
    )


def operands_have_one_grid(graph: Graph) -> Iterator[str]:
    for name in sorted(_operands(graph)):
        kind = graph.type(name)
        if kind.dtype == "int16" and len(kind.scale) == 1 and kind.zero_point == 0:
            continue
        if kind.dtype != "int8" or len(kind.scale) != 1 or not -128 <= kind.zero_point <= 127:
            yield (
                f"constant {name} must be int8 with one scale and a zero point in -128..127, or int16 with one scale "
                "and zero point 0"
            )


def _operands(graph: Graph) -> set[str]:
    return {c for node in graph.nodes if node.op.operands for c in graph.constants(node)}


def codes_in_range(graph: Graph) -> Iterator[str]:
    operands = _operands(graph)
    for tensor in graph.tensors.values():
        if tensor.data is None:
            continue
        if not np.issubdtype(tensor.data.dtype, np.integer):
            yield f"{tensor.name} holds {tensor.data.dtype}, not codes"
        elif tensor.name in operands:
            high = 2 ** (tensor.type.code_bits - 1) - 1
            low = -high - 1
            if tensor.data.min(initial=0) < low or tensor.data.max(initial=0) > high:
                yield f"{tensor.name} exceeds {low}..{high}"
        elif np.abs(tensor.data.astype(np.int64)).max(initial=0) > CODE_MAX[tensor.type.dtype]:
            yield f"{tensor.name} exceeds ±{CODE_MAX[tensor.type.dtype]}"


def accumulators_fit(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        constants = [graph.tensors[c] for c in graph.constants(node)]
        wide = graph.type(node.output).dtype == "int16"
        allowed = ACCUMULATOR_MAX_INT16 if wide else ACCUMULATOR_MAX
        if len(constants) == 2 and not node.op.operands and _reach(graph, node, *constants) >= allowed:
            bits = allowed.bit_length() - 1
            yield f"{node.name} can overflow its accumulator ({bits} bits are allowed)"


def recurrent_accumulators_fit(graph: Graph) -> Iterator[str]:
    """As accumulators_fit, for layers whose second weight multiplies their own last output."""
    for node in graph.nodes:
        if node.op.name not in ("lstm", "gru", "svdf"):
            continue
        read = (node.inputs[0], node.output) if node.op.name != "svdf" else node.inputs[:1]
        for index, name in enumerate(read, 1):
            sums = np.abs(graph.constant(node.inputs[index]).astype(np.int64)).sum(-1)
            reach = sums * node.op.largest_weighed(graph.type(name))
            if len(node.inputs) > index + 2 and node.op.name != "svdf":
                reach = reach + np.abs(graph.constant(node.inputs[index + 2]).astype(np.int64))
            allowed = ACCUMULATOR_MAX_INT16 if graph.type(name).dtype == "int16" else ACCUMULATOR_MAX
            if reach.max() >= allowed:
                bits = allowed.bit_length() - 1
                yield f"{node.name} can overflow its accumulator ({bits} bits are allowed)"


def factors_fit(graph: Graph) -> Iterator[str]:
    """The factor from what a node computes to its output's grid shifts left by at most 30; that of sums of int16
    numbers times weights by at most 7.
    """
    for node in graph.nodes:
        if not all(graph.type(i).is_quantized for i in (*node.inputs, node.output)):
            continue  # said already
        inner = node.op.inner_factors([graph.type(i) for i in node.inputs], graph.type(node.output))
        wide = graph.type(node.output).dtype == "int16"
        if max(inner, default=0.0) >= (FACTOR_MAX_INT16 if wide else FACTOR_MAX):
            bits = 7 if wide else 30
            yield f"{node.name} has weights too coarse for what they multiply (a factor below 2^{bits} is allowed)"
        if inner:
            continue
        scales = [np.array(graph.type(i).scale, np.float64) for i in node.inputs]
        if node.op.name in RESCALING:
            largest = max(s.max() for s in scales)
        elif len(scales) > 1:
            largest = ((node.op.weighed_scale or scales[0]) * scales[1]).max()
        else:
            continue
        weighted = bool(graph.constants(node)) and not node.op.operands
        summed = wide and weighted
        if largest / graph.type(node.output).scale[0] >= (FACTOR_MAX_INT16 if summed else FACTOR_MAX):
            bits = 7 if summed else 30
            yield f"{node.name} has an output grid too fine for its inputs (a factor below 2^{bits} is allowed)"


def _reach(graph: Graph, node: Node, weight: Tensor, bias: Tensor) -> int:
    assert weight.data is not None and bias.data is not None
    codes = np.abs(weight.data.astype(np.int64))
    axis = weight.type.axis or 0
    total = codes.sum(axis=tuple(i for i in range(codes.ndim) if i != axis))
    largest = node.op.largest_weighed(graph.type(node.inputs[0]))
    return int((total * largest + np.abs(bias.data.astype(np.int64))).max())


def no_states(graph: Graph) -> Iterator[str]:
    yield from (f"{s.tensor} is a state: only what is quantized runs step by step" for s in graph.states)
    yield from (f"{n.name} carries {', '.join(n.carried)}" for n in graph.nodes if n.carried)


def states_go_on(graph: Graph) -> Iterator[str]:
    """Each state has one next value, which a node computes, or one node that carries it."""
    computed = {node.output for node in graph.nodes}
    known = [state.tensor for state in graph.states]
    keepers = [name for node in graph.nodes for name in node.carried]
    read = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)
    yield from (f"state {n} is listed twice" for n in sorted({n for n in known if known.count(n) > 1}))
    yield from (f"{n} is carried, but no state" for n in sorted(set(keepers) - set(known)))
    for state in graph.states:
        name, kind = state.tensor, graph.type(state.tensor)
        if graph.tensors[name].is_constant or name in computed or name in graph.inputs:
            yield f"state {name} must be neither a constant nor an input nor computed"
        if keepers.count(name) != (not state.next) or (name in keepers and name in read):
            yield f"state {name} needs a next value or one node that carries it, and no other may read that"
        if state.next and (state.next not in computed or graph.type(state.next) != kind):
            yield f"state {name} needs a next value that a node computes on the same grid, not {state.next}"
        if state.initial.shape != kind.shape or state.initial.dtype != kind.dtype:
            yield f"state {name} begins with {state.initial.dtype} {state.initial.shape}, its type says otherwise"


def carried_types_agree(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        wanted = node.op.carried([graph.type(i) for i in node.inputs], graph.type(node.output))
        if node.carried and tuple(graph.type(n) for n in node.carried) != wanted:
            yield f"{node.name} ({node.op.name}) must carry {', '.join(map(str, wanted)) or 'nothing'}"


STRUCTURE: tuple[Rule, ...] = (
    one_input_one_output, in_execution_order, names_are_unique, shapes_follow, data_fits_type,
    constants_where_expected, ids_come_from_outside,
)  # fmt: skip
QUANTIZED: tuple[Rule, ...] = (
    no_batch_norm, all_quantized, widths_agree, tied_types_agree, fixed_outputs_kept, constants_have_one_reader,
    operands_have_one_grid, ids_are_exact,
)  # fmt: skip

RULES: dict[Stage, tuple[Rule, ...]] = {
    "float": (*STRUCTURE, no_states, all_float),
    "folded": (*STRUCTURE, no_states, all_float, no_batch_norm),
    "annotated": (*STRUCTURE, no_states, *QUANTIZED),
    "integer": (
        *STRUCTURE,
        states_go_on,
        carried_types_agree,
        *QUANTIZED,
        codes_in_range,
        accumulators_fit,
        recurrent_accumulators_fit,
        factors_fit,
    ),
}
