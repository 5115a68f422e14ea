"""Portable kernels against the reference on the host: drawn chains, with buffers of their own and overlapping ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.graph import Graph
from tests.write.c.agreement import assert_host_agrees
from tests.write.c.chains import LAYERS, chains


@settings(max_examples=15)
@given(chains(largest=3, narrow=True), st.booleans())
def test_chains_agree(graph: Graph, reuse_io: bool) -> None:
    assert_host_agrees(graph, "portable", reuse_io)


@pytest.mark.parametrize("layer", LAYERS)
@settings(max_examples=2)
@given(st.data())
def test_layers_of_one_kind_agree_in_overlapping_buffers(layer: str, data: st.DataObject) -> None:
    assert_host_agrees(data.draw(chains((layer,), largest=3, narrow=True)), "portable")


@pytest.mark.long
@settings(max_examples=300)
@given(chains(narrow=True), st.booleans())
def test_many_chains_agree(graph: Graph, reuse_io: bool) -> None:
    assert_host_agrees(graph, "portable", reuse_io)
