"""What the program remembers from run to run: how it begins, and how values become the next ones."""

from __future__ import annotations

from math import prod

import numpy as np

from pintsize.graph import Graph
from pintsize.passes.plan_memory import MemoryPlan
from pintsize.write.c.companions import number_lines

NO_STATE = """\
/* This model keeps no state between runs, so there is nothing to reset. */
void {prefix}_init(void)
{{
}}
"""

RESET = """\
static void repeat(const int8_t *from, int32_t period, int8_t *to, int32_t count)
{{
    for (int32_t i = 0, k = 0; i < count; i++) {{
        to[i] = from[k];
        k = k + 1 < period ? k + 1 : 0;
    }}
}}

/* What the model remembers of the runs before lies in the arena; this forgets it. */
void {prefix}_reset(void)
{{
{tables}    int8_t *const arena = (int8_t *){prefix}_arena;
{fills}}}

void {prefix}_init(void)
{{
    {prefix}_reset();
}}
"""

TABLE = """\
    static const int8_t begin_{index}[{period}] = {{
{codes}
    }};
"""


def init_function(graph: Graph, plan: MemoryPlan, prefix: str) -> str:
    """The C of init, and of reset where there are states."""
    if not graph.states:
        return NO_STATE.format(prefix=prefix)
    tables: list[str] = []
    fills: list[str] = []
    for index, state in enumerate(graph.states):
        codes = np.ascontiguousarray(state.initial).view(np.int8).reshape(-1).tolist()
        period = _period(state.initial)
        shown = number_lines(codes[:period], 110, "        ")
        tables.append(TABLE.format(index=index, period=period, codes=shown))
        fills.append(
            f"    repeat(begin_{index}, {period}, arena + {plan.offset(state.tensor)}, {len(codes)});\n"
        )
    return RESET.format(prefix=prefix, tables="".join(tables), fills="".join(fills))


def _period(initial: np.ndarray) -> int:
    """Bytes after which the codes begin again: one number, a column along one of the axes, or all of them."""
    codes = np.ascontiguousarray(initial)
    for axis in range(codes.ndim, 0, -1):
        rows = codes.reshape(-1, prod(codes.shape[axis:]))
        if (rows == rows[0]).all():
            return rows[0].nbytes
    return codes.nbytes
