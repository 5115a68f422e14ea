"""Written programs against the reference: one on the host, many at once on an emulated core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pintsize.emulate import Core
from pintsize.graph import Graph
from pintsize.module import run_integers
from pintsize.write.c import write
from pintsize.write.c.calls import Isa
from tests.compiled import ManyModels, run_on_host
from tests.drawn import random_codes


def flat(graph: Graph, codes: np.ndarray) -> np.ndarray:
    """The reference's output codes (n, output elements)."""
    return run_integers(graph, codes).reshape(len(codes), -1)


def assert_host_agrees(graph: Graph, isa: Isa, reuse_io: bool = True) -> None:
    codes = random_codes(graph, 4)
    found = run_on_host(write(graph, isa=isa, reuse_io=reuse_io).files, codes)
    assert np.array_equal(found, flat(graph, codes))


def assert_core_agrees(graphs: Sequence[Graph], isa: Isa, core: Core) -> None:
    codes = [random_codes(g, 3) for g in graphs]
    found = ManyModels(graphs, isa=isa, reuse_io=True).run_on_core(core, codes)
    for g, x, y in zip(graphs, codes, found, strict=True):
        assert np.array_equal(y, flat(g, x)), [(n.op, g.type(n.inputs[0]), g.type(n.output)) for n in g.nodes]
