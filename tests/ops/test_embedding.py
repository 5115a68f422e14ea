"""Token ids: an exact input of int8 or int16, a table of any width, C that never reads beside it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pintsize.arithmetic import dequantize
from pintsize.compress.quantize import Bits, Quantize, freeze
from pintsize.emulate import HostModel, build, compile_check, core, execute
from pintsize.errors import SpecError
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.manifest import manifest
from pintsize.module import GraphModule, run_float, run_integers
from pintsize.ops import Embedding, Linear, Relu, Reshape
from pintsize.ops.embedding import ids_grid, ids_read
from pintsize.spec import check
from pintsize.verify import input_codes, random_codes
from pintsize.write.c import write
from tests.compiled import FLAGS, run_on_host, sanitizing
from tests.examples import constant

TOKENS = 5


def network(ids: int) -> Graph:
    rng = np.random.default_rng(0)
    constants = {
        "table.w": constant("table.w", rng.normal(0, 1, (7, ids))),
        "table.b": constant("table.b", rng.normal(0, 0.3, 7)),
        "last.w": constant("last.w", rng.normal(0, 0.3, (3, 7 * TOKENS))),
        "last.b": constant("last.b", rng.normal(0, 0.3, 3)),
    }
    nodes = (
        Node("table", Embedding(), ("x", "table.w", "table.b"), "table"),
        Node("flat", Reshape(), ("table",), "flat"),
        Node("last", Linear(), ("flat", "last.w", "last.b"), "last"),
    )
    return rebuild(
        Graph("tokens", {"x": Tensor("x", TensorType((TOKENS,)))}, (), ("x",), ("last",)), nodes, constants
    )


def texts(ids: int, count: int = 64) -> np.ndarray:
    return np.random.default_rng(1).integers(0, ids, (count, TOKENS)).astype(np.float32)


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("ids", [1, 11, 256, 257, 1000])
def test_c_gives_the_integers_whatever_comes_in(ids: int, bits: Bits) -> None:
    graph = Quantize(bits)(network(ids), texts(ids))
    codes = np.concatenate([random_codes(graph, 30), input_codes(graph, texts(ids, 10))])
    found = run_on_host(write(graph).files, codes)
    assert np.array_equal(found, run_integers(graph, codes))


@pytest.mark.parametrize("ids", [11, 300])
def test_sanitizers_and_compilers_find_nothing(ids: int) -> None:
    graph = Quantize()(network(ids), texts(ids))
    codes = random_codes(graph, 30)
    written = write(graph, (codes[:2], run_integers(graph, codes[:2]))).files
    assert compile_check(written, "zig", core("cortex-m0"), FLAGS) == ""
    with HostModel(written, compiler=sanitizing(), sanitize=True) as model:
        found = model.run(codes.reshape(len(codes), -1))
    assert np.array_equal(found, run_integers(graph, codes).reshape(len(codes), -1))


def test_a_core_gives_the_integers() -> None:
    graph = Quantize(4)(network(300), texts(300))
    codes = random_codes(graph, 6)
    program = build(write(graph, isa="dsp").files, core("cortex-m4"))
    assert np.array_equal(execute(program, codes, count=False).outputs, run_integers(graph, codes))


@pytest.mark.parametrize(("ids", "dtype"), [(256, "int8"), (257, "int16")])
def test_every_id_is_exact_on_the_inputs_grid(ids: int, dtype: str) -> None:
    graph = Quantize()(network(ids), texts(ids))
    assert graph.type("x").dtype == dtype
    assert (graph.type("x").dtype, graph.type("x").scale[0], graph.type("x").zero_point) == ids_grid(ids)
    every = np.arange(ids, dtype=np.float32)
    assert np.array_equal(input_codes(graph, every).astype(int) - graph.type("x").zero_point, every)


def test_integers_are_near_the_real_numbers() -> None:
    graph, x = network(300), texts(300)
    integer = Quantize()(graph, x)
    y = integer.type("last")
    found = dequantize(run_integers(integer, input_codes(integer, x)), y.scale[0], y.zero_point)
    real = run_float(graph, torch.from_numpy(x)).numpy()
    assert np.abs(found - real).max() < 0.05 * np.abs(real).max()


def test_ids_beyond_the_table_are_its_ends() -> None:
    graph = network(11)
    beyond, ends = (np.full((1, TOKENS), v, np.float32) for v in (200, 10))
    assert torch.equal(run_float(graph, torch.from_numpy(beyond)), run_float(graph, torch.from_numpy(ends)))


def test_the_table_learns_in_integers() -> None:
    graph, x = network(300), texts(300)
    module = GraphModule(Quantize(4).annotate(graph, x))
    codes = module.forward_codes(torch.from_numpy(x[:8]))
    codes.square().sum().backward()
    table = next(p for p in module.parameters() if p.shape == (7, 300))
    assert table.grad is not None
    read = np.unique(x[:8].astype(int))
    assert torch.count_nonzero(table.grad[:, read]) > 0
    unread = np.setdiff1d(np.arange(300), read)
    assert torch.count_nonzero(table.grad[:, unread]) == 0
    frozen = freeze(module.graph())
    assert np.array_equal(codes.detach().numpy(), run_integers(frozen, input_codes(frozen, x[:8])))


def test_ids_on_another_grid_are_illegal() -> None:
    graph = Quantize()(network(11), texts(11))
    x = graph.tensors["x"]
    with pytest.raises(SpecError, match="x holds ids: it must be int8 with scale 1"):
        check(graph.with_tensors(replace(x, type=replace(x.type, scale=(0.5,)))), "integer")


def test_ids_read_as_numbers_are_illegal() -> None:
    graph = network(11)
    nodes = (*graph.nodes, Node("relu", Relu(), ("x",), "relu"))
    with pytest.raises(SpecError, match=r"relu .* reads ids as if they were numbers"):
        check(rebuild(replace(graph, outputs=("relu",)), nodes), "float")


def test_a_graph_knows_whether_it_reads_ids() -> None:
    assert ids_read(network(11)) == 11
    assert ids_read(rebuild(network(11), network(11).nodes[:0])) == 0


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (256, "int8 token ids 0..255 in (-128 for id 0, -127 for id 1), int8 numbers out"),
        (300, "int16 token ids 0..299 in (as they are), int8 numbers out"),
    ],
)
def test_header_and_manifest_say_that_ids_go_in(ids: int, said: str) -> None:
    graph = Quantize()(network(ids), texts(ids))
    assert said in write(graph).files["model.h"]
    written = json.loads(manifest(graph, {"name": "d", "core": "c"}, {}, {}))
    assert written["input"]["ids"] == ids
    assert "ids" not in written["output"]
