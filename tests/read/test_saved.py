"""A saved Graph reads back as it was; a damaged one is a ModelError, whatever is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pintsize.errors import ModelError, UserError
from pintsize.graph import Graph
from pintsize.module import run_integers
from pintsize.passes.streaming import streamed
from pintsize.read.saved import read_saved
from pintsize.spec import check
from pintsize.write.saved import graph_files
from tests.drawn import Drawn, drawn_graphs, random_codes
from tests.examples import example_graph, example_integers, examples
from tests.streams import graphs_over_time, recurrent_graphs

EXAMPLES = examples()


def save(graph: Graph, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in graph_files(graph).items():
        (folder / name).write_bytes(content)
    return folder


def assert_same(a: Graph, b: Graph) -> None:
    assert (a.name, a.nodes, a.inputs, a.outputs, a.labels) == (
        b.name,
        b.nodes,
        b.inputs,
        b.outputs,
        b.labels,
    )
    assert [(s.tensor, s.next) for s in a.states] == [(s.tensor, s.next) for s in b.states]
    assert all(
        x.initial.dtype == y.initial.dtype and np.array_equal(x.initial, y.initial)
        for x, y in zip(a.states, b.states, strict=True)
    )
    assert {n: t.type for n, t in a.tensors.items()} == {n: t.type for n, t in b.tensors.items()}
    for name, tensor in a.tensors.items():
        other = b.tensors[name].data
        if tensor.data is None or other is None:
            assert tensor.data is other is None
        else:
            assert tensor.data.dtype == other.dtype
            assert np.array_equal(tensor.data, other)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_every_op_keeps_its_attributes(example: Any, tmp_path: Path) -> None:
    graph = example_graph(example)
    assert_same(graph, read_saved(save(graph, tmp_path)))


@given(drawn=drawn_graphs())
def test_an_integer_graph_computes_the_same_after_a_round_trip(drawn: Drawn, tmp_path: Path) -> None:
    graph = drawn.integers()
    again = read_saved(str(save(graph, tmp_path)))
    check(again, "integer")
    assert_same(graph, again)
    codes = random_codes(graph, 4)
    assert np.array_equal(run_integers(graph, codes), run_integers(again, codes))


@settings(max_examples=10)
@given(graph=st.one_of(graphs_over_time(padded=True), recurrent_graphs()))
def test_a_graph_of_steps_goes_on_as_it_would_have(graph: Graph, tmp_path: Path) -> None:
    try:
        steps = streamed(graph, 2, carry=True).graph
    except UserError:
        assume(False)
        raise
    again = read_saved(save(steps, tmp_path))
    check(again, "integer")
    assert_same(steps, again)
    codes = random_codes(steps, 8)
    assert np.array_equal(run_integers(steps, codes), run_integers(again, codes))


def test_a_graph_without_states_is_written_as_before_there_were_any() -> None:
    example = next(iter(EXAMPLES.values()))
    text = graph_files(example_integers(example))["graph.json"].decode()
    assert "states" not in text
    assert "carried" not in text


def test_the_same_graph_gives_the_same_bytes() -> None:
    example = next(iter(EXAMPLES.values()))
    assert graph_files(example_integers(example)) == graph_files(example_integers(example))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save(example_integers(EXAMPLES["linear_0"]), tmp_path / "saved")


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "graph.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("name", ["graph.json", "weights.npz"])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        read_saved(saved)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no saved graph"):
        read_saved(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["graph.json", "weights.npz"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_truncated_file_is_damage(saved: Path, name: str, share: float) -> None:
    whole = (saved / name).read_bytes()
    (saved / name).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match="damaged"):
        read_saved(saved)


def test_every_flipped_byte_of_the_weights_is_damage_or_harmless(saved: Path) -> None:
    graph = read_saved(saved)
    path = saved / "weights.npz"
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            again = read_saved(saved)
        except ModelError:
            continue
        assert_same(graph, again)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": None},
        {"nodes": [{"name": "n"}]},
        {"nodes": 3},
        {"tensors": [{"name": "x", "shape": 3, "dtype": "int8"}]},
        {"tensors": [{"name": "w", "shape": [1], "dtype": "int8", "constant": "c99"}]},
        {"inputs": None},
    ],
    ids=str,
)
def test_a_document_that_says_something_else_is_a_model_error(saved: Path, changes: dict[str, Any]) -> None:
    rewrite(saved, **changes)
    with pytest.raises(ModelError):
        read_saved(saved)


@pytest.mark.parametrize("document", ["null", "[]", "3", '"graph"'])
def test_json_that_is_no_graph_is_a_model_error(saved: Path, document: str) -> None:
    (saved / "graph.json").write_text(document)
    with pytest.raises(ModelError):
        read_saved(saved)


def test_an_op_of_a_later_version_is_named(saved: Path) -> None:
    node = json.loads((saved / "graph.json").read_text())["nodes"][0]
    rewrite(saved, nodes=[{**node, "op": "fourier"}])
    with pytest.raises(ModelError, match="'fourier'"):
        read_saved(saved)


def test_constants_are_never_unpickled(saved: Path) -> None:
    np.savez(saved / "weights.npz", c0=np.array([object()], object), c1=np.zeros(2))
    with pytest.raises(ModelError, match="damaged"):
        read_saved(saved)
