"""Thumb kernels against the reference, on the host (their plain bodies) and on the emulated core."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pintsize.emulate import build, compile_check, core, execute
from pintsize.graph import Graph
from pintsize.ops import Conv2d
from pintsize.write.c import write
from pintsize.write.c.emit import kernel_source
from tests.compiled import FLAGS, host_compiler, library
from tests.drawn import random_codes
from tests.every_kernel import every_kernel
from tests.write.c.agreement import assert_core_agrees, assert_host_agrees
from tests.write.c.chains import SHAPES, a_chain, chains

POINTER = ctypes.c_void_p
M0 = core("cortex-m0")


@settings(max_examples=20)
@given(chains(narrow=True), st.booleans())
def test_the_plain_bodies_agree(graph: Graph, reuse_io: bool) -> None:
    assert_host_agrees(graph, "thumb", reuse_io)


@pytest.mark.parametrize("layers", SHAPES)
@settings(max_examples=1, phases=[Phase.generate])
@given(st.data())
def test_layers_agree_on_the_core(layers: tuple[str, ...], data: st.DataObject) -> None:
    assert_core_agrees([data.draw(chains(layers, largest=3, narrow=True)) for _ in range(10)], "thumb", M0)


@pytest.mark.long
@settings(max_examples=4)
@given(st.lists(chains(narrow=True), min_size=12, max_size=12))
def test_chains_agree_on_the_core(graphs: list[Graph]) -> None:
    assert_core_agrees(graphs, "thumb", M0)


def test_the_graph_of_every_kernel_agrees_on_the_core() -> None:
    assert_core_agrees([every_kernel()], "thumb", M0)


def test_no_warning_from_any_compiler() -> None:
    files = write(every_kernel(), isa="thumb").files
    assert compile_check(files, host_compiler(), flags=FLAGS) == ""
    for name in ("cortex-m0", "cortex-m3", "riscv32"):
        assert compile_check(files, "zig", core(name), FLAGS) == ""


def instructions(graph: Graph) -> int:
    program = build(write(graph, isa="thumb", reuse_io=True).files, M0)
    return execute(program, random_codes(graph, 2)).instructions or 0


def test_narrow_weights_take_fewer_instructions() -> None:
    wide, narrow, narrowest = (
        instructions(a_chain(((Conv2d(), (16, 1, 1, 64)),), (3, 3, 64), bits)) for bits in (8, 4, 2)
    )
    assert narrowest < narrow < 0.9 * wide


SCALED = """\
#include <stdint.h>
#define PINTSIZE_INLINE static inline
{requantize}
{primitives}
int64_t differences(const int32_t *x, const int32_t *multiplier, const int8_t *shift, int32_t count)
{{
    int64_t found = 0;
    for (int32_t i = 0; i < count; i++) {{
        found += scaled(x[i], multiplier[i], shift[i]) != thumb_scaled(x[i], multiplier[i], shift[i]);
    }}
    return found;
}}
"""


def test_products_of_32_bits_round_as_those_of_64() -> None:
    """Random and extreme accumulators and multipliers, and all shifts."""
    rng = np.random.default_rng(0)
    count = 400_000
    edges = np.array([0, 1, -1, 2**15, -(2**15), 2**15 - 1, 2**30 - 1, -(2**30) + 1, 2**29, -(2**29)])
    x = rng.integers(-(2**30) + 1, 2**30, count) >> rng.integers(0, 30, count)
    x[: count // 4] = rng.choice(edges, count // 4)
    multiplier = rng.integers(2**30, 2**31, count)
    multiplier[::5] = rng.choice([2**30, 2**31 - 1, 0, 2**30 + 0xFFFF], len(multiplier[::5]))
    arrays = x.astype(np.int32), multiplier.astype(np.int32), rng.integers(-31, 1, count).astype(np.int8)
    parts = {
        name: kernel_source(path)
        for name, path in (("requantize", "requantize"), ("primitives", "thumb/primitives"))
    }
    with library(SCALED.format(**parts)) as c:
        assert c.differences(*(a.ctypes.data_as(POINTER) for a in arrays), count) == 0
