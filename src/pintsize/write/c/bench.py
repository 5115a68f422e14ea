"""A program that runs layers one after the other, each on its own: for measuring kernels, not for shipping.

Its layers need not belong to one network, so one build measures as many shapes of as many kernels as fit into flash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pintsize.graph import Graph, Node
from pintsize.write.c.calls import Call, Isa, call_of
from pintsize.write.c.emit import (
    PREAMBLE,
    Layer,
    kernel_source,
    kernels_in_order,
    layer_function,
    layer_name,
    shared_function,
    shared_kernels,
    weights_file,
)


@dataclass(frozen=True)
class BenchProgram:
    """files: name → text; layers: per layer its C function; calls: what each does; shared: the C function of
    each kernel with its literals.
    """

    files: dict[str, str]
    layers: tuple[str, ...]
    calls: tuple[Call, ...]
    shared: dict[tuple[str, tuple[int, ...]], str]


HEADER = """\
#ifndef MODEL_H
#define MODEL_H
#include <stdint.h>
#define MODEL_INPUT_BYTES 4
#define MODEL_OUTPUT_BYTES 4
void model_init(void);
void model_run(const int8_t *in, int8_t *out);
#endif
"""

RUN = """\
void model_init(void)
{{
}}

void model_run(const int8_t *in, int8_t *out)
{{
    int8_t *const arena = (int8_t *)model_arena;
    (void)in;
    (void)out;
{body}
}}
"""


def write_bench(layers: Sequence[tuple[Graph, Node]], isa: Isa) -> BenchProgram:
    """The layers, taken from integer Graphs, as C files. Their operands lie side by side in RAM and hold zeros."""
    calls = tuple(call_of(graph, node, isa) for graph, node in layers)
    names = tuple(layer_name(i, node) for i, (_, node) in enumerate(layers))
    rows = [Layer(node, name, call) for (_, node), name, call in zip(layers, names, calls, strict=True)]
    shared = shared_kernels(rows, least=1)
    bodies, arena_bytes = _body(layers, rows)
    source = [
        PREAMBLE.format(prefix="model", title="kernels to measure"),
        *(kernel_source(name) for name in kernels_in_order(k for call in calls for k in call.kernels)),
        f"static int32_t model_arena[{max(arena_bytes // 4, 1)}];\n",
        *(shared_function(key, name, rows) for key, name in shared.items()),
        *(layer_function(graph, row, shared, "model") for (graph, _), row in zip(layers, rows, strict=True)),
        RUN.format(body=bodies),
    ]
    files = {"model.h": HEADER, "model.c": "\n".join(source)}
    if any(call.constants for call in calls):
        files["model_weights.c"] = weights_file("kernels to measure", rows, "model")
    return BenchProgram(files, names, calls, shared)


def _body(layers: Sequence[tuple[Graph, Node]], rows: Sequence[Layer]) -> tuple[str, int]:
    """The calls of all layers, and how many bytes their operands take at most."""
    lines: list[str] = []
    most = 0
    for (graph, node), row in zip(layers, rows, strict=True):
        sizes = [graph.type(n).activation_bytes for n in (*graph.activations(node), node.output)]
        if row.call.needs.scratch_bytes:
            sizes.append(row.call.needs.scratch_bytes)
        offsets = [sum(-(-s // 4) * 4 for s in sizes[:i]) for i in range(len(sizes) + 1)]
        most = max(most, offsets[-1])
        lines.append(f"    {row.function}({', '.join(f'arena + {o}' for o in offsets[:-1])});")
    return "\n".join(lines), most
