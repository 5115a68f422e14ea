"""Programs that remember: step by step the integers of the reference, on this computer and on emulated cores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pintsize import emulate
from pintsize.emulate import HostModel, compile_check, core, execute
from pintsize.emulate.build import build
from pintsize.errors import UserError
from pintsize.graph import Graph, Node, State, Tensor, TensorType
from pintsize.integers import run_integers
from pintsize.ops import (
    AveragePool2d,
    Conv2d,
    DepthwiseConv2d,
    Gru,
    Linear,
    Lstm,
    MaxPool2d,
    Relu,
    Reshape,
    Slide,
    Svdf,
)
from pintsize.passes.place_buffers import check_placement
from pintsize.passes.streaming import streamed
from pintsize.write.c import write
from pintsize.write.c.calls import Isa, isa_of
from tests.compiled import FLAGS, ManyModels, host_compiler, run_on_host, sanitizing
from tests.drawn import Sketch
from tests.streams import frames_with_a_pool, graphs_over_time, integers, recurrent_graphs, sketched

CORES = ("cortex-m0", "cortex-m4", "cortex-m55", "wasm32")
STEPS = 30


def signal_for(graph: Graph, steps: int = STEPS) -> np.ndarray:
    """Random codes of so many steps."""
    draw = np.random.default_rng(5)
    return draw.integers(-128, 128, (steps, *graph.type(graph.inputs[0]).shape)).astype(np.int8)


def flat(codes: np.ndarray) -> np.ndarray:
    return codes.reshape(len(codes), -1)


def steps_of_drawn(graph: Graph, hop: int) -> Graph:
    """The graph of steps, its padding and memories carried on; the example is left out where there is none."""
    try:
        return streamed(graph, hop, carry=True).graph
    except UserError:
        assume(False)
        raise


def memories() -> Graph:
    """Rings of several lengths, SVDF, LSTM and both GRUs in steps of 2."""
    s = Sketch(None, np.random.default_rng(1), {"x": (1, 24, 3)})  # type: ignore[arg-type]
    h = s.add(Conv2d((1, 1), (0, 0, 4, 0), (1, 2), "relu"), "x", *s.weights((5, 1, 3, 3), 0))
    h = s.add(DepthwiseConv2d((1, 1), (0, 0, 1, 1)), h, *s.weights((1, 3, 5), 2))
    h = s.add(MaxPool2d((1, 2), (1, 2)), h)
    h = s.add(Reshape((-1, 5)), h)
    h = s.add(Svdf(2), h, *s.numbers((6, 5), (6, 4), (3,)))
    h = s.add(Lstm(), h, *s.numbers((4, 4, 3), (4, 4, 4), (4, 4)))
    h = s.add(Gru(), h, *s.numbers((3, 3, 4), (3, 3, 3), (3, 3), (3, 3)))
    h = s.add(Gru(False), h, *s.numbers((3, 3, 3), (3, 3, 3), (3, 3), (3, 3)))
    s.add(Linear(), h, *s.weights((2, 3), 0))
    return streamed(integers(sketched(s, "memories")), 2, carry=True).graph


@pytest.fixture(scope="module")
def remembering() -> Graph:
    return memories()


# this computer


@settings(max_examples=6)
@given(
    st.one_of(graphs_over_time(padded=True), recurrent_graphs()),
    st.sampled_from([1, 2, 4]),
    st.booleans(),
    st.sampled_from(["portable", "avx2"]),
)
def test_c_gives_the_same_integers_step_by_step(graph: Graph, hop: int, reuse_io: bool, isa: Isa) -> None:
    steps = steps_of_drawn(graph, hop)
    program = write(steps, isa=isa, reuse_io=reuse_io)
    check_placement(program.plan.buffers, program.plan.placement, program.plan.overlaps)
    codes = signal_for(steps)
    assert np.array_equal(run_on_host(program.files, codes), flat(run_integers(steps, codes)))


def test_a_reset_forgets_and_a_long_signal_goes_round_the_rings(remembering: Graph) -> None:
    codes = signal_for(remembering, 150)
    wanted = flat(run_integers(remembering, codes))
    with HostModel(write(remembering).files, compiler=host_compiler()) as model:
        assert np.array_equal(model.run(codes.reshape(len(codes), -1)), wanted)
        assert np.array_equal(model.run(flat(codes[:7]), restart_every=7), wanted[:7])
        on = model.run(flat(codes[7:50]))
        assert np.array_equal(on, wanted[7:50])
        again = model.run(flat(np.concatenate([codes[:20], codes[:20]])), restart_every=20)
        assert np.array_equal(again, np.concatenate([wanted[:20], wanted[:20]]))


def test_sanitizers_find_nothing(remembering: Graph) -> None:
    codes = signal_for(remembering, 60)
    with HostModel(write(remembering).files, compiler=sanitizing(), sanitize=True) as model:
        assert np.array_equal(model.run(flat(codes)), flat(run_integers(remembering, codes)))


def test_no_warning_is_let_through(remembering: Graph) -> None:
    files = write(remembering, golden=(signal_for(remembering, 2), np.zeros((2, 1, 2), np.int8))).files
    assert compile_check(files, host_compiler(), flags=FLAGS) == ""


def test_the_header_says_what_is_remembered(remembering: Graph) -> None:
    program = write(remembering)
    kept = remembering.state_bytes
    assert program.state_bytes == kept > 0
    assert f"#define MODEL_STATE_BYTES {kept}\n" in program.files["model.h"]
    assert "void model_reset(void);" in program.files["model.h"]
    assert program.plan.arena_bytes >= kept


def test_a_graph_without_states_pays_nothing() -> None:
    relu = Graph(
        "relu", {n: Tensor(n, TensorType((4,), "int8", (0.1,))) for n in "xy"},
        (Node("relu", Relu(), ("x",), "y"),), ("x",), ("y",),
    )  # fmt: skip
    program = write(relu)
    assert program.state_bytes == 0
    assert not any("reset" in text.replace("to reset", "") for text in program.files.values())
    assert "STATE_BYTES" not in program.files["model.h"]


def test_a_state_that_is_the_output_too_is_kept_apart() -> None:
    kind = TensorType((4, 2), "int8", (0.1,), 3)
    tensors = {n: Tensor(n, kind) for n in ("ring", "y")}
    tensors["x"] = Tensor("x", TensorType((1, 2), "int8", (0.1,), 3))
    initial = np.arange(8, dtype=np.int8).reshape(4, 2)
    graph = Graph(
        "last four", tensors, (Node("slide", Slide(), ("ring", "x"), "y"),), ("x",), ("y",), (),
        (State("ring", "y", initial),),
    )  # fmt: skip
    codes = signal_for(graph)
    for reuse_io in (False, True):
        found = run_on_host(write(graph, reuse_io=reuse_io).files, codes)
        assert np.array_equal(found, flat(run_integers(graph, codes)))
    assert found[0].tolist() == [2, 3, 4, 5, 6, 7, *codes[0, 0].tolist()]


# other cores


def assert_core_agrees_after_a_reset_too(graph: Graph, name: str, reuse_io: bool) -> None:
    reason = emulate.can_run(name)
    if reason:
        pytest.skip(reason)
    codes = signal_for(graph)
    wanted = flat(run_integers(graph, codes))
    files = write(graph, isa=isa_of(name), reuse_io=reuse_io).files
    _, run = emulate.run(files, name, flat(np.concatenate([codes, codes])), count=False, restart_every=STEPS)
    assert np.array_equal(run.outputs, np.concatenate([wanted, wanted]))


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("reuse_io", [False, True])
def test_every_core_agrees(remembering: Graph, name: str, reuse_io: bool) -> None:
    assert_core_agrees_after_a_reset_too(remembering, name, reuse_io)


@pytest.mark.parametrize("name", ["host", *CORES])
def test_sums_of_frames_agree_on_every_core(name: str) -> None:
    assert_core_agrees_after_a_reset_too(streamed(frames_with_a_pool(), 3).graph, name, False)


@pytest.mark.parametrize("name", ["cortex-m0", "cortex-m4"])
@settings(max_examples=2)
@given(st.lists(st.tuples(graphs_over_time(padded=True), st.sampled_from([1, 2, 4])), min_size=5, max_size=5))
def test_drawn_streams_agree_on_emulated_cores(name: str, drawn: list[tuple[Graph, int]]) -> None:
    graphs: list[Graph] = []
    for graph, hop in drawn:
        try:
            graphs.append(streamed(graph, hop, carry=True).graph)
        except UserError:
            continue  # a stride that the hop does not fit
    assume(graphs)
    codes = [signal_for(g, 12) for g in graphs]
    many = ManyModels(graphs, isa=isa_of(name))
    found = many.run_on_core(core(name), codes)
    for graph, x, y in zip(graphs, codes, found, strict=True):
        assert np.array_equal(y, flat(run_integers(graph, x)))


def test_a_step_costs_a_part_of_the_window_on_a_core() -> None:
    s = Sketch(None, np.random.default_rng(1), {"x": (1, 40, 4)})  # type: ignore[arg-type]
    h = s.add(Conv2d((1, 1), (0, 0, 0, 0), (1, 1), "relu"), "x", *s.weights((8, 1, 3, 4), 0))
    h = s.add(Conv2d((1, 1), (0, 0, 0, 0), (1, 2), "relu"), h, *s.weights((8, 1, 3, 8), 0))
    h = s.add(AveragePool2d((1, 34), (1, 1)), h)
    s.add(Linear(), s.add(Reshape((-1,)), h), *s.weights((2, 8), 0))
    graph = integers(sketched(s))
    stream = streamed(graph, 1)
    counted: list[int] = []
    for one in (graph, stream.graph):
        program = build(write(one, isa="dsp").files, core("cortex-m4"))
        counted.append(execute(program, flat(signal_for(one, 1))).instructions or 0)
    assert counted[1] * 5 < counted[0]
