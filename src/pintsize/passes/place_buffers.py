"""Where each buffer lies in the arena, so that the arena is as small as it can be.

Buffers that are alive in a common step may not share bytes, except where a layer reads one while it
writes the other and may run over what it has read (an overlap). Several greedy orders give a first
answer; unless it already equals the lower bound, a search looks for a better one: branch and bound,
which may prove that there is none, or with overlaps an exchange of neighbours. Work is counted,
never timed, so the same buffers give the same placement everywhere.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from pintsize.errors import SpecError

#: buffers weighed in the search tree before the best placement so far is taken
EFFORT = 300_000
#: rounds of moving the buffers that form the peak to the front of the best greedy order
CLIMBS = 60
#: above this many buffers only greedy orders are tried: the tree is as deep as there are buffers
SEARCHED_BUFFERS = 128
#: pairs of buffers compared in the search with overlaps
EXCHANGE_EFFORT = 1_000_000

#: (buffer read, buffer written) → bytes that the read one must begin after the written one, at least;
#: negative where it may even begin before. They may always lie apart.
Overlaps = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Buffer:
    """A piece of memory that is alive in the steps first..last, both included.

    Raises SpecError when it has fewer than 0 bytes or ends before it begins.
    """

    name: str
    bytes: int
    first: int
    last: int

    def __post_init__(self) -> None:
        if self.bytes < 0:
            raise SpecError(f"buffer {self.name} has {self.bytes} bytes: 0 or more are allowed")
        if self.last < self.first:
            raise SpecError(f"buffer {self.name} ends in step {self.last}, before its first {self.first}")

    def meets(self, other: Buffer) -> bool:
        """Both are alive in at least one common step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Placement:
    """Byte offsets from the start of the arena, by buffer name.

    ``optimal`` says that no smaller arena exists, which is proven, not guessed. ``lower_bound``
    is the largest number of bytes alive in one step.
    """

    offsets: Mapping[str, int]
    arena_bytes: int
    optimal: bool
    lower_bound: int


def place(
    buffers: Sequence[Buffer], alignment: int = 4, effort: int = EFFORT, overlaps: Overlaps | None = None
) -> Placement:
    """The smallest arena found for these buffers; the smallest there is when ``optimal``.

    Args:
        buffers: in any order, with unique names.
        alignment: offsets and sizes are rounded up to a multiple of it, in bytes.
        effort: buffers that may be weighed in the search tree; 0 leaves it at the greedy orders.
        overlaps: which pairs may share bytes, and from which distance on.

    Raises SpecError for an alignment below 1 or a name that occurs twice.
    """
    _check_input(buffers, alignment)
    rows = [replace(b, bytes=_round_up(b.bytes, alignment)) for b in buffers]
    apart = {pair: _round_up(d, alignment) for pair, d in (overlaps or {}).items()}
    floor = lower_bound(buffers, alignment, apart)
    offsets, height = _best_greedy(rows, floor, apart)
    proven = height == floor
    if not proven and effort > 0 and apart:
        offsets, height = _exchange(rows, offsets, height, floor, apart)
        proven = height == floor
    elif not proven and effort > 0 and len(rows) <= SEARCHED_BUFFERS:
        search = _Search(rows, floor, height, effort)
        proven = search.run()
        offsets, height = {**offsets, **search.offsets}, search.height
    return Placement(offsets, height, proven, floor)


def lower_bound(buffers: Sequence[Buffer], alignment: int = 4, overlaps: Overlaps | None = None) -> int:
    """The largest number of bytes alive in one step, less what may be shared: no arena can be smaller."""
    return max((live_bytes(buffers, b.first, alignment, overlaps) for b in buffers), default=0)


def check_placement(
    buffers: Sequence[Buffer], placement: Placement, overlaps: Overlaps | None = None
) -> None:
    """Raises SpecError when a buffer has no place in the arena, or two live ones share bytes."""
    for b in buffers:
        start = placement.offsets.get(b.name)
        if start is None:
            raise SpecError(f"buffer {b.name} has no offset")
        if start < 0 or start + b.bytes > placement.arena_bytes:
            raise SpecError(
                f"buffer {b.name} lies at {start}..{start + b.bytes}, "
                f"outside the arena of {placement.arena_bytes} bytes"
            )
    allowed = overlaps or {}
    for a, b in combinations(buffers, 2):
        if a.meets(b) and _share_bytes(a, b, placement.offsets) and not _may_share(a, b, placement, allowed):
            raise SpecError(f"buffers {a.name} and {b.name} are alive together and share bytes of the arena")


def greedy_orders(buffers: Sequence[Buffer]) -> dict[str, list[Buffer]]:
    """The orders that the greedy placement tries, by name. `place` is never worse than any of them."""
    return {name: sorted(buffers, key=key) for name, key in _ORDERS.items()}


def first_fit(
    order: Sequence[Buffer], alignment: int = 4, overlaps: Overlaps | None = None
) -> tuple[dict[str, int], int]:
    """(offsets, arena bytes) when each buffer in turn takes the lowest gap that is large enough."""
    allowed = overlaps or {}
    placed: list[tuple[int, int, Buffer]] = []  # (start, end, buffer)
    for b in order:
        size = _round_up(b.bytes, alignment)
        start = 0
        for low, high in sorted(_forbidden(b.name, size, p, allowed) for p in placed if p[2].meets(b)):
            if start <= low:
                break
            start = max(start, high)
        placed.append((start, start + size, b))
    return {b.name: start for start, _, b in placed}, max((end for _, end, _ in placed), default=0)


def _forbidden(name: str, size: int, placed: tuple[int, int, Buffer], overlaps: Overlaps) -> tuple[int, int]:
    """(low, high): the buffer `name` may not begin strictly between them."""
    low, high, other = placed
    if (other.name, name) in overlaps:  # it is written while the other is read
        return low - min(overlaps[other.name, name], size), high
    if (name, other.name) in overlaps:
        return low - size, low + min(overlaps[name, other.name], high - low)
    return low - size, high


_ORDERS: dict[str, Callable[[Buffer], tuple[int | str, ...]]] = {
    "size": lambda b: (-b.bytes, b.first, b.name),
    "first use": lambda b: (b.first, -b.bytes, b.name),
    "last use": lambda b: (-b.last, -b.bytes, b.name),
    "size x lifetime": lambda b: (-b.bytes * (b.last - b.first + 1), b.first, b.name),
    "lifetime": lambda b: (b.first - b.last, -b.bytes, b.name),
}


def _round_up(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def live_bytes(
    buffers: Sequence[Buffer], step: int, alignment: int = 4, overlaps: Overlaps | None = None
) -> int:
    """Bytes alive in a step, less what may be shared."""
    alive = {b.name: _round_up(b.bytes, alignment) for b in buffers if b.first <= step <= b.last}
    pairs = ((alive[a], alive[b], d) for (a, b), d in (overlaps or {}).items() if a in alive and b in alive)
    return sum(alive.values()) - sum(max(0, min(read, written, written - d)) for read, written, d in pairs)


def _may_share(a: Buffer, b: Buffer, placement: Placement, overlaps: Overlaps) -> bool:
    for read, written in ((a.name, b.name), (b.name, a.name)):
        distance = overlaps.get((read, written))
        if distance is not None:
            return placement.offsets[read] - placement.offsets[written] >= distance
    return False


def _share_bytes(a: Buffer, b: Buffer, offsets: Mapping[str, int]) -> bool:
    low = max(offsets[a.name], offsets[b.name])
    high = min(offsets[a.name] + a.bytes, offsets[b.name] + b.bytes)
    return low < high


def _check_input(buffers: Sequence[Buffer], alignment: int) -> None:
    if alignment < 1:
        raise SpecError(f"an alignment of {alignment} bytes: 1 or more is allowed")
    twice = sorted(name for name, count in Counter(b.name for b in buffers).items() if count > 1)
    if twice:
        raise SpecError(f"more than one buffer is called {', '.join(twice)}")


def _best_greedy(rows: Sequence[Buffer], floor: int, overlaps: Overlaps) -> tuple[dict[str, int], int]:
    """The best of the greedy orders and of a climb from the best of them; stops at `floor`."""
    orders = list(greedy_orders(rows).values())
    tries = [first_fit(order, 1, overlaps) for order in orders]
    best = min(tries, key=lambda t: t[1])
    for offsets, height in _climb(orders[tries.index(best)], overlaps):
        if best[1] == floor:
            break
        if height < best[1]:
            best = offsets, height
    return best


def _climb(order: list[Buffer], overlaps: Overlaps) -> Iterator[tuple[dict[str, int], int]]:
    """Placements of the order itself and of orders in which those at the peak come ever earlier."""
    seen: set[tuple[str, ...]] = set()
    for _ in range(CLIMBS):
        key = tuple(b.name for b in order)
        if key in seen:
            return
        seen.add(key)
        offsets, height = first_fit(order, 1, overlaps)
        yield offsets, height
        top = {b.name for b in order if b.bytes and offsets[b.name] + b.bytes == height}
        order = [b for b in order if b.name in top] + [b for b in order if b.name not in top]


def _exchange(
    rows: Sequence[Buffer], offsets: dict[str, int], height: int, floor: int, overlaps: Overlaps
) -> tuple[dict[str, int], int]:
    """Exchanges two buffers of the best order again and again, and keeps what is not worse."""
    draw = random.Random(0)
    order = sorted(rows, key=lambda b: (offsets[b.name], b.name))
    best, level = offsets, first_fit(order, 1, overlaps)[1]
    for _ in range(EXCHANGE_EFFORT // max(len(rows), 8) ** 2):
        if height == floor or len(order) < 2:
            break
        i, j = draw.sample(range(len(order)), 2)
        order[i], order[j] = order[j], order[i]
        found, reached = first_fit(order, 1, overlaps)
        if reached > level:
            order[i], order[j] = order[j], order[i]
            continue
        level = reached
        if reached < height:
            best, height = found, reached
    return best, height


class _Search:
    """Depth-first search for a placement below `height`.

    Among the smallest arenas, take one whose offsets sum up to the least. Placed in the order of
    (offset, row), each of its buffers lies on the skyline (the highest top among the placed ones)
    of its steps. So a branch is a choice of the next buffer, and three rules cut branches that
    cannot lead there: offsets never fall; buffers at one offset come in the order of their rows;
    and no offset is taken while another buffer would fit wholly below it.
    """

    def __init__(self, buffers: Sequence[Buffer], floor: int, height: int, effort: int) -> None:
        self.floor, self.height, self.effort_left = floor, height, effort
        self.offsets: dict[str, int] = {}  # empty until a placement below `height` is found
        self.buffers = sorted((b for b in buffers if b.bytes), key=lambda b: (-b.bytes, b.first, b.name))
        self.sizes = [b.bytes for b in self.buffers]
        # the steps in which a buffer begins show every overlap and every peak
        starts = sorted({b.first for b in self.buffers})
        self.spans = [[i for i, s in enumerate(starts) if b.first <= s <= b.last] for b in self.buffers]
        self.skyline = [0] * len(starts)
        self.waiting = [0] * len(starts)  # bytes still to be placed, by step
        for span, size in zip(self.spans, self.sizes, strict=True):
            for i in span:
                self.waiting[i] += size
        self.path: list[tuple[int, int]] = []  # (row, offset)

    def run(self) -> bool:
        """Searches; True when `height` is proven to be the smallest there is."""
        rows = list(range(len(self.buffers)))
        # a buffer that is always alive may lie at the bottom: what was below it moves up by its size
        always = [row for row in rows if len(self.spans[row]) == len(self.skyline)]
        for row in always:
            self._put(row, self.skyline[0])
        self._descend([row for row in rows if row not in always], self.path[-1] if always else (-1, 0))
        return self.height == self.floor or self.effort_left > 0

    def _descend(self, rows: list[int], last: tuple[int, int]) -> None:
        """Tries every next buffer among `rows`; `last` is the (row, offset) placed before."""
        self.effort_left -= 1 + len(rows)
        if not rows:
            self.height = max(self.skyline)
            self.offsets = {self.buffers[row].name: offset for row, offset in self.path}
            return
        for offset, row in self._choices(rows, last):
            if self.effort_left <= 0 or self.height == self.floor:
                return
            before = [self.skyline[i] for i in self.spans[row]]
            self._put(row, offset)
            if self._may_improve(offset):
                self._descend([r for r in rows if r != row], (row, offset))
            self._take_back(row, before)

    def _choices(self, rows: list[int], last: tuple[int, int]) -> list[tuple[int, int]]:
        """(offset, row) worth trying, lowest first, larger first among equals."""
        last_row, level = last
        skyline, sizes, spans = self.skyline, self.sizes, self.spans
        rests = [(max([skyline[i] for i in spans[row]]), row) for row in rows]
        ceiling = min([rest + sizes[row] for rest, row in rests])
        found: list[tuple[int, int]] = []
        twins: set[tuple[int, int, int]] = set()
        for rest, row in rests:
            twin = (sizes[row], spans[row][0], spans[row][-1])
            if level <= rest < ceiling and (rest > level or row > last_row) and twin not in twins:
                twins.add(twin)
                found.append((rest, row))
        return sorted(found)

    def _may_improve(self, level: int) -> bool:
        """What waits, put on the skyline and not below `level`, stays under the best height."""
        best = self.height
        for top, waiting in zip(self.skyline, self.waiting, strict=True):
            if (top if top > level or not waiting else level) + waiting >= best:
                return False
        return True

    def _put(self, row: int, offset: int) -> None:
        size = self.sizes[row]
        for i in self.spans[row]:
            self.skyline[i] = offset + size
            self.waiting[i] -= size
        self.path.append((row, offset))

    def _take_back(self, row: int, before: list[int]) -> None:
        for i, top in zip(self.spans[row], before, strict=True):
            self.skyline[i] = top
            self.waiting[i] += self.sizes[row]
        self.path.pop()
