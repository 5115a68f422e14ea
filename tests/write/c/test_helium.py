"""Helium kernels against the reference, on the host (their plain bodies) and on the emulated core."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pintsize.emulate import compile_check, core, qemu
from pintsize.graph import Graph
from pintsize.write.c import write
from tests.compiled import FLAGS, host_compiler
from tests.every_kernel import every_kernel
from tests.write.c.agreement import assert_core_agrees, assert_host_agrees
from tests.write.c.chains import SHAPES, chains

M55 = core("cortex-m55")
needs_m55 = pytest.mark.skipif(not qemu.available(M55), reason="no emulator of a Cortex-M55")


@settings(max_examples=20)
@given(chains(narrow=True), st.booleans())
def test_the_plain_bodies_agree(graph: Graph, reuse_io: bool) -> None:
    assert_host_agrees(graph, "helium", reuse_io)


@needs_m55
@pytest.mark.parametrize("layers", SHAPES)
@settings(max_examples=1, phases=[Phase.generate])
@given(st.data())
def test_layers_agree_on_the_core(layers: tuple[str, ...], data: st.DataObject) -> None:
    assert_core_agrees([data.draw(chains(layers, largest=2, narrow=True)) for _ in range(10)], "helium", M55)


@needs_m55
@pytest.mark.long
@settings(max_examples=4)
@given(st.lists(chains(narrow=True), min_size=12, max_size=12))
def test_chains_agree_on_the_core(graphs: list[Graph]) -> None:
    assert_core_agrees(graphs, "helium", M55)


@needs_m55
def test_the_graph_of_every_kernel_agrees_on_the_core() -> None:
    assert_core_agrees([every_kernel()], "helium", M55)


def test_no_warning_from_any_compiler() -> None:
    files = write(every_kernel(), isa="helium").files
    assert compile_check(files, host_compiler(), flags=FLAGS) == ""
    assert compile_check(files, "zig", M55, FLAGS) == ""


def test_a_graph_of_every_kernel_takes_helium_kernels() -> None:
    source = write(every_kernel(), isa="helium").files["model.c"]
    used = Counter(
        word for word in ("helium_conv2d(", "helium_depthwise_conv2d(", "helium_row") if word in source
    )
    assert len(used) == 3
