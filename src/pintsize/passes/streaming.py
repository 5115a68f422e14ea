"""A Graph that looks at a window of a signal, made into one that takes a step of it and remembers the rest.

Every layer computes its new columns alone; rings (states that `slide`) hold what layers still need of the columns
before, recurrent layers carry their memory. A step's output is, integer for integer, that of the whole window run anew,
from the first step on, for a signal before which there was silence: the input's real number 0.

At its edges a window is not like a stream: a layer that pads it sees zeros where the stream has numbers, a recurrent
layer begins anew. Where that would show in the output, the pass refuses, unless told to `carry`: then the stream's own
numbers stand where the padding was, and memories go on, as if the window were the whole signal. Padding behind the last
column then costs a delay, since what stands there must come first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pintsize.errors import UserError
from pintsize.graph import Graph, Node, Op, State, Tensor, TensorType
from pintsize.integers import Steps
from pintsize.ops import Slice, Slide
from pintsize.ops.slice import OPEN
from pintsize.passes.time_flow import Flow, Piece, follow, output_columns
from pintsize.spec import check


@dataclass(frozen=True, eq=False)
class Streamed:
    """A Graph of steps, and what it saves.

    graph: takes `hop` new columns of the input and gives what the Graph of a window of `window` columns says at the end
    of the window; delay: how many columns the input must be ahead of that window's end (0, unless padding is carried).
    axis, output_axis: of time in the input and, where it has time, the output; output_columns: which columns of the
    window's output a step gives then (from, to before).
    lead: with recurrent layers that carry on, how many columns of silence before the signal the first of them has seen
    (below 0: so many of the signal it has not, for a stride passed over them).
    window_macs, step_macs: multiply-accumulates for `hop` columns, counted: of the window run anew, and of a step.
    """

    graph: Graph
    window: int
    hop: int
    delay: int
    axis: int
    output_axis: int | None
    output_columns: tuple[int, int] | None
    lead: int
    window_macs: int
    step_macs: int

    def macs_per_second(self, rate_hz: float) -> tuple[float, float]:
        """Of windows run anew and of steps, for a signal of so many columns of the input a second."""
        return self.window_macs * rate_hz / self.hop, self.step_macs * rate_hz / self.hop

    def windows(self, steps: np.ndarray) -> np.ndarray:
        """The window (n, *its shape) that each of the steps (n, *a step's shape) of a signal is about."""
        x = self.graph.type(self.graph.inputs[0])
        before = self.window + self.delay
        silence = np.full(
            (*x.shape[: self.axis], before, *x.shape[self.axis + 1 :]), x.zero_point, steps.dtype
        )
        known = np.concatenate([silence, *steps], self.axis)
        begins = range(self.hop, self.hop * len(steps) + 1, self.hop)
        return np.stack([known.take(range(b, b + self.window), self.axis) for b in begins])

    def of_step(self, outputs: np.ndarray) -> np.ndarray:
        """What a step gives of a window's outputs (n, *their shape)."""
        if self.output_axis is None or self.output_columns is None:
            return outputs
        return outputs.take(range(*self.output_columns), self.output_axis + 1)


def time_axis(graph: Graph) -> int:
    """Where an input has its time: length of (1, length, channels), else the first axis."""
    shape = graph.type(graph.inputs[0]).shape
    return 1 if len(shape) == 3 and shape[0] == 1 else 0


def streamed(graph: Graph, hop: int, carry: bool = False, axis: int | None = None) -> Streamed:
    """The Graph of steps of `hop` input columns that an integer Graph of a window makes.

    Args:
        hop: new columns of the input (samples, frames) a step, 1 up to the window.
        carry: at the window's edges the stream goes on: its numbers in place of padding, memories kept.
        axis: of time in the input, where it is not the length of (1, length, channels) or the first axis.

    Raises UserError for a hop or axis that is none, and naming every layer that cannot run in steps, with the fix.
    """
    check(graph, "integer")
    along = _axis(graph, hop, axis)
    flow = follow(graph, hop, along, carry, 0)
    while not flow.problems and flow.short > 0:
        flow = follow(graph, hop, along, carry, flow.delay + flow.short)
    if flow.problems:
        raise UserError(_refusal(flow))
    endless = {piece.node.name for piece in flow.pieces if piece.endless}
    steps = after_silence(_Steps(flow).build(), endless)
    check(steps, "integer")
    window = graph.type(graph.inputs[0]).shape[along]
    columns = output_columns(flow)
    place = None if columns is None else flow.timed[graph.outputs[0]].axis
    return Streamed(
        steps, window, hop, flow.delay, along, place, columns, flow.lead or 0, graph.macs, steps.macs
    )


def _axis(graph: Graph, hop: int, axis: int | None) -> int:
    shape = graph.type(graph.inputs[0]).shape
    along = time_axis(graph) if axis is None else axis
    if graph.states:
        raise UserError(f"{graph.name} runs in steps already: give the graph of the whole window")
    if not 0 <= along < len(shape):
        raise UserError(f"axis {axis} is none of the input's {shape}: 0 to {len(shape) - 1} are")
    if not 1 <= hop <= shape[along]:
        raise UserError(f"a hop of {hop}: it must be 1 to {shape[along]} columns, the window of {graph.name}")
    return along


def _refusal(flow: Flow) -> str:
    said = "\n  ".join(flow.problems)
    shown = any("edge" in problem for problem in flow.problems)
    fix = (
        "\nWhere the edge shows: take the padding along time out of these layers and train again, or let the stream "
        "go on there (carry=True, --carry): its own numbers in place of the padding, recurrent layers remember."
    )
    return f"{flow.graph.name} cannot run in steps of {flow.hop}:\n  {said}{fix if shown and not flow.carry else ''}"


class _Steps:
    """Puts the Graph of steps together."""

    def __init__(self, flow: Flow) -> None:
        self.flow, self.whole = flow, flow.graph
        self.tensors: dict[str, Tensor] = {}
        self.nodes: list[Node] = []
        self.states: list[State] = []
        #: what a layer that takes all of its input stands for
        self.same: dict[str, str] = {}
        self.begins = self._ring_begins()

    def build(self) -> Graph:
        given = self.whole.inputs[0]
        self._make(given, self._shape(given, self.flow.hop))
        for piece in self.flow.pieces:
            self._add_piece(piece)
        outputs = tuple(self._output(name) for name in self.whole.outputs)
        return replace(
            self.whole,
            tensors=self.tensors,
            nodes=tuple(self.nodes),
            outputs=outputs,
            states=tuple(self.states),
        )

    def _reads(self) -> Iterator[tuple[str, int, int]]:
        """(tensor with time, from, to before) of all that is read."""
        for piece in self.flow.pieces:
            for name in self.whole.activations(piece.node):
                if name in self.flow.timed:
                    yield self.flow.within(name, *piece.reads)
        columns = output_columns(self.flow)
        if columns is not None:
            yield self.flow.within(self.whole.outputs[0], *columns)

    def _ring_begins(self) -> dict[str, int]:
        """The first column that each tensor's ring must hold; tensors of which only new columns are read have none."""
        begins: dict[str, int] = {}
        for name, low, _ in self._reads():
            if low < self.flow.timed[name].head - self.flow.new_columns(name):
                begins[name] = min(low, begins.get(name, low))
        return begins

    def _shape(self, name: str, columns: int) -> tuple[int, ...]:
        shape, axis = self.whole.type(name).shape, self.flow.timed[name].axis
        return (*shape[:axis], columns, *shape[axis + 1 :])

    def _make(self, name: str, shape: tuple[int, ...], like: str = "") -> str:
        """A tensor on the grid of the window's tensor `like`."""
        kind = self.whole.type(like or name)
        self.tensors[name] = Tensor(name, replace(kind, shape=shape))
        return name

    def _apply(self, name: str, op: Op, inputs: tuple[str, ...], like: str, source: str = "") -> str:
        shape = op.shape([self.tensors[i].type for i in inputs])
        self.nodes.append(Node(name, op, inputs, self._make(name, shape, like), source))
        return name

    def _add_piece(self, piece: Piece) -> None:
        node = piece.node
        inputs = tuple(self._input(name, *piece.reads) for name in node.inputs)
        types = [self.tensors[i].type for i in inputs]
        if isinstance(piece.op, Slice) and piece.op.takes_all(types[0].shape):
            self.same[node.output] = inputs[0]
            return
        shape = piece.op.shape(types)
        self._make(node.output, shape)
        carried: tuple[str, ...] = ()
        if piece.carries:
            kinds = piece.op.carried(types, self.tensors[node.output].type)
            carried = tuple(self._memory(f"{node.output}.memory{i}", kind) for i, kind in enumerate(kinds))
        self.nodes.append(replace(node, op=piece.op, inputs=inputs, carried=carried))

    def _memory(self, name: str, kind: TensorType, following: str = "") -> str:
        """A state that begins with the real number 0."""
        self.tensors[name] = Tensor(name, kind)
        self.states.append(State(name, following, np.full(kind.shape, kind.zero_point, kind.dtype)))
        return name

    def _input(self, name: str, low: int, high: int) -> str:
        if self.whole.tensors[name].is_constant:
            self.tensors[name] = self.whole.tensors[name]
            return name
        return self._columns(name, low, high) if name in self.flow.timed else self.same.get(name, name)

    def _output(self, name: str) -> str:
        columns = output_columns(self.flow)
        held = self.same.get(name, name) if columns is None else self._columns(name, *columns)
        return held if held not in self.whole.inputs else self._apply(name, Slice(), (held,), name)

    def _columns(self, name: str, low: int, high: int) -> str:
        """A tensor that holds just these columns."""
        name, low, high = self.flow.within(name, low, high)
        timed = self.flow.timed[name]
        begin, held = timed.head - self.flow.new_columns(name), self.same.get(name, name)
        if low < begin:
            begin, held = self.begins[name], self._ring(name)
        if (low, high) == (begin, timed.head):
            return held
        part = f"{name}.{low - timed.head}..{high - timed.head}"
        if part in self.tensors:
            return part
        before, end = [0] * timed.axis, [OPEN] * timed.axis
        op = Slice((*before, low - begin), (*end, high - begin), (1,) * (timed.axis + 1))
        return self._apply(part, op, (held,), name)

    def _ring(self, name: str) -> str:
        """The tensor with all columns that the ring holds at the end of the step."""
        held = f"{name}.held"
        if held not in self.tensors:
            timed = self.flow.timed[name]
            shape = self._shape(name, timed.head - self.begins[name])
            ring = self._memory(f"{name}.ring", replace(self.whole.type(name), shape=shape), held)
            self._apply(held, Slide(timed.axis), (ring, self.same.get(name, name)), name)
        return held


def after_silence(graph: Graph, endless: set[str]) -> Graph:
    """The Graph whose states begin as silence leaves them.

    endless: nodes whose memory never dies out. One that silence sets going (a GRU with biases) begins at its first step
    instead, with zeros, and so does all behind it.
    """
    kind = graph.type(graph.inputs[0])
    silence = np.full((1, *kind.shape), kind.zero_point, kind.dtype)
    zeros = {s.tensor: s.initial for s in graph.states}
    steps, going = Steps(graph), set[str]()
    for _ in range(_longest_memory(graph)):
        before = steps.states
        steps.step(silence)
        found = steps.states
        going |= {n.name for n in graph.nodes if n.name in endless and _differ(n.carried, found, zeros)}
        restless = _behind(graph, going)
        if not _differ(found.keys() - restless, found, before):
            break
    found, restless = steps.states, _behind(graph, going)
    states = [s if s.tensor in restless else replace(s, initial=found[s.tensor][0]) for s in graph.states]
    return replace(graph, states=tuple(states))


def _differ(names: Collection[str], a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> bool:
    return any((a[name] != b[name]).any() for name in names)


def _behind(graph: Graph, begun: set[str]) -> set[str]:
    """States of these nodes and of all that comes behind them."""
    moved: set[str] = set()
    following = {s.next: s.tensor for s in graph.states if s.next}
    for node in graph.nodes:
        if node.name in begun or moved & set(node.inputs):
            moved |= {node.output, *node.carried, following.get(node.output, node.output)}
    return moved & {s.tensor for s in graph.states}


def _longest_memory(graph: Graph) -> int:
    """Steps after which no ring holds anything from before."""
    steps = 2
    for node in graph.nodes:
        steps += sum(graph.type(name).elements for name in node.carried)
        if isinstance(node.op, Slide):
            window, new = (graph.type(i).shape[node.op.axis] for i in node.inputs)
            steps += -(-window // new)
    return steps
