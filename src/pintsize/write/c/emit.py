"""Assembles the C program: kernels, constants, one function per layer, and the run function.

The same Graph gives the same bytes, on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from textwrap import fill

import numpy as np

from pintsize.graph import Graph, Node
from pintsize.ops import Reshape
from pintsize.passes.plan_memory import MemoryPlan, plan_memory
from pintsize.spec import check
from pintsize.write.c.calls import CALLS, Call, Constant
from pintsize.write.c.companions import build_files, c_comment, header, main_example, self_test


@dataclass(frozen=True)
class CProgram:
    """The written program.

    files: name → text; plan: where the activations live; layers: per node the C function's name ("" where
    nothing is computed); constant_bytes: per node the bytes of its constants in flash; output_bytes: of one run.
    """

    files: dict[str, str]
    plan: MemoryPlan
    layers: tuple[str, ...]
    constant_bytes: tuple[int, ...]
    output_bytes: int


def write(graph: Graph, golden: tuple[np.ndarray, np.ndarray] | None = None, prefix: str = "model") -> CProgram:
    """An integer Graph as C files.

    golden: (inputs (n, …), outputs (n, …)) int8 vectors for the self-test. Raises SpecError for an illegal Graph.
    """
    check(graph, "integer")
    plan = plan_memory(graph)
    layers = tuple(_layer_name(i, node) if _computes(plan, node) else "" for i, node in enumerate(graph.nodes))
    named = list(zip(graph.nodes, layers, strict=True))
    calls = [CALLS[node.op.name](graph, node) if layer else None for node, layer in named]
    written = {
        f"{prefix}.h": header(graph, plan.arena_bytes, prefix),
        f"{prefix}.c": _source(graph, plan, layers, calls, prefix),
        "main.c": main_example(graph, prefix),
        **build_files(prefix, golden is not None),
    }
    if golden is not None:
        written[f"{prefix}_self_test.c"] = self_test(*golden, prefix)
    sizes = tuple(sum(c.bytes for c in call.constants) if call else 0 for call in calls)
    return CProgram(written, plan, layers, sizes, graph.type(graph.outputs[0]).elements)


def _computes(plan: MemoryPlan, node: Node) -> bool:
    if not isinstance(node.op, Reshape):
        return True
    before, after = plan.places[node.inputs[0]], plan.places[node.output]
    return before != after


def _layer_name(index: int, node: Node) -> str:
    return f"layer_{index:02d}_{node.op.name}"


def _source(
    graph: Graph, plan: MemoryPlan, layers: Sequence[str], calls: Sequence[Call | None], prefix: str
) -> str:
    present = [(node, layer, call) for node, layer, call in zip(graph.nodes, layers, calls, strict=True) if call]
    parts = [
        PREAMBLE.format(prefix=prefix, title=c_comment(graph.name)),
        *(_kernel(name) for name in _in_order(k for _, _, call in present for k in call.kernels)),
    ]
    if plan.arena_bytes:
        parts.append(f"/* All activations live here; int32_t for its alignment. */\nstatic int32_t {prefix}_arena"
                     f"[{plan.arena_bytes // 4}];\n")  # fmt: skip
    parts += [_layer(graph, node, layer, call) for node, layer, call in present]
    parts.append(_run(graph, plan, [(node, layer) for node, layer, _ in present], prefix))
    return "\n".join(parts)


PREAMBLE = """\
/* {title}: written by pintsize. Portable C99; no heap, nothing from the C library but memcpy. */
#include "{prefix}.h"

#include <string.h>

#if defined(__GNUC__)
#define PINTSIZE_INLINE static inline __attribute__((always_inline))
#define PINTSIZE_LAYER static __attribute__((noinline))
#else
#define PINTSIZE_INLINE static inline
#define PINTSIZE_LAYER static
#endif
"""


@cache
def _kernel(name: str) -> str:
    return (files("pintsize.write.c") / "kernels" / f"{name}.c").read_text(encoding="utf-8")


def _in_order(names: Iterable[str]) -> list[str]:
    """Each once; what the others stand on comes first."""
    unique = dict.fromkeys(names)
    return sorted(unique, key=lambda n: ({"requantize": 0, "dot": 1}.get(n, 2), n))


def _layer(graph: Graph, node: Node, layer: str, call: Call) -> str:
    names = {c.name: f"{layer}_{c.name}" for c in call.constants}
    shapes = ", ".join(_dimensions(graph, i) for i in graph.activations(node))
    comment = f"/* {node.op.name} {c_comment(node.name)}: {shapes} -> {_dimensions(graph, node.output)}"
    comment += f"; {c_comment(node.source)} */" if node.source else " */"
    inputs = ", ".join(f"const int8_t *x{i}" for i in range(len(graph.activations(node))))
    body = "\n".join(_statement(s.format(**names)) for s in call.statements)
    constants = "".join(_array(names[c.name], c) for c in call.constants)
    return f"{comment}\n{constants}PINTSIZE_LAYER void {layer}({inputs}, int8_t *y)\n{{\n{body}\n}}\n"


def _statement(text: str) -> str:
    return fill(text, 110, initial_indent="    ", subsequent_indent=" " * 8, break_long_words=False)


def _array(name: str, constant: Constant) -> str:
    numbers = ", ".join(map(str, constant.data.reshape(-1).tolist()))
    text = fill(numbers, 110, initial_indent="    ", subsequent_indent="    ")
    return f"static const {constant.ctype} {name}[{constant.data.size}] = {{\n{text}\n}};\n"


def _dimensions(graph: Graph, name: str) -> str:
    return "x".join(map(str, graph.type(name).shape))


def _run(graph: Graph, plan: MemoryPlan, present: Sequence[tuple[Node, str]], prefix: str) -> str:
    lines: list[str] = []
    for node, layer in present:
        operands = (*graph.activations(node), node.output)
        lines.append(f"    {layer}({', '.join(_address(plan, n, prefix) for n in operands)});")
    arena = f"    int8_t *const arena = (int8_t *){prefix}_arena;\n" if plan.arena_bytes else ""
    body = "\n".join(lines)
    return RUN.format(prefix=prefix, arena=arena, body=body)


RUN = """\
/* This model keeps no state between runs, so there is nothing to reset. */
void {prefix}_init(void)
{{
}}

void {prefix}_run(const int8_t *in, int8_t *out)
{{
{arena}{body}
}}
"""


def _address(plan: MemoryPlan, tensor: str, prefix: str) -> str:
    place = plan.places[tensor]
    if place != "arena":
        return place
    offset = plan.offset(tensor)
    return f"arena + {offset}" if offset else "arena"

