"""Does a block's time follow from the blocks before it?"""

from __future__ import annotations

from collections import deque

from pintsize.stream.block import Block, time_tolerance_s
from pintsize.stream.finding import Finding

#: blocks in a row that must be off in the same direction before the rate is doubted
_ROW = 5
#: off by less than this share, the rate is right
_RATE_SHARE = 0.02
#: and those blocks agree with one another to this share
_AGREE = 0.1
#: what comes this little too early is out of order; earlier, the clock was set back
_ORDER_S = 1.0
#: two times this near, in periods, are one
_SAME_SHARE = 0.02


class Timing:
    """Judges blocks by their time alone. gap_s: gaps up to this are borne."""

    def __init__(self, rate_hz: float, gap_s: float) -> None:
        self._rate_hz = rate_hz
        self._gap_s = gap_s
        self._tolerance_s = time_tolerance_s(rate_hz)
        self.restart()

    def restart(self) -> None:
        """What comes next need not follow."""
        self._before: Block | None = None
        self._due_s = 0.0
        self._speeds: deque[float] = deque(maxlen=_ROW)

    def see(self, block: Block) -> Finding | None:
        """What is wrong with the block's time, if anything. Not for heartbeats: nothing came with them."""
        if block.rate_hz != self._rate_hz:
            return Finding("rate", f"samples at {block.rate_hz:g} Hz where {self._rate_hz:g} Hz was said")
        before, self._before = self._before, block
        if before is None:
            self._due_s = block.end_s
            return None
        return (
            self._gap(block)
            or self._duplicate(block, before)
            or self._rate(block, before)
            or self._order(block)
            or self._jump(block)
        )

    def _gap(self, block: Block) -> Finding | None:
        if block.gap_before_s <= self._gap_s:
            return None
        self._follow(block)
        self._speeds.clear()
        return Finding("gap", f"{block.gap_before_s:.3f} s are missing before {block.start_s:.3f} s")

    def _follow(self, block: Block) -> None:
        self._due_s = block.end_s

    def _duplicate(self, block: Block, before: Block) -> Finding | None:
        period_s = 1 / self._rate_hz
        last_s = self._due_s - period_s  # the time of the last sample that was in order
        again = block.gap_before_s < 0 and abs(block.start_s - last_s) < period_s / 2
        same = abs(block.start_s - before.start_s) < _SAME_SHARE * min(period_s, before.duration_s)
        if not again and not same:
            return None
        return Finding("duplicate", f"the time {block.start_s:.3f} s came twice")

    def _rate(self, block: Block, before: Block) -> Finding | None:
        """Blocks whose distance and length disagree, all in the same way: the rate is not what was said."""
        if block.start_s <= before.start_s or block.gap_before_s != 0:
            return None
        self._speeds.append(before.duration_s / (block.start_s - before.start_s))
        slowest, fastest = min(self._speeds), max(self._speeds)
        off = fastest < 1 - _RATE_SHARE or slowest > 1 + _RATE_SHARE
        if len(self._speeds) < _ROW or not off or fastest > slowest * (1 + _AGREE):
            return None
        self._follow(block)
        seen_hz = self._rate_hz * sum(self._speeds) / _ROW
        return Finding("rate", f"samples come at about {seen_hz:.4g} Hz where {self._rate_hz:g} Hz was said")

    def _order(self, block: Block) -> Finding | None:
        early_s = self._due_s - block.start_s
        least_s = 0.0 if block.gap_before_s < 0 else self._tolerance_s  # where the source says so it is so
        if not least_s < early_s <= _ORDER_S:
            return None
        return Finding(
            "order", f"samples of {block.start_s:.3f} s came after those up to {self._due_s:.3f} s"
        )

    def _jump(self, block: Block) -> Finding | None:
        late_s = block.start_s - self._due_s - max(block.gap_before_s, 0.0)
        self._follow(block)
        if -self._tolerance_s <= late_s <= max(self._tolerance_s, self._gap_s):
            return None
        direction = "ahead" if late_s > 0 else "back"
        return Finding(
            "clock", f"the clock jumped {direction} by {abs(late_s):.3f} s, to {block.start_s:.3f} s"
        )
