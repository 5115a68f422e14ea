"""Follows time through a Graph that looks at a window: which columns of each tensor a step has, makes and needs.

Columns of a tensor are counted from its window's first one. At the end of a step the columns before `head` are known,
and the last hop / rate of them are new; a step later all of them have moved down by as many. So a layer whose
output column j reads input columns j·stride + first … j·stride + last makes its new columns from a known piece of
its input, whatever the layers before did to it: delays of branches, strides and crops come out right by counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pintsize.graph import Graph, Node, Op, OverTime
from pintsize.ops import AveragePool2d, RunningAverage, Slice
from pintsize.ops.running_average import LARGEST_COLUMN

#: further than any column: nothing of such a tensor is as in the window
NEVER = 1 << 40


@dataclass(frozen=True)
class Timed:
    """A tensor that has time.

    axis, columns: of time in the window's run; rate: columns of the graph's input for each; head: see above; clean:
    from this column on the window's edge does not show; edges: layers that brought the edge in; start: where on the
    input column 0 begins to look.
    """

    axis: int
    columns: int
    rate: Fraction
    head: int
    clean: int = 0
    edges: tuple[str, ...] = ()
    start: Fraction = Fraction(0)


@dataclass(frozen=True)
class Piece:
    """What a step does for one node: `op` on columns reads[0] … reads[1] - 1 of the inputs that have time.

    carries: does it go on from what it remembers? endless: see `OverTime`.
    """

    node: Node
    op: Op
    reads: tuple[int, int] = (0, 0)
    carries: bool = False
    endless: bool = False


@dataclass
class Flow:
    """Time, followed through a Graph for one hop and delay, both in columns of the input.

    moved: cuttings → the tensor that they are columns of, and where their column 0 lies in it;
    problems: why it cannot run in steps; short: how much later the steps must be for all that is read to be known.
    """

    graph: Graph
    hop: int
    delay: int
    carry: bool
    timed: dict[str, Timed]
    pieces: list[Piece] = field(default_factory=list)
    moved: dict[str, tuple[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    short: int = 0
    lead: int | None = None

    def within(self, name: str, low: int, high: int) -> tuple[str, int, int]:
        """Columns low … high - 1 of a tensor, or of the one that it was cut from."""
        root, offset = self.moved.get(name, (name, 0))
        return root, low + offset, high + offset

    def new_columns(self, name: str) -> int:
        """Of a tensor with time, how many each step makes."""
        return int(self.hop / self.timed[name].rate)


def place(node: Node) -> str:
    """The node as a message names it."""
    return f"{node.name} ({node.op.name}{f' at {node.source}' if node.source else ''})"


def follow(graph: Graph, hop: int, axis: int, carry: bool, delay: int) -> Flow:
    """Time through the whole Graph; never raises, but lists problems."""
    given = graph.inputs[0]
    columns = graph.type(given).shape[axis]
    flow = Flow(graph, hop, delay, carry, {given: Timed(axis, columns, Fraction(1), columns + delay)})
    for node in graph.nodes:
        _pass_through(flow, node)
    _reach_output(flow)
    return flow


def _pass_through(flow: Flow, node: Node) -> None:
    graph = flow.graph
    activations = graph.activations(node)
    timed = [name for name in activations if name in flow.timed]
    if flow.lost & set(activations):
        flow.lost.add(node.output)  # what is wrong was said where it began
        return
    if not timed:
        flow.pieces.append(Piece(node, node.op))
        return
    try:
        _advance(flow, node, timed, _over_time(flow, node, timed))
    except ValueError as error:
        flow.lost.add(node.output)
        flow.problems.append(f"{place(node)}: {error}")


def _over_time(flow: Flow, node: Node, timed: Sequence[str]) -> OverTime:
    """What the op says; raises ValueError where its inputs do not go together."""
    if len(timed) < len(flow.graph.activations(node)):
        raise ValueError(
            "it combines what goes on in time with what is said of the whole window, so every column changes with "
            "each step; leave that part out, or let it see the past alone"
        )
    if len({flow.timed[name].rate for name in timed}) > 1:
        raise ValueError("its inputs have columns of different lengths in time; bring them to one")
    types = [flow.graph.type(name) for name in node.inputs]
    axes = [flow.timed[name].axis if name in flow.timed else None for name in node.inputs]
    return node.op.over_time(types, axes)


def _advance(flow: Flow, node: Node, timed: Sequence[str], over: OverTime) -> None:
    out = flow.graph.type(node.output)
    carried = bool(node.op.carried([flow.graph.type(i) for i in node.inputs], out))
    columns = 1 if over.axis is None else out.shape[over.axis]
    if over.axis is None or (columns == 1 and not (carried and flow.carry)):
        _sum_up(flow, node, timed, over)
    else:
        _go_on(flow, node, timed, over, columns, carried)


def _sum_up(flow: Flow, node: Node, timed: Sequence[str], over: OverTime) -> None:
    """The output says one thing about the whole window: the op runs on what it reads of that in every step."""
    columns = flow.timed[timed[0]].columns
    within = over.first >= 0 and over.last < columns
    low, high = (over.first, over.last + 1) if within else (0, columns)
    for name in timed:
        _require(flow, flow.timed[name], low, high)
    running = _running(flow, node, timed[0])
    if running:
        flow.pieces.append(Piece(node, running, (columns - flow.new_columns(timed[0]), columns), True))
    else:
        flow.pieces.append(Piece(node, (over.op or node.op) if within else node.op, (low, high)))


def _running(flow: Flow, node: Node, name: str) -> RunningAverage | None:
    """A pool over all of a window, as sums of columns where these take no more memory than the numbers."""
    kind, timed = flow.graph.type(name), flow.timed[name]
    if not isinstance(node.op, AveragePool2d) or any(node.op.padding) or node.op.kernel != kind.shape[:2]:
        return None
    high = kind.shape[1 - timed.axis] if timed.axis in (0, 1) else 0
    new = flow.hop / timed.rate
    if not 2 <= high <= LARGEST_COLUMN or kind.dtype != "int8" or new.denominator != 1 or new > timed.columns:
        return None
    return RunningAverage(timed.columns, timed.axis)


def _go_on(flow: Flow, node: Node, timed: Sequence[str], over: OverTime, columns: int, carried: bool) -> None:
    """The output has time too: new columns from what is new and a little of what was before."""
    read = [flow.timed[name] for name in timed]
    step = read[0].rate * over.stride  # input columns for one group of output columns
    if (flow.hop / step).denominator != 1:
        raise ValueError(
            f"it makes {_count(over.group, 'column')} of {step} of the input: the hop must be a multiple of that"
        )
    new_groups = int(flow.hop / step)
    groups = (min(t.head for t in read) - 1 - over.last) // over.stride + 1
    high = (groups - 1) * over.stride + over.last + 1
    low = high - new_groups * over.stride if carried else (groups - new_groups) * over.stride + over.first
    first_clean = -(-(max(t.clean for t in read) - over.first) // over.stride)
    padded = over.first < 0 or (columns // over.group - 1) * over.stride + over.last >= read[0].columns
    edges = tuple(dict.fromkeys(e for t in read for e in t.edges))
    if padded or over.endless:
        edges = (*edges, f"{node.name} ({node.op.name})")
    start = min(t.start for t in read) + read[0].rate * over.first
    if over.endless and flow.lead is None:
        begins = flow.hop - flow.timed[flow.graph.inputs[0]].columns - flow.delay + read[0].rate * low
        flow.lead = -int(begins + start)
    assert over.axis is not None
    flow.timed[node.output] = Timed(
        over.axis, columns, step / over.group, groups * over.group,
        NEVER if over.endless else max(first_clean, 0) * over.group, edges, start,
    )  # fmt: skip
    op = over.op or node.op
    if isinstance(op, Slice) and op.takes_all(flow.graph.type(timed[0]).shape):
        flow.moved[node.output] = flow.within(timed[0], over.first, high)[:2]
    else:
        flow.pieces.append(Piece(node, op, (low, high), carried, over.endless))


def _require(flow: Flow, timed: Timed, low: int, high: int) -> None:
    """Columns low … high - 1 are known, and as in the window's own run. Raises ValueError where they are not."""
    if flow.carry:
        flow.short = max(flow.short, int(-(-(high - timed.head) * timed.rate // 1)))
    elif low < timed.clean or high > timed.head:
        raise ValueError(f"what it reads shows the window's edge, by {'; '.join(timed.edges)}")


def _reach_output(flow: Flow) -> None:
    """The output's new columns must be those of the window's own run."""
    columns = output_columns(flow)
    if columns is None or flow.carry:
        return
    timed = flow.timed[flow.graph.outputs[0]]
    if columns[0] < timed.clean:
        shown = (
            f"the window's edge, by {'; '.join(timed.edges)}" if timed.edges else "what is not in the window"
        )
        flow.problems.append(
            f"the output: {_count(columns[1] - columns[0], 'new column')} would show {shown}"
        )


def output_columns(flow: Flow) -> tuple[int, int] | None:
    """From which to before which column of the window's output a step gives it; None: it has no time."""
    name = flow.graph.outputs[0]
    if name not in flow.timed:
        return None
    timed = flow.timed[name]
    end = min(timed.head, timed.columns + int(flow.delay / timed.rate))
    return end - flow.new_columns(name), end


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
