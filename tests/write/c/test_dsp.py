"""DSP kernels against the reference: their plain bodies on the host, their assembler on emulated cores."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pintsize.compress.quantize import Bits, Quantize
from pintsize.emulate import HostModel, build, compile_check, core, execute
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import Add, Conv2d, DepthwiseConv2d, Linear
from pintsize.write.c import CProgram, write
from pintsize.write.c.calls.dsp_factors import (
    BRIEF,
    LARGEST_SHIFT,
    _Channel,
    agree,
    computed,
    constant_codes,
    factors,
    is_proven,
    reference,
)
from pintsize.write.c.calls.dsp_overlap import distance
from pintsize.write.c.calls.dsp_products import SCALES
from tests.compiled import FLAGS, ManyModels, host_compiler, run_on_host
from tests.drawn import random_codes
from tests.every_kernel import every_kernel
from tests.examples import constant
from tests.write.c.agreement import flat
from tests.write.c.chains import SHAPES, Layers, a_chain, chains

M4 = core("cortex-m4")
CORES = ("cortex-m4", "cortex-m7", "cortex-m33")
SAME = (1, 1, 1, 1)
MODELS = Path(__file__).parents[4] / "shared" / "data" / "mlperf_tiny_reference"


# layers of every shape class

CONV = Conv2d(padding=SAME)
DEPTHWISE = DepthwiseConv2d(padding=SAME)
CASES: dict[str, tuple[Layers, tuple[int, ...], str]] = {
    "pointwise": (((Conv2d(), (16, 1, 1, 8)), (Conv2d(), (16, 1, 1, 16))), (5, 5, 8), "dsp_pointwise"),
    "pointwise of many inputs": (((Conv2d(), (6, 1, 1, 136)),), (2, 4, 136), "dsp_pointwise"),
    "pointwise, odd": (((Conv2d(), (7, 1, 1, 24)), (Conv2d(), (1, 1, 1, 7))), (3, 3, 24), "dsp_window"),
    "strided pointwise": (((Conv2d((2, 2)), (9, 1, 1, 8)),), (7, 6, 8), "dsp_window"),
    "three channels": (((Conv2d((2, 2), (0, 1, 0, 1)), (8, 3, 3, 3)),), (10, 9, 3), "dsp_window"),
    "one channel": (((Conv2d((2, 2), (4, 5, 1, 1)), (6, 10, 4, 1)),), (21, 10, 1), "dsp_window"),
    "few channels, dilated": (((Conv2d((1, 1), (2, 1, 2, 0), (2, 2)), (5, 3, 2, 3)),), (8, 7, 3), "dsp_window"),
    "ring": (((CONV, (8, 3, 3, 8)), (CONV, (12, 3, 3, 8))), (7, 6, 8), "dsp_ring_window"),
    "ring, stride 2": (((Conv2d((2, 2), (0, 1, 0, 1)), (7, 3, 3, 12)),), (9, 8, 12), "dsp_ring_window"),
    "ring, dilated": (((Conv2d((2, 1), (1, 0, 2, 1), (2, 2)), (5, 2, 3, 8)),), (9, 8, 8), "dsp_ring_window"),
    "ring, cut right": (((Conv2d((2, 3)), (5, 2, 2, 4)),), (6, 9, 4), "dsp_ring_window"),
    "depthwise": (((DEPTHWISE, (3, 3, 10)), (DEPTHWISE, (3, 3, 10))), (5, 6, 10), "dsp_depthwise"),
    "depthwise, odd": (((DEPTHWISE, (3, 3, 9)), (DepthwiseConv2d(), (3, 3, 9))), (5, 7, 9), "dsp_depthwise"),
    "depthwise, narrow": (((DEPTHWISE, (3, 3, 8)),), (4, 1, 8), "dsp_depthwise"),
    "depthwise, stride 2": (
        ((DepthwiseConv2d((2, 2), (0, 1, 0, 1)), (3, 3, 6)),), (18, 20, 6), "dsp_depthwise"),
    "depthwise in bands": (((DEPTHWISE, (3, 3, 3)),), (20, 17, 3), "dsp_depthwise"),
    "depthwise, any": (
        ((DepthwiseConv2d((1, 2), (1, 0, 2, 1), (1, 2)), (2, 3, 9)),), (9, 11, 9), "dsp_depthwise_any"),
    "linear": (((Linear(), (33, 30)), (Linear(), (5, 33))), (30,), "dsp_linear"),
    "linear by rows": (((Linear(), (33, 32)), (Linear(), (5, 33))), (4, 32), "dsp_pointwise"),
}  # fmt: skip
ZERO_POINTS = {"rectified": (-128,), "signed": (5, -100), "both": (-128, 17)}


def graphs_of(case: str, bits: int) -> list[Graph]:
    layers, shape, _ = CASES[case]
    return [a_chain(layers, shape, bits, points) for points in ZERO_POINTS.values()]


def assert_host_agrees(graph: Graph, reuse_io: bool) -> None:
    codes = random_codes(graph, 5)
    found = run_on_host(write(graph, isa="dsp", reuse_io=reuse_io).files, codes)
    assert np.array_equal(found, flat(graph, codes))


def assert_core_agrees(graphs: list[Graph], name: str = "cortex-m4", reuse_io: bool = True) -> None:
    models = ManyModels(graphs, isa="dsp", reuse_io=reuse_io)
    codes = [random_codes(g, 4) for g in graphs]
    for g, x, y in zip(graphs, codes, models.run_on_core(core(name), codes), strict=True):
        assert np.array_equal(y, flat(g, x)), [(n.op, g.type(n.inputs[0]), g.type(n.output)) for n in g.nodes]


@pytest.mark.parametrize("case", CASES)
def test_the_kernel_meant_is_taken(case: str) -> None:
    layers, shape, kernel = CASES[case]
    assert re.search(rf"\b{kernel}\(x0, y", write(a_chain(layers, shape), isa="dsp").files["model.c"])


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_every_case_agrees_on_the_core(bits: int) -> None:
    assert_core_agrees([graphs_of(case, bits)[2] for case in CASES])


def test_sanitizers_find_nothing_and_every_case_agrees_on_the_host() -> None:
    graphs = [graphs_of(case, (8, 4, 2)[i % 3])[1 + i % 2] for i, case in enumerate(CASES)]
    if host_compiler() == "zig":
        pytest.skip("the sanitizers need gcc or clang")
    models = ManyModels(graphs, isa="dsp", reuse_io=True)
    codes = [random_codes(g, 3) for g in graphs]
    rows = np.concatenate([models.rows(i, x) for i, x in enumerate(codes)])
    with HostModel(
        models.files, compiler=host_compiler(), sanitize=True, optimize="-O1", sources=models.sources
    ) as model:
        outputs = np.split(model.run(rows), len(graphs))
    for graph, x, y in zip(graphs, codes, outputs, strict=True):
        expected = flat(graph, x)
        assert np.array_equal(y[:, : expected.shape[1]], expected), graph.nodes


@pytest.mark.long
@pytest.mark.parametrize("name", CORES[1:])
def test_the_other_cores_agree(name: str) -> None:
    assert_core_agrees([graphs_of(case, 8)[2] for case in CASES], name, reuse_io=False)


def test_outputs_without_weights_cost_nothing() -> None:
    layers: Layers = ((Conv2d(activation="relu6"), (32, 1, 1, 16)), (Conv2d(), (24, 1, 1, 32)))
    graphs = [a_chain(layers, (5, 5, 16), bits, (-128, 9), dead) for bits in (8, 4) for dead in (0.0, 0.6)]
    assert_core_agrees(graphs)
    for graph in graphs:
        assert_host_agrees(graph, reuse_io=False)
    dense, sparse = (write(g, isa="dsp") for g in graphs[:2])
    assert "dsp_some_outputs(" in sparse.files["model.c"]
    assert sum(sparse.constant_bytes) < 0.7 * sum(dense.constant_bytes)


def test_constant_codes_are_the_references() -> None:
    graph = a_chain(((Conv2d(activation="relu6"), (9, 1, 1, 4)),), (1, 1, 4), 8, (-20,), dead=1)
    expected = flat(graph, random_codes(graph, 2))
    assert np.array_equal(constant_codes(graph, graph.nodes[0]), expected[0])


def residual(first: int, second: int, shape: tuple[int, ...], activation: str) -> Graph:
    """x + (a rectified x), on three different grids."""
    head = a_chain(((Conv2d(), (shape[2], 1, 1, shape[2])),), shape, zero_points=(first,))
    y = Tensor("y", TensorType(shape, "int8", (0.08,), second))
    node = Node("sum", Add(activation), ("t0", "x"), "y")  # type: ignore[arg-type]
    return Graph("residual", {**head.tensors, "y": y}, (*head.nodes, node), ("x",), ("y",))


def test_sums_agree() -> None:
    cases = [(4, -128, "relu"), (-128, 30, "none"), (0, -5, "relu6")]
    graphs = [residual(*case[:2], (8, 8, 20), case[2]) for case in cases]
    assert "dsp_add(" in write(graphs[0], isa="dsp").files["model.c"]
    assert_core_agrees(graphs)
    for graph in graphs:
        assert_host_agrees(graph, reuse_io=True)


# chains of anything


@settings(max_examples=15)
@given(chains(narrow=True), st.booleans())
def test_drawn_chains_agree_on_the_host(graph: Graph, reuse_io: bool) -> None:
    assert_host_agrees(graph, reuse_io)


@pytest.mark.parametrize("layers", SHAPES)
@settings(max_examples=1, phases=[Phase.generate])
@given(st.data())
def test_drawn_layers_agree_on_the_core(layers: tuple[str, ...], data: st.DataObject) -> None:
    assert_core_agrees([data.draw(chains(layers, largest=3, narrow=True)) for _ in range(6)])


@pytest.mark.long
@settings(max_examples=10)
@given(st.lists(chains(narrow=True), min_size=12, max_size=12), st.sampled_from(CORES))
def test_drawn_chains_agree_on_the_cores(graphs: list[Graph], name: str) -> None:
    assert_core_agrees(graphs, name)


def test_the_graph_of_every_kernel_agrees_on_the_core() -> None:
    assert_core_agrees([every_kernel()])


# no warnings


def test_no_warning_from_any_compiler() -> None:
    layers: Layers = (
        (CONV, (8, 3, 3, 3)),
        (CONV, (8, 3, 3, 8)),
        (DEPTHWISE, (3, 3, 8)),
        (Conv2d(), (8, 1, 1, 8)),
    )
    for files in (write(every_kernel(), isa="dsp").files, write(a_chain(layers, (6, 6, 3)), isa="dsp").files):
        assert compile_check(files, host_compiler(), flags=FLAGS) == ""
        for name in ("cortex-m0", *CORES, "riscv32"):
            assert compile_check(files, "zig", core(name), FLAGS) == ""


# channels


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_quantized_channels_take_three_or_four_bytes(bits: Bits) -> None:
    """Beside the weights, where a scale has few bits and the sums fit."""
    rng = np.random.default_rng(bits)
    weight, bias = rng.normal(0, 0.2, (12, 1, 1, 16)), rng.normal(0, 0.5, 12)
    weight[3] *= 1e-4
    weight[7] = 0
    constants = {"w": constant("w", weight), "b": constant("b", bias)}
    node = Node("conv", Conv2d(activation="relu"), ("x", "w", "b"), "y")
    floats = rebuild(
        Graph("conv", {"x": Tensor("x", TensorType((5, 5, 16)))}, (), ("x",), ("y",)), [node], constants
    )
    graph = Quantize(bits)(floats, rng.uniform(-1, 1, (20, 5, 5, 16)).astype(np.float32))
    told = factors(graph, graph.nodes[0], 0, (SCALES[bits],))
    assert told is not None
    assert told.told[0] & 3 == BRIEF
    assert len(told.channels) == (4 * 12 if bits == 8 else 3 * 12 + 1)
    codes = random_codes(graph, 20)
    program = build(write(graph, isa="dsp").files, M4)
    assert np.array_equal(execute(program, codes, count=False).outputs, flat(graph, codes))


# rounding


@pytest.mark.parametrize("scale", [2, 5, 8, 12, 14])
def test_rounding_is_the_references_near_every_tie(scale: int) -> None:
    """All sums within 3 of where the code changes, and random ones, for shifts that are proven."""
    rng = np.random.default_rng(scale)
    for shift in range(2 - scale, LARGEST_SHIFT + 2 - scale):
        assert is_proven(shift, scale)
        for multiplier in (1 << 30, (1 << 31) - 1, *rng.integers(1 << 30, 1 << 31, 3).tolist()):
            channel = _Channel(0, multiplier, shift, 0, 0, 0)
            with_negatives = ((0, True), (-128, True), (127, True), (-37, True)) if shift > 0 else ()
            for zero_point, negatives in ((-128, False), *with_negatives):
                wanted = reference(channel, zero_point)
                found = computed(channel, zero_point, scale, negatives)
                steps = rng.integers(-260, 260, 20) + 0.5
                ties = np.round(steps * 2.0 ** (31 + shift) / multiplier).astype(np.int64)
                sums = (ties[:, None] + np.arange(-3, 4)).reshape(-1)
                inside = [int(s) for s in sums if abs(int(s)) << scale < 1 << 31]
                assert [found(s) for s in inside] == [wanted(s) for s in inside]


@given(st.integers(-1000, 1000), st.integers(0, 2000), st.integers(-1000, 1000), st.integers(0, 3))
def test_agree_sees_every_difference(low: int, extent: int, at: int, width: int) -> None:
    def f(x: int) -> int:
        return x // 10

    def g(x: int) -> int:
        return x // 10 + (1 if at <= x < at + width and (x + width) // 10 > x // 10 else 0)

    high = low + extent
    never_falls = all(g(x) <= g(x + 1) for x in range(low, high))
    same = all(f(x) == g(x) for x in range(low, high + 1))
    assert not never_falls or agree(f, g, low, high) == same


def test_a_tiny_factor_and_a_huge_bias_stay_exact() -> None:
    """As trained models have them: outputs that never leave a code or two."""
    for zero_point in (-128, 5):
        graph = a_chain(((DEPTHWISE, (3, 3, 8)),), (5, 5, 8), zero_points=(zero_point,))
        weight, bias = graph.tensors["w0"], graph.tensors["b0"]
        factor = np.array([1e-6, 3e-6, 1e-5, 1e-4, 1e-3, 1, 1, 1])
        scale = tuple(float(np.float32(s * f)) for s, f in zip(weight.type.scale, factor, strict=True))
        codes = np.array([99_000_000, -26_000_000, 9_000_000, 500_000, 3, 4, 5, 6], np.int32)
        kind = TensorType(weight.type.shape, "int8", scale, 0, 2)
        graph = graph.with_tensors(Tensor("w0", kind, weight.data), Tensor("b0", bias.type, codes))
        assert_core_agrees([graph])


# memory


def test_the_distance_is_the_largest_overrun() -> None:
    assert distance([(10, 4), (20, 18), (30, 25)]) == 6
    assert distance([(10, 40)]) < 0


def test_layers_run_over_their_input() -> None:
    """A whole depthwise-separable stage: one tensor, and what the hungriest kernel works on."""
    layers: Layers = (
        (Conv2d(), (32, 1, 1, 16)),
        (DEPTHWISE, (3, 3, 32)),
        (Conv2d(), (32, 1, 1, 32)),
        (CONV, (16, 3, 3, 32)),
    )
    graph = a_chain(layers, (12, 12, 16))
    plan = write(graph, isa="dsp", reuse_io=True).plan
    scratch = max(b.bytes for b in plan.buffers if b.name in plan.scratch.values())
    assert plan.arena_bytes <= 12 * 12 * 32 + scratch
    assert_core_agrees([graph])


def test_the_stack_stays_small() -> None:
    graph = a_chain(CASES["ring"][0], CASES["ring"][1])
    program = build(write(graph, isa="dsp").files, M4)
    assert (execute(program, random_codes(graph, 2)).stack_bytes or 0) < 500


# speed, counted


def instructions(graph: Graph, isa: str = "dsp") -> int:
    program = build(write(graph, isa=isa, reuse_io=True).files, M4)  # type: ignore[arg-type]
    return execute(program, random_codes(graph, 2)).instructions or 0


@pytest.mark.parametrize("case", [
    (((Conv2d(), (64, 1, 1, 64)),), (6, 6, 64)), (((CONV, (32, 3, 3, 16)),), (9, 9, 16)),
    (((Linear(), (128, 256)),), (256,)),
])  # fmt: skip
def test_weights_of_4_bits_take_half_the_flash_and_hardly_more_instructions(
    case: tuple[Layers, tuple[int, ...]],
) -> None:
    wide, narrow, narrowest = (a_chain(*case, bits=bits) for bits in (8, 4, 2))
    assert instructions(narrow) <= 1.15 * instructions(wide)
    assert instructions(narrowest) <= 1.15 * instructions(wide)
    weights = [len(write(g, isa="dsp").files["model_weights.c"]) for g in (wide, narrow, narrowest)]
    assert weights[1] < 0.6 * weights[0]
    assert weights[2] < 0.4 * weights[0]


WIDE = a_chain(
    ((CONV, (12, 3, 3, 3)), (Conv2d(), (16, 1, 1, 12)), (CONV, (9, 3, 3, 16)), (Linear(), (5, 9))), (6, 7, 3)
)


def with_wide_weights(graph: Graph) -> CProgram:
    return write(graph, isa="dsp", reuse_io=True, spare_flash_bytes=100_000)


def test_wide_weights_agree_and_take_fewer_instructions() -> None:
    codes, wide = random_codes(WIDE, 4), with_wide_weights(WIDE)
    assert wide.files["model.c"].count(" 16") > 0
    assert np.array_equal(run_on_host(wide.files, codes), flat(WIDE, codes))
    found = execute(build(wide.files, M4), codes.reshape(len(codes), -1))
    assert np.array_equal(found.outputs, flat(WIDE, codes))
    assert (found.instructions or 0) < 0.95 * instructions(WIDE)


@settings(max_examples=5)
@given(chains())
def test_drawn_chains_with_wide_weights_agree_on_the_host(graph: Graph) -> None:
    codes = random_codes(graph, 3)
    assert np.array_equal(run_on_host(with_wide_weights(graph).files, codes), flat(graph, codes))


@pytest.mark.parametrize("spare", [0, 3_000, 6_000, 7_000])
def test_wide_weights_take_no_more_flash_than_may_be_spent(spare: int) -> None:
    wide = write(WIDE, isa="dsp", reuse_io=True, spare_flash_bytes=spare)
    least = build(write(WIDE, isa="dsp", reuse_io=True).files, M4).flash_bytes
    assert build(wide.files, M4).flash_bytes <= least + spare


def test_layers_take_far_fewer_instructions_than_portable_c() -> None:
    graph = a_chain(((Conv2d(), (32, 1, 1, 32)), (DEPTHWISE, (3, 3, 32))), (6, 6, 32))
    assert instructions(graph) * 2 < instructions(graph, "portable")


LIMITS = {
    "kws_ref_model": (3.3e6, 34_000, 10_500), "vww_96_int8": (10e6, 232_000, 48_000),
    "pretrainedResnet_quant": (12.8e6, 88_000, 40_000), "ad01_int8": (0.4e6, 278_000, 2_400),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_the_reference_models_stay_within_their_budgets(name: str) -> None:
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"the MLPerf Tiny reference models are not at {MODELS}")
    from pintsize.read.tflite import read_tflite

    graph = read_tflite(path)
    codes = random_codes(graph, 3)
    program = build(write(graph, isa="dsp", reuse_io=True).files, M4)
    run = execute(program, codes)
    assert np.array_equal(run.outputs, flat(graph, codes))
    most_instructions, most_flash, most_ram = LIMITS[name]
    assert (run.instructions or 0) <= most_instructions
    assert program.flash_bytes <= most_flash
    assert program.ram_bytes + (run.stack_bytes or 0) <= most_ram
