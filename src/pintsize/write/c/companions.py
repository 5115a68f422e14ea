"""The files around the model: header, example, self-test, build snippets."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np

from pintsize.arithmetic import CODES
from pintsize.graph import Graph, TensorType
from pintsize.ops.embedding import ids_read
from pintsize.passes.plan_memory import MemoryPlan

HEADER = """\
/* {title}: interface of the program that pintsize wrote. */
#ifndef {guard}
#define {guard}

#include <stdint.h>

/* {numbers}, channels last. real = scale * (q - zero_point). */
#define {P}_INPUT_BYTES {input_bytes}
#define {P}_INPUT_SHAPE {{{input_shape}}}
#define {P}_INPUT_SCALE {input_scale}f
#define {P}_INPUT_ZERO_POINT ({input_zero})
#define {P}_OUTPUT_BYTES {output_bytes}
#define {P}_OUTPUT_SHAPE {{{output_shape}}}
#define {P}_OUTPUT_SCALE {output_scale}f
#define {P}_OUTPUT_ZERO_POINT ({output_zero})
/* Static RAM that the model keeps for its activations; in and out belong to the caller. */
#define {P}_ARENA_BYTES {arena}
{state}
#ifdef __cplusplus
extern "C" {{
#endif

{places}/* Call once before the first run. */
void {p}_init(void);

{reset}{contract}
void {p}_run(const {in_type} *in, {out_type} *out);

/* Runs the golden vectors in {p}_self_test.c on this chip; returns how many output bytes differ (0: all is well). */
int32_t {p}_self_test(void);

/* A real number on the input's grid: nearest, halves away from zero, saturated. */
static inline {in_type} {p}_quantize(float real)
{{
    const float steps = real / {P}_INPUT_SCALE;
    const float bounded = steps > -{far}f ? (steps < {far}f ? steps : {far}f) : -{far}f; /* NaN is {nan} */
    const int32_t q = (int32_t)(bounded + (bounded < 0.0f ? -0.5f : 0.5f)) + {P}_INPUT_ZERO_POINT;
    return ({in_type})(q < {low} ? {low} : q > {high} ? {high} : q);
}}

#ifdef __cplusplus
}}
#endif

#endif
"""

STATE_BYTES = """\
/* Of it, what the model remembers from run to run: each run is a step of one signal. */
#define {P}_STATE_BYTES {bytes}
"""

RESET = """\
/* Forgets the signal so far: call it behind a gap. Init does it too. */
void {p}_reset(void);

"""

APART = "/* in: {inputs} numbers, left as they are. out: {outputs} numbers; must not overlap in. */"

IN_ARENA = """\
/* in: {inputs} numbers; out: {outputs} numbers. To save their RAM, use the places in the arena:
 * fill {P}_INPUT, call {p}_run({P}_INPUT, {P}_OUTPUT), read {P}_OUTPUT; the run overwrites {P}_INPUT. */"""

PLACES = """\
/* Where the run reads its input and leaves its output. */
extern int32_t {p}_arena[];
#define {P}_INPUT {input}
#define {P}_OUTPUT {output}

"""

MAIN = """\
/* Example: runs the model once and finds its largest output. */
#include "{p}.h"

static {in_type} input[{inputs}];
static {out_type} output[{outputs}];

int main(void)
{{
    int32_t best = 0;
    {p}_init();
    for (int32_t i = 0; i < {inputs}; i++) {{
        input[i] = {p}_quantize(0.0f); /* your numbers, channels last */
    }}
    {p}_run(input, output);
    for (int32_t i = 1; i < {outputs}; i++) {{
        best = output[i] > output[best] ? i : best;
    }}
{labels}    return (int)best;
}}
"""

SELF_TEST = """\
/* Golden vectors: the integers that every build must compute. Link this file only if you call {p}_self_test. */
#include "{p}.h"

#define GOLDEN_VECTORS {count}

static const {in_type} golden_inputs[GOLDEN_VECTORS][{inputs}] = {{
{given}
}};

static const {out_type} golden_outputs[GOLDEN_VECTORS][{outputs}] = {{
{expected}
}};

int32_t {p}_self_test(void)
{{
    static {out_type} output[{outputs}];
    int32_t different = 0;
    {p}_init();
    for (int32_t v = 0; v < GOLDEN_VECTORS; v++) {{
        {p}_run(golden_inputs[v], output);
        for (int32_t i = 0; i < {outputs}; i++) {{
            different += output[i] != golden_outputs[v][i];
        }}
    }}
    return different;
}}
"""

MAKEFILE = """\
# make: the example for this computer. For a board: CC, CFLAGS and LDFLAGS of its toolchain.
CC ?= cc
CFLAGS ?= -std=c99 -O2 -Wall -Wextra -Wpedantic -ffunction-sections -fdata-sections

example: main.c {sources} {p}.h
\t$(CC) $(CFLAGS) main.c {sources} -o $@ $(LDFLAGS)
{self_test}
clean:
\trm -f example self_test

.PHONY: clean
"""

MAKE_SELF_TEST = """
self_test: {p}_self_test.c {sources} {p}.h
\tprintf '#include "{p}.h"\\nint main(void) {{ return {p}_self_test() != 0; }}\\n' | \\
\t\t$(CC) $(CFLAGS) -I. -x c - -x none {p}_self_test.c {sources} -o $@ $(LDFLAGS)
"""

CMAKE = """\
# In your CMakeLists.txt: include(path/to/{p}.cmake), then target_link_libraries(your_target PRIVATE {p}).
add_library({p} STATIC {sources})
target_include_directories({p} PUBLIC ${{CMAKE_CURRENT_LIST_DIR}})
target_compile_options({p} PRIVATE -O2 -ffunction-sections -fdata-sections)
"""


def c_comment(text: str) -> str:
    """Text on one line that can neither end nor nest a C comment."""
    return " ".join(text.replace("\\", "/").split()).replace("*/", "* /").replace("/*", "/ *")


def header(graph: Graph, plan: MemoryPlan, prefix: str) -> str:
    """The interface: sizes, grids, functions."""
    x, y = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    names = _borders(graph, prefix)
    within = plan.places[graph.inputs[0]] == "arena"
    places = ""
    if within:
        ends = {"input": graph.inputs[0], "output": graph.outputs[0]}
        pointers = {end: _in_arena(prefix, graph.type(name), plan.offset(name)) for end, name in ends.items()}
        places = PLACES.format(p=prefix, P=prefix.upper(), **pointers)
    return HEADER.format(
        title=c_comment(graph.name), guard=f"{prefix.upper()}_H", numbers=_numbers(graph, x, y), **_quantizer(x),
        **names,
        input_bytes=x.activation_bytes, input_shape=", ".join(map(str, x.shape)), input_scale=_float(x.scale[0]),
        input_zero=x.zero_point, output_bytes=y.activation_bytes, output_shape=", ".join(map(str, y.shape)),
        output_scale=_float(y.scale[0]), output_zero=y.zero_point, arena=plan.arena_bytes,
        state=STATE_BYTES.format(bytes=graph.state_bytes, **names) if graph.states else "",
        reset=RESET.format(**names) if graph.states else "", places=places,
        contract=(IN_ARENA if within else APART).format(**names),
    )  # fmt: skip


def c_type(kind: TensorType) -> str:
    """The C type of an activation's codes at the program's border."""
    return "int16_t" if kind.dtype == "int16" else "int8_t"


def _borders(graph: Graph, prefix: str) -> dict[str, str]:
    """The program's names, and the C types and counts of what goes in and out."""
    P = prefix.upper()  # noqa: N806
    ends = {"in": graph.type(graph.inputs[0]), "out": graph.type(graph.outputs[0])}
    counts = {
        f"{end}puts": f"{P}_{end.upper()}PUT_BYTES" + (" / 2" if kind.dtype == "int16" else "")
        for end, kind in ends.items()
    }
    return {"p": prefix, "P": P, **{f"{end}_type": c_type(kind) for end, kind in ends.items()}, **counts}


def _in_arena(prefix: str, kind: TensorType, offset: int) -> str:
    place = f"((int8_t *){prefix}_arena + {offset})"
    return place if kind.dtype != "int16" else f"((int16_t *)(void *){place})"


def _numbers(graph: Graph, x: TensorType, y: TensorType) -> str:
    if ids_read(graph):
        start = f"{x.zero_point} for id 0, {x.zero_point + 1} for id 1" if x.zero_point else "as they are"
        return f"{x.dtype} token ids 0..{ids_read(graph) - 1} in ({start}), {y.dtype} numbers out"
    if x.dtype == y.dtype:
        return f"{x.dtype} numbers"
    return f"{x.dtype} numbers in, {y.dtype} numbers out"


def _quantizer(x: TensorType) -> dict[str, str]:
    """Bounds of the input's codes, and what is far outside them."""
    low, high = CODES[x.code_bits]
    far = 512 if x.dtype == "int8" else 65536
    return {"low": str(low), "high": str(high), "far": f"{far}.0", "nan": str(-far)}


def _float(value: float) -> str:
    """A decimal literal that C reads back as the same float32."""
    text = repr(float(np.float32(value)))
    return text if "." in text or "e" in text else text + ".0"


def main_example(graph: Graph, prefix: str) -> str:
    """A program that a user can start from."""
    labels = ", ".join(c_comment(label) for label in graph.labels)
    comment = fill(f"/* classes: {labels} */", 106, initial_indent="    ", subsequent_indent="       ") + "\n"
    return MAIN.format(**_borders(graph, prefix), labels=comment if labels else "")


def self_test(graph: Graph, inputs: np.ndarray, outputs: np.ndarray, prefix: str) -> str:
    """The golden vectors as C."""
    return SELF_TEST.format(
        **_borders(graph, prefix), count=len(inputs), given=_vectors(inputs), expected=_vectors(outputs)
    )  # fmt: skip


def _vectors(vectors: np.ndarray) -> str:
    rows = (number_lines(v.reshape(-1).tolist(), 106, "     ") for v in vectors)
    return ",\n".join("    {" + row.removeprefix("     ") + "}" for row in rows)


def number_lines(numbers: Sequence[int], width: int, indent: str) -> str:
    """Numbers with commas between, in indented lines of at most `width` characters; textwrap takes seconds for it."""
    lines: list[str] = []
    line = indent
    for number in map(str, numbers):
        if len(line) + len(number) + 1 > width and line != indent:
            lines.append(line.rstrip())
            line = indent
        line += f"{number}, "
    return "\n".join([*lines, line[:-2]])


def build_files(prefix: str, with_weights: bool, with_self_test: bool) -> dict[str, str]:
    """Makefile and CMake snippet."""
    sources = [f"{prefix}.c", *([f"{prefix}_weights.c"] if with_weights else [])]
    names = {"p": prefix, "sources": " ".join(sources)}
    make = MAKE_SELF_TEST.format(**names) if with_self_test else ""
    library = [*sources, *([f"{prefix}_self_test.c"] if with_self_test else [])]
    paths = " ".join(f"${{CMAKE_CURRENT_LIST_DIR}}/{name}" for name in library)
    return {
        "Makefile": MAKEFILE.format(**names, self_test=make),
        f"{prefix}.cmake": CMAKE.format(p=prefix, sources=paths),
    }
