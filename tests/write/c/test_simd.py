"""The kernels for wasm SIMD, NEON and x86 against the reference: plain bodies, and where there are the instructions."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.emulate import HostModel, can_run, compile_check, wasm
from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.ops import Linear
from pintsize.write.c import write
from pintsize.write.c.calls import Isa, call_of
from pintsize.write.c.calls.wide import LAYOUTS, interleaved
from tests import arm64
from tests.compiled import FLAGS, ManyModels, host_compiler, run_on_host
from tests.drawn import random_codes
from tests.every_kernel import every_kernel
from tests.write.c.agreement import flat
from tests.write.c.chains import LAYERS, chains

ISAS: tuple[Isa, ...] = ("simd128", "neon", "avx2")
#: the byte products of later x86 cores, in the words of AVX2: this proves all around that one instruction
VNNI = """\
#include <immintrin.h>
#undef __AVX512VNNI__
#define __AVXVNNI__ 1
#define _mm256_dpbusd_avx_epi32 byte_products
static inline __m256i byte_products(__m256i sums, __m256i x, __m256i w)
{
    uint8_t a[32];
    int8_t b[32];
    int32_t s[8];
    _mm256_storeu_si256((__m256i *)(void *)a, x);
    _mm256_storeu_si256((__m256i *)(void *)b, w);
    _mm256_storeu_si256((__m256i *)(void *)s, sums);
    for (int i = 0; i < 32; i++) {
        s[i / 4] += a[i] * b[i];
    }
    return _mm256_loadu_si256((const __m256i *)(const void *)s);
}
"""


@cache
def why_no_avx2() -> str | None:
    cpu = Path("/proc/cpuinfo")
    if not (cpu.is_file() and " avx2 " in cpu.read_text()):
        return "this processor has no AVX2"
    return (
        None if any(shutil.which(name) for name in ("gcc", "clang")) else "neither gcc nor clang is installed"
    )


needs_avx2 = pytest.mark.skipif(why_no_avx2() is not None, reason=why_no_avx2() or "")
needs_wasm = pytest.mark.skipif(can_run("wasm32") is not None, reason=can_run("wasm32") or "")
needs_arm64 = pytest.mark.skipif(arm64.why_not() is not None, reason=arm64.why_not() or "")
needs_sanitizer = pytest.mark.skipif(
    not (shutil.which("clang") or shutil.which("gcc")), reason="no sanitizer"
)


def run_quickly_built(files: dict[str, str], codes: np.ndarray, *flags: str) -> np.ndarray:
    """Unoptimized, which takes a third of the time to compile."""
    with HostModel(files, compiler=host_compiler(), optimize="-O0", flags=flags) as model:
        return model.run(codes.reshape(len(codes), -1))


@pytest.mark.parametrize("isa", ISAS)
@settings(max_examples=5)
@given(graph=chains(narrow=True))
def test_the_plain_bodies_agree(isa: Isa, graph: Graph) -> None:
    codes = random_codes(graph, 4)
    files = write(graph, isa=isa, reuse_io=True).files
    assert np.array_equal(run_quickly_built(files, codes), flat(graph, codes))


@needs_avx2
@pytest.mark.parametrize("layer", LAYERS)
@settings(max_examples=2)
@given(data=st.data())
def test_layers_of_one_kind_agree_with_avx2(layer: str, data: st.DataObject) -> None:
    graph = data.draw(chains((layer,), largest=2, narrow=True))
    codes = random_codes(graph, 4)
    files = write(graph, isa="avx2", reuse_io=data.draw(st.booleans())).files
    with HostModel(files, compiler=host_compiler(), optimize="-O1", flags=("-mavx2",)) as model:
        assert np.array_equal(model.run(codes.reshape(len(codes), -1)), flat(graph, codes))


@needs_avx2
@settings(max_examples=4)
@given(chains(narrow=True))
def test_chains_agree_with_avx2_and_with_byte_products(graph: Graph) -> None:
    codes, files = random_codes(graph, 4), write(graph, isa="avx2", reuse_io=True).files
    wanted = flat(graph, codes)
    assert np.array_equal(run_quickly_built(files, codes, "-mavx2"), wanted)
    with_products = {**files, "model.c": VNNI + files["model.c"]}
    with_products["model.c"] = "#include <stdint.h>\n" + with_products["model.c"]
    assert np.array_equal(run_quickly_built(with_products, codes, "-mavx2"), wanted)


def assert_wasm_agrees(graphs: Sequence[Graph], features: tuple[str, ...]) -> None:
    models = ManyModels(graphs, isa="simd128", reuse_io=True)
    module = wasm.build(models.files, features=features, sources=models.sources)
    for i, graph in enumerate(graphs):
        codes = random_codes(graph, 3)
        wanted = flat(graph, codes)
        found = wasm.run(module, models.rows(i, codes)).outputs[:, : wanted.shape[1]]
        assert np.array_equal(found, wanted), [(n.op, graph.type(n.inputs[0])) for n in graph.nodes]


@needs_avx2
@pytest.mark.long
@settings(max_examples=30)
@given(chains(narrow=True))
def test_many_chains_agree_with_avx2(graph: Graph) -> None:
    codes = random_codes(graph, 4)
    files = write(graph, isa="avx2", reuse_io=True).files
    assert np.array_equal(run_quickly_built(files, codes, "-mavx2"), flat(graph, codes))


@needs_wasm
@settings(max_examples=1)
@given(graphs=st.lists(chains(narrow=True), min_size=10, max_size=10))
def test_chains_agree_in_wasm(graphs: list[Graph]) -> None:
    assert_wasm_agrees(graphs, ("simd128",))


@needs_wasm
@settings(max_examples=1)
@given(graphs=st.lists(chains(narrow=True), min_size=3, max_size=3))
def test_chains_agree_in_wasm_without_simd(graphs: list[Graph]) -> None:
    assert_wasm_agrees(graphs, ())


@needs_arm64
@pytest.mark.parametrize("cpu", ["cortex_a53", "cortex_a76"])
@settings(max_examples=1)
@given(graphs=st.lists(chains(narrow=True), min_size=6, max_size=6))
def test_chains_agree_on_arm64(cpu: str, graphs: list[Graph]) -> None:
    models = ManyModels(graphs, isa="neon", reuse_io=True)
    elf = arm64.compile_for(cpu, models.files, models.sources)
    for i, graph in enumerate(graphs):
        codes = random_codes(graph, 3)
        wanted = flat(graph, codes)
        found = arm64.run(elf, models.rows(i, codes), models.output_bytes)[:, : wanted.shape[1]]
        assert np.array_equal(found, wanted), [(n.op, graph.type(n.inputs[0])) for n in graph.nodes]


@needs_sanitizer
@pytest.mark.parametrize("isa", ISAS)
@settings(max_examples=1)
@given(graph=chains(narrow=True))
def test_the_plain_bodies_stay_in_bounds(isa: Isa, graph: Graph) -> None:
    codes = random_codes(graph, 4)
    with HostModel(write(graph, isa=isa).files, sanitize=True, optimize="-O0") as model:
        assert np.array_equal(model.run(codes.reshape(len(codes), -1)), flat(graph, codes))


@needs_avx2
@needs_sanitizer
@settings(max_examples=2)
@given(graph=chains(narrow=True))
def test_avx2_stays_in_bounds(graph: Graph) -> None:
    codes = random_codes(graph, 4)
    with HostModel(write(graph, isa="avx2").files, sanitize=True, flags=("-mavx2",), optimize="-O0") as model:
        assert np.array_equal(model.run(codes.reshape(len(codes), -1)), flat(graph, codes))


@pytest.mark.parametrize("isa", ISAS)
def test_no_warning_from_any_compiler(isa: Isa) -> None:
    files = write(every_kernel(), isa=isa).files
    assert compile_check(files, host_compiler(), flags=FLAGS) == ""
    if isa == "avx2" and why_no_avx2() is None:
        for flags in (("-mavx2",), ("-mavx2", "-mavx512vnni", "-mavx512vl")):
            assert compile_check(files, host_compiler(), flags=(*FLAGS, *flags)) == ""


@pytest.mark.parametrize("isa", ISAS)
def test_a_graph_of_every_kernel_takes_the_wide_ones(isa: Isa) -> None:
    graph = every_kernel()
    taken = {call_of(graph, node, isa).invocations[0].function for node in graph.nodes}
    assert {"wide_gathered", "wide_matrix", "wide_depthwise_conv2d", "wide_max_pool2d"} <= taken


@pytest.mark.parametrize(("bits", "run"), [(8, 4), (8, 2), (4, 4), (4, 2), (2, 4), (2, 2)])
def test_weights_can_be_read_back_from_their_layout(bits: int, run: int) -> None:
    most = {8: 127, 4: 7, 2: 1}[bits]
    weight = np.random.default_rng(0).integers(-most, most + 1, (11, 6)).astype(np.int8)
    packed = interleaved(weight, bits, run).view(np.uint8).astype(np.int64)
    blocks = packed.reshape(2, 8 // run, run * bits)
    fields = np.concatenate([(blocks >> (bits * f)) & ((1 << bits) - 1) for f in range(8 // bits)], -1)
    codes = (fields ^ (1 << (bits - 1))) - (1 << (bits - 1))
    again = codes.reshape(2, 8 // run, 8, run).transpose(0, 2, 1, 3).reshape(16, 8)
    assert np.array_equal(again[:11, :6], weight)
    assert not again[11:].any()
    assert not again[:, 6:].any()


def one_layer(scales: Sequence[float]) -> Graph:
    """A linear layer of 2 inputs whose outputs have these weight scales."""
    count = len(scales)
    tensors = (
        Tensor("x", TensorType((2,), "int8", (1.0,), 0)),
        Tensor("w", TensorType((count, 2), "int8", tuple(scales), 0, 0), np.full((count, 2), 100, np.int8)),
        Tensor("b", TensorType((count,), "int32", tuple(scales), 0, 0), np.arange(count, dtype=np.int32)),
        Tensor("y", TensorType((count,), "int8", (1.0,), 3)),
    )
    node = Node("layer", Linear(), ("x", "w", "b"), "y")
    return Graph("one layer", {t.name: t for t in tensors}, (node,), ("x",), ("y",))


@pytest.mark.parametrize(
    ("scales", "factors"),
    [
        ([1 / 300] * 9, 0),
        ([1 / 300, 1 / 3000] * 5, 1),
        ([1 / 300, 1e-12] * 5, 0),  # rounds to 0 whatever comes in
        ([1 / 300] * 8 + [0.9, 30.0], 2),  # no right shift
    ],
)
def test_outputs_of_all_sizes_share_a_shift_or_go_alone(scales: list[float], factors: int) -> None:
    graph = one_layer(scales)
    *_, found, _, _, _, _ = call_of(graph, graph.nodes[0], "avx2").invocations[0].literals
    assert found == factors
    codes = np.array([[a, b] for a in (-128, -1, 0, 3, 127) for b in (-128, 5, 127)], np.int8)
    for layout in LAYOUTS:
        isa: Isa = layout.isa  # type: ignore[assignment]
        assert np.array_equal(run_on_host(write(graph, isa=isa).files, codes), flat(graph, codes))
