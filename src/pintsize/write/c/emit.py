"""Assembles the C program: kernels, constants, one function per layer, and the run function.

The same Graph gives the same bytes, on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from textwrap import fill

import numpy as np

from pintsize.errors import UserError
from pintsize.graph import Graph, Node
from pintsize.ops import Reshape
from pintsize.passes.plan_memory import MemoryPlan, plan_memory
from pintsize.spec import check
from pintsize.write.c.calls import Call, Constant, Invocation, Isa, call_of
from pintsize.write.c.calls.dsp_wide_weights import widened
from pintsize.write.c.companions import (
    build_files,
    c_comment,
    c_type,
    header,
    main_example,
    number_lines,
    self_test,
)
from pintsize.write.c.states import init_function


@dataclass(frozen=True)
class CProgram:
    """The written program.

    isa: whose kernels it has; files: name → text; plan: where the activations live; layers: per node the C function's
    name ("" where nothing is computed); constant_bytes: per node the bytes of its constants in flash; io_bytes: of the
    caller's input and output buffers (0 where they live in the arena); state_bytes: of the arena, what must stay as it
    is between two runs.
    """

    isa: Isa
    files: dict[str, str]
    plan: MemoryPlan
    layers: tuple[str, ...]
    constant_bytes: tuple[int, ...]
    io_bytes: int
    state_bytes: int = 0


def write(
    graph: Graph,
    golden: tuple[np.ndarray, np.ndarray] | None = None,
    prefix: str = "model",
    isa: Isa = "portable",
    reuse_io: bool = False,
    spare_flash_bytes: int = 0,
) -> CProgram:
    """An integer Graph as C files.

    golden: (inputs (n, …), outputs (n, …)) int8 vectors for the self-test; prefix: of all names, a C identifier;
    isa: whose kernels to take (the program compiles and computes the same everywhere, but is fast there);
    reuse_io: input and output live in the arena, and a run may overwrite the input;
    spare_flash_bytes: what may be spent on weights of 16 bits, which the "dsp" kernels multiply faster.
    Raises SpecError for an illegal Graph, UserError for a prefix that C does not take.
    """
    if not (prefix.isascii() and prefix.isidentifier()):
        raise UserError(f"{prefix!r} is no C identifier: names in the program begin with it, such as 'model'")
    check(graph, "integer")
    calls = widened([call_of(graph, node, isa) for node in graph.nodes], spare_flash_bytes)
    plan = plan_memory(graph, [call.needs for call in calls], reuse_io)
    names = tuple(layer_name(i, node) if _computes(plan, node) else "" for i, node in enumerate(graph.nodes))
    layers = [
        Layer(node, name, call) for node, name, call in zip(graph.nodes, names, calls, strict=True) if name
    ]
    has_weights = any(layer.call.constants for layer in layers)
    written = {
        f"{prefix}.h": header(graph, plan, prefix),
        f"{prefix}.c": _source(graph, plan, layers, prefix),
        "main.c": main_example(graph, prefix),
        **build_files(prefix, has_weights, False),
    }
    if has_weights:
        written[f"{prefix}_weights.c"] = weights_file(graph.name, layers, prefix)
    taken = {layer.function: sum(c.bytes for c in layer.call.constants) for layer in layers}
    io = 0 if reuse_io else sum(graph.type(n).activation_bytes for n in (*graph.inputs, *graph.outputs))
    constant_bytes = tuple(taken.get(name, 0) for name in names)
    program = CProgram(isa, written, plan, names, constant_bytes, io, graph.state_bytes)
    return program if golden is None else with_self_test(program, graph, golden, prefix)


def with_self_test(
    program: CProgram, graph: Graph, golden: tuple[np.ndarray, np.ndarray], prefix: str = "model"
) -> CProgram:
    """The program that `write` gave, with the vectors (inputs (n, …), outputs (n, …)) for its self-test."""
    building = build_files(prefix, f"{prefix}_weights.c" in program.files, True)
    vectors = {f"{prefix}_self_test.c": self_test(graph, *golden, prefix)}
    return replace(program, files={**program.files, **building, **vectors})


def _computes(plan: MemoryPlan, node: Node) -> bool:
    if not isinstance(node.op, Reshape):
        return True
    return _place(plan, node.inputs[0]) != _place(plan, node.output)


def _place(plan: MemoryPlan, tensor: str) -> str:
    return plan.buffer_of.get(tensor, plan.places[tensor])


def layer_name(index: int, node: Node) -> str:
    return f"layer_{index:02d}_{node.op.name}"


@dataclass(frozen=True)
class Layer:
    """A node that computes something, its C function, and what it calls."""

    node: Node
    function: str
    call: Call


def _source(graph: Graph, plan: MemoryPlan, layers: Sequence[Layer], prefix: str) -> str:
    shared = shared_kernels(layers)
    parts = [
        PREAMBLE.format(prefix=prefix, title=c_comment(graph.name)),
        *(
            kernel_source(name)
            for name in kernels_in_order(k for layer in layers for k in layer.call.kernels)
        ),
    ]
    if plan.arena_bytes:
        storage = "" if _callers_io_in_arena(graph, plan) else "static "
        parts.append(f"/* All activations live here; int32_t for its alignment. */\n{storage}int32_t {prefix}_arena"
                     f"[{plan.arena_bytes // 4}];\n")  # fmt: skip
    parts += [shared_function(key, name, layers) for key, name in shared.items()]
    parts += [layer_function(graph, layer, shared, prefix) for layer in layers]
    parts.append(_run(graph, plan, layers, prefix))
    return "\n".join(parts)


def _callers_io_in_arena(graph: Graph, plan: MemoryPlan) -> bool:
    return plan.places[graph.inputs[0]] == "arena"


Key = tuple[str, tuple[int, ...]]


def shared_kernels(layers: Sequence[Layer], least: int = 2) -> dict[Key, str]:
    """Kernels that `least` layers or more call with the same literals → the one function that they share."""
    counts = Counter((i.function, i.literals) for layer in layers for i in layer.call.invocations)
    keys = [key for key, count in counts.items() if count >= least and key[0] != "memcpy"]
    return {key: f"shared_{number:02d}_{key[0]}" for number, key in enumerate(keys)}


def shared_function(key: Key, name: str, layers: Sequence[Layer]) -> str:
    users = [
        layer for layer in layers if any((i.function, i.literals) == key for i in layer.call.invocations)
    ]
    call = users[0].call
    invocation = next(i for i in call.invocations if (i.function, i.literals) == key)
    parameters = [_parameter(pointer, call) for pointer in invocation.pointers]
    names = [parameter.rpartition("*")[2] for parameter in parameters]
    body = _statement(f"{key[0]}({', '.join([*names, *map(str, key[1])])});")
    used = fill(f"/* {', '.join(layer.function for layer in users)} */", 110, subsequent_indent=" * ")
    head = fill(f"PINTSIZE_LAYER void {name}({', '.join(parameters)})", 110, subsequent_indent=" " * 8)
    return f"{used}\n{head}\n{{\n{body}\n}}\n"


def _parameter(pointer: str, call: Call) -> str:
    if pointer.startswith("x"):
        return f"const int8_t *{pointer.partition(' ')[0]}"
    if pointer.startswith("y"):
        return "int8_t *y"
    if pointer.startswith(("scratch", "state")):
        return f"int8_t *{pointer.partition(' ')[0]}"
    constant = next(c for c in call.constants if f"{{{c.name}}}" == pointer)
    return f"const {constant.ctype} *{constant.name}"


def weights_file(title: str, layers: Sequence[Layer], prefix: str) -> str:
    """The constants, in a file of their own: the code does not depend on their values, and its size neither."""
    parts = [WEIGHTS.format(prefix=prefix, title=c_comment(title))]
    for layer in layers:
        parts += [_array(_constant_name(prefix, layer, c), c) for c in layer.call.constants]
    return "\n".join(parts)


WEIGHTS = """\
/* {title}: the constants of {prefix}.c, written by pintsize. */
#include "{prefix}.h"
"""


def _constant_name(prefix: str, layer: Layer, constant: Constant) -> str:
    return f"{prefix}_{layer.function}_{constant.name}"


PREAMBLE = """\
/* {title}: written by pintsize. Portable C99; no heap, nothing from the C library but memcpy. */
#include "{prefix}.h"

#include <string.h>

#if defined(__GNUC__)
#define PINTSIZE_INLINE static inline __attribute__((always_inline, unused))
#define PINTSIZE_LAYER static __attribute__((noinline))
#else
#define PINTSIZE_INLINE static inline
#define PINTSIZE_LAYER static
#endif
"""

#: kernel files that others stand on, in their order; "isa/…" files of one instruction set come after the portable ones
_FOUNDATIONS = ("requantize", "dot", "rows", "int16", "codes16", "sigmoid_table", "gates", "signal", "slide")
_FOUNDATIONS_OF_ISA = ("brief", "primitives", "requantize", "dot")


@cache
def kernel_source(name: str) -> str:
    return (files("pintsize.write.c") / "kernels" / f"{name}.c").read_text(encoding="utf-8")


def kernels_in_order(names: Iterable[str]) -> list[str]:
    """Each once; what the others stand on comes first."""
    unique = dict.fromkeys(names)
    return sorted(unique, key=_rank)


def _rank(kernel: str) -> tuple[int, int, str]:
    folder, _, name = kernel.rpartition("/")
    first = _FOUNDATIONS_OF_ISA if folder else _FOUNDATIONS
    return bool(folder), first.index(name) if name in first else len(first), kernel


def layer_function(graph: Graph, layer: Layer, shared: dict[Key, str], prefix: str) -> str:
    node, call = layer.node, layer.call
    names = {c.name: _constant_name(prefix, layer, c) for c in call.constants}
    shapes = ", ".join(_dimensions(graph, i) for i in graph.activations(node))
    comment = f"/* {node.op.name} {c_comment(node.name)}: {shapes} -> {_dimensions(graph, node.output)}"
    comment += f"; {c_comment(node.source)} */" if node.source else " */"
    inputs = ", ".join(f"const int8_t *x{i}" for i in range(len(graph.activations(node))))
    scratch = "".join(f", int8_t *state{i}" for i in range(len(node.carried)))
    scratch += ", int8_t *scratch" if call.needs.scratch_bytes else ""
    constants = "".join(f"extern const {c.ctype} {names[c.name]}[{c.data.size}];\n" for c in call.constants)
    body = "\n".join(_statement(_invoked(i, shared).format(**names)) for i in call.invocations)
    return f"{comment}\n{constants}PINTSIZE_LAYER void {layer.function}({inputs}, int8_t *y{scratch})\n{{\n{body}\n}}\n"


def _invoked(invocation: Invocation, shared: dict[Key, str]) -> str:
    own = shared.get((invocation.function, invocation.literals))
    arguments = invocation.pointers if own else (*invocation.pointers, *map(str, invocation.literals))
    return f"{own or invocation.function}({', '.join(arguments)});"


def _statement(text: str) -> str:
    return fill(text, 110, initial_indent="    ", subsequent_indent=" " * 8, break_long_words=False)


def _array(name: str, constant: Constant) -> str:
    text = number_lines(constant.data.reshape(-1).tolist(), 110, "    ")
    return f"const {constant.ctype} {name}[{constant.data.size}] = {{\n{text}\n}};\n"


def _dimensions(graph: Graph, name: str) -> str:
    return "x".join(map(str, graph.type(name).shape))


def _run(graph: Graph, plan: MemoryPlan, layers: Sequence[Layer], prefix: str) -> str:
    lines: list[str] = []
    for layer in layers:
        tensors = (*graph.activations(layer.node), layer.node.output, *layer.node.carried)
        operands = [_operand(graph, plan, n) for n in tensors]
        if layer.call.needs.scratch_bytes:
            operands.append(_in_arena(plan.scratch_offset(layer.node.name)))
        lines.append(f"    {layer.function}({', '.join(operands)});")
    if _callers_io_in_arena(graph, plan):
        P = prefix.upper()  # noqa: N806
        lines.insert(0, COPY_IN.format(P=P))
        lines.append(COPY_OUT.format(P=P))
    copied = [s for s in graph.states if s.next and _place(plan, s.next) != _place(plan, s.tensor)]
    for state in copied:
        to, source = _operand(graph, plan, state.tensor), _operand(graph, plan, state.next)
        lines.append(f"    memcpy({to}, {source}, {graph.type(state.tensor).activation_bytes});")
    arena = f"    int8_t *const arena = (int8_t *){prefix}_arena;\n" if plan.arena_bytes else ""
    types = {
        end: c_type(graph.type(n)) for end, n in (("read", graph.inputs[0]), ("written", graph.outputs[0]))
    }
    run = RUN.format(prefix=prefix, arena=arena, body="\n".join(lines), **types)
    return init_function(graph, plan, prefix) + run


COPY_IN = """\
    if (in != {P}_INPUT) {{
        memcpy({P}_INPUT, in, {P}_INPUT_BYTES);
    }}"""
COPY_OUT = """\
    if (out != {P}_OUTPUT) {{
        memcpy(out, {P}_OUTPUT, {P}_OUTPUT_BYTES);
    }}"""


RUN = """
void {prefix}_run(const {read} *in, {written} *out)
{{
{arena}{body}
}}
"""


def _operand(graph: Graph, plan: MemoryPlan, tensor: str) -> str:
    """As the layers take it: bytes."""
    address = _address(plan, tensor)
    if graph.type(tensor).dtype != "int16" or plan.places[tensor] == "arena":
        return address
    return f"(const int8_t *){address}" if address == "in" else f"(int8_t *){address}"


def _address(plan: MemoryPlan, tensor: str) -> str:
    place = plan.places[tensor]
    return _in_arena(plan.offset(tensor)) if place == "arena" else place


def _in_arena(offset: int) -> str:
    return f"arena + {offset}" if offset else "arena"
