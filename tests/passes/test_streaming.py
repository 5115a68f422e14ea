"""Streams: each step's integers are those of its window run anew, or of the whole signal where memories carry on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pintsize import frontend
from pintsize.compress.quantize import Quantize
from pintsize.errors import UserError
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.integers import Steps, run_integers, run_steps
from pintsize.ops import (
    Add,
    AveragePool2d,
    Conv2d,
    Gru,
    Linear,
    Matmul,
    Mul,
    Reshape,
    ResizeNearest,
    Sigmoid,
    Slice,
    Softmax,
)
from pintsize.ops.slice import OPEN
from pintsize.passes.streaming import Streamed, streamed
from tests.examples import constant
from tests.streams import (
    after_silence,
    frames_with_a_pool,
    graphs_over_time,
    integers,
    of_length,
    recurrent_graphs,
    run_around,
    run_windows,
    signal_of,
    steps_of,
)

HOPS = st.sampled_from([1, 2, 2, 3, 4])
#: why a drawn graph may rightly be refused
REFUSED = (
    "the hop must be a multiple",
    "the window's edge",
    "columns of different lengths",
    "not in the window",
)


def streamed_or_not(graph: Graph, hop: int, carry: bool = False) -> Streamed:
    """The example is left out where the graph is refused for a reason that it may have; any other is raised."""
    try:
        return streamed(graph, hop, carry)
    except UserError as error:
        assume(not any(reason in str(error) for reason in REFUSED))
        raise


def assert_steps_are_windows(graph: Graph, hop: int, stream: Streamed, steps: int = 14) -> None:
    signal = signal_of(graph, hop * steps)
    found = run_integers(stream.graph, steps_of(graph, signal, hop))
    wanted = run_windows(graph, signal, stream)
    assert found.shape == wanted.shape
    assert np.array_equal(found, wanted)


# drawn


@settings(max_examples=25)
@given(graphs_over_time(padded=False), HOPS)
def test_steps_give_the_integers_of_windows_from_the_first_on(graph: Graph, hop: int) -> None:
    assert_steps_are_windows(graph, hop, streamed_or_not(graph, hop))


@settings(max_examples=25)
@given(graphs_over_time(padded=True), HOPS)
def test_padding_is_refused_or_does_not_show(graph: Graph, hop: int) -> None:
    assert_steps_are_windows(graph, hop, streamed_or_not(graph, hop))


@settings(max_examples=25)
@given(graphs_over_time(padded=True, head=False), HOPS)
def test_carried_padding_gives_the_integers_of_the_signal_around_the_window(graph: Graph, hop: int) -> None:
    stream = streamed_or_not(graph, hop, carry=True)
    assume(stream.output_columns is not None)
    signal = signal_of(graph, hop * 14)
    found = run_integers(stream.graph, steps_of(graph, signal, hop))
    assert np.array_equal(found, run_around(graph, signal, stream))


@settings(max_examples=10)
@given(recurrent_graphs(), HOPS)
def test_carried_memories_give_the_integers_of_one_run_over_all_of_the_signal(graph: Graph, hop: int) -> None:
    stream = streamed_or_not(graph, hop, carry=True)
    signal = signal_of(graph, hop * 14)
    found = run_integers(stream.graph, steps_of(graph, signal, hop))
    known = after_silence(graph, signal, stream.lead)
    whole = run_integers(of_length(graph, known.shape[1]), known[None])[0]
    columns = found.reshape(-1, found.shape[-1])
    assert np.array_equal(columns, whole[: len(columns)])


# by hand


def tcn(padding: int = 0, head: bool = True) -> Graph:
    """Three dilated layers with residuals over 32 columns of 3, then perhaps a pool and a classifier."""
    draw = np.random.default_rng(3)
    constants: dict[str, Tensor] = {}
    nodes: list[Node] = []
    x = "x"
    for index, dilation in enumerate((1, 2, 4)):
        names = [f"w{index}", f"b{index}"]
        constants |= {
            names[0]: constant(names[0], draw.normal(0, 0.4, (3, 1, 3, 3))),
            names[1]: constant(names[1], draw.normal(0, 0.2, 3)),
        }
        around = (0, 0, padding * dilation, padding * dilation)
        op = Conv2d((1, 1), around, (1, dilation), "relu")
        nodes.append(Node(f"conv{index}", op, (x, *names), f"conv{index}"))
        if not padding:
            begin = (0, dilation)
            end = (OPEN, -dilation)
            nodes.append(Node(f"cut{index}", Slice(begin, end, (1, 1)), (x,), f"cut{index}"))
            x = f"cut{index}"
        nodes.append(Node(f"sum{index}", Add(), (f"conv{index}", x), f"sum{index}"))
        x = f"sum{index}"
    if head:
        columns = 32 if padding else 18
        constants |= {"v": constant("v", draw.normal(0, 1, (4, 3))), "c": constant("c", np.zeros(4))}
        nodes += [
            Node("pool", AveragePool2d((1, columns), (1, 1)), (x,), "pool"),
            Node("flat", Reshape(), ("pool",), "flat"),
            Node("classify", Linear(), ("flat", "v", "c"), "classify"),
            Node("y", Softmax(), ("classify",), "y"),
        ]
        x = "y"
    graph = Graph("tcn", {"x": Tensor("x", TensorType((1, 32, 3)))}, (), ("x",), (x,))
    return integers(rebuild(graph, nodes, constants))


def test_a_long_signal_goes_round_the_rings_many_times() -> None:
    graph = tcn()
    assert_steps_are_windows(graph, 2, streamed(graph, 2), steps=80)


def test_the_saving_is_counted() -> None:
    stream = streamed(tcn(), 2)
    # per column each layer has 3·3·3 products; the classifier 12 once
    assert stream.window_macs == 27 * (30 + 26 + 18) + 12
    assert stream.step_macs == 27 * (2 + 2 + 2) + 12
    assert stream.macs_per_second(100.0) == (stream.window_macs * 50.0, stream.step_macs * 50.0)


def test_rings_hold_what_is_read_and_no_more() -> None:
    stream = streamed(tcn(), 2)
    held = {s.tensor: stream.graph.type(s.tensor).shape for s in stream.graph.states}
    # a layer with dilation d reads 2·d columns beside its 2 new ones; the pool reads 18
    assert held == {
        "x.ring": (1, 4, 3), "sum0.ring": (1, 6, 3), "sum1.ring": (1, 10, 3), "sum2.ring": (1, 18, 3),
    }  # fmt: skip
    assert stream.graph.state_bytes == 3 * (4 + 6 + 10 + 18)


@pytest.mark.parametrize("hop", [1, 3, 12])
def test_a_pool_over_frames_remembers_a_sum_per_frame(hop: int) -> None:
    graph = frames_with_a_pool()
    stream = streamed(graph, hop)
    kinds = [stream.graph.type(s.tensor) for s in stream.graph.states]
    assert [(k.shape, k.dtype) for k in kinds[1:]] == [((12, 5), "int16"), ((5,), "int32")]
    assert_steps_are_windows(graph, hop, stream, steps=40)


def test_states_begin_as_silence_leaves_them() -> None:
    stream = streamed(tcn(), 2)
    silence = np.full((40, 1, 2, 3), stream.graph.type("x").zero_point, np.int8)
    steps = Steps(stream.graph)
    before = steps.states
    for codes in silence:
        steps.step(codes[None])
    assert all(np.array_equal(before[name], codes) for name, codes in steps.states.items())
    assert before["sum2.ring"].std() > 0  # the biases speak: it is not all zeros


def test_the_answer_of_padded_layers_waits_for_what_padding_stood_for() -> None:
    graph = tcn(padding=1)
    stream = streamed(graph, 2, carry=True)
    assert stream.delay == 1 + 2 + 4
    assert stream.output_columns is None
    # the pool's columns are those of the layers run over the signal all around
    body = streamed(tcn(padding=1, head=False), 2, carry=True)
    signal = signal_of(graph, 120)
    steps = steps_of(graph, signal, 2)
    columns = run_integers(body.graph, steps)[:, 0].reshape(-1, 3)
    answers = run_integers(stream.graph, steps)
    pooled = run_integers(head_of(graph), np.stack([columns[i : i + 32][None] for i in range(0, 80, 2)]))
    assert np.array_equal(answers[15 : 15 + 40], pooled)


def head_of(graph: Graph) -> Graph:
    """The nodes from the pool on, over what the last layer gives."""
    nodes = graph.nodes[-4:]
    names = {n for node in nodes for n in (*node.inputs, node.output)}
    return Graph(
        "head",
        {n: graph.tensors[n] for n in graph.tensors if n in names},
        nodes,
        (nodes[0].inputs[0],),
        ("y",),
    )


def test_an_answer_for_every_column_needs_no_carrying_where_the_edge_is_not_reached() -> None:
    graph = tcn(padding=1, head=False)
    stream = streamed(graph, 2)
    assert stream.output_columns == (32 - 7 - 2, 32 - 7)
    assert_steps_are_windows(graph, 2, stream, steps=40)


def test_many_signals_run_side_by_side() -> None:
    stream = streamed(tcn(), 2)
    signals = np.random.default_rng(0).integers(-128, 128, (5, 20, 1, 2, 3)).astype(np.int8)
    together = run_steps(stream.graph, signals)
    assert np.array_equal(together, np.stack([run_integers(stream.graph, one) for one in signals]))


def test_a_reset_forgets() -> None:
    stream = streamed(tcn(), 2)
    codes = np.random.default_rng(0).integers(-128, 128, (20, 1, 2, 3)).astype(np.int8)
    steps = Steps(stream.graph)
    first = [steps.step(x[None]) for x in codes]
    steps.reset()
    assert np.array_equal(first, [steps.step(x[None]) for x in codes])
    assert not np.array_equal(first, [steps.step(x[None]) for x in codes])


def test_samples_go_through_the_front_end_in_steps() -> None:
    """Raw samples → log-mel frames → convolutions over time: overlapping frames are states as well."""
    front = frontend.log_mel(8000, 0.4, mels=8)
    frames, mels = front.type(front.outputs[0]).shape
    draw = np.random.default_rng(0)
    constants = {
        "w": constant("w", draw.normal(0, 0.2, (4, 3, mels, 1))), "b": constant("b", draw.normal(0, 0.1, 4)),
        "v": constant("v", draw.normal(0, 1, (2, 4))), "c": constant("c", np.zeros(2)),
    }  # fmt: skip
    nodes = [
        Node("conv", Conv2d(activation="relu"), ("x", "w", "b"), "h"),
        Node("pool", AveragePool2d((frames - 2, 1), (1, 1)), ("h",), "p"),
        Node("flat", Reshape(), ("p",), "f"),
        Node("classify", Linear(), ("f", "v", "c"), "y"),
    ]
    x = Tensor("x", TensorType((frames, mels, 1)))
    model = rebuild(Graph("model", {"x": x}, (), ("x",), ("y",)), nodes, constants)
    samples = draw.integers(-8000, 8000, (8, 3200)).astype(np.int16)
    graph = frontend.chain(front, Quantize()(model, frontend.features(front, samples)[..., None]))
    hop = 160
    stream = streamed(graph, hop)
    signal = draw.integers(-8000, 8000, 30 * hop).astype(np.int16)
    known = np.concatenate([np.zeros(3200, np.int16), signal])
    windows = [known[3200 + e - 3200 : 3200 + e] for e in range(hop, len(signal) + 1, hop)]
    found = run_integers(stream.graph, signal.reshape(-1, hop))
    assert np.array_equal(found, run_integers(graph, np.stack(windows)))
    assert stream.step_macs * 8 < stream.window_macs


# refused


def refusal(graph: Graph, hop: int = 1, **options: bool) -> str:
    with pytest.raises(UserError) as caught:
        streamed(graph, hop, **options)
    return str(caught.value)


def one(*nodes: Node, columns: int = 6) -> Graph:
    """Of (columns, 2); weights of two layers are there."""
    draw = np.random.default_rng(0)
    shapes = {"w": (2, 2), "b": (2,), "gw": (2, 3, 2), "gr": (2, 3, 2), "gb": (2, 3), "gd": (2, 3)}
    constants = {name: constant(name, draw.normal(0, 0.5, shape)) for name, shape in shapes.items()}
    graph = Graph("one", {"x": Tensor("x", TensorType((columns, 2)))}, (), ("x",), (nodes[-1].output,))
    return integers(rebuild(graph, nodes, constants))


def test_the_layer_whose_padding_shows_is_named_with_the_fix() -> None:
    said = refusal(tcn(padding=1))
    assert (
        "pool (average_pool2d): what it reads shows the window's edge, by conv0 (conv2d); conv1 (conv2d)"
        in said
    )
    assert "take the padding along time out of these layers" in said
    assert "--carry" in said


def test_a_recurrent_layer_must_be_told_to_carry() -> None:
    graph = one(Node("gru", Gru(), ("x", "gw", "gr", "gb", "gd"), "y"))
    assert "the window's edge, by gru (gru)" in refusal(graph)
    assert streamed(graph, 2, carry=True).graph.nodes[0].carried == ("y.memory0",)


def test_all_layers_that_cannot_stream_are_listed() -> None:
    graph = one(
        Node("image", Reshape((6, 2, 1)), ("x",), "i"),
        Node("larger", ResizeNearest((12, 2)), ("i",), "l"),
        Node("likeness", Matmul(transposed_b=True), ("x", "x"), "m"),
        Node("flat", Reshape((12, 2)), ("l",), "f"),
        Node("mixed", Matmul(), ("m", "x"), "n"),
        Node("wide", Slice((0, 0), (6, 2), (1, 1)), ("f",), "s"),
        Node("sum", Add(), ("s", "n"), "y"),
    )
    said = refusal(graph)
    assert "larger (resize_nearest): resize_nearest looks at the whole window at once" in said
    assert "likeness (matmul): matmul looks at the whole window at once" in said
    assert said.count("\n") == 2  # what comes behind them is not blamed


def test_a_gate_of_the_whole_window_is_refused() -> None:
    graph = one(
        Node("image", Reshape((1, 6, 2)), ("x",), "i"),
        Node("pool", AveragePool2d((1, 6), (1, 1)), ("i",), "p"),
        Node("gate", Sigmoid(), ("p",), "g"),
        Node("gated", Mul(), ("i", "g"), "y"),
    )
    assert "gated (mul): it combines what goes on in time with what is said of the whole window" in refusal(
        graph
    )


def test_the_hop_must_fit_strides_and_the_window() -> None:
    graph = one(
        Node("half", Slice((0,), (OPEN,), (2,)), ("x",), "h"), Node("l", Linear(), ("h", "w", "b"), "y")
    )
    assert "half (slice): it makes 1 column of 2 of the input: the hop must be a multiple of that" in refusal(
        graph
    )
    assert streamed(graph, 2).output_columns == (2, 3)
    assert "a hop of 7: it must be 1 to 6 columns" in refusal(graph, 7)
    with pytest.raises(UserError, match="axis 2 is none of the input's"):
        streamed(graph, 2, axis=2)
    with pytest.raises(UserError, match="runs in steps already"):
        streamed(streamed(tcn(), 2).graph, 2)
