"""What kernels take on one core: measured once by the emulator, kept on disk, interpolated between measured widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from pintsize.costs.counting import Count, Counted, KernelKey, count
from pintsize.costs.kept import cache_folder, file_name, keep, read
from pintsize.costs.specimen import Shape, shape_of, specimen
from pintsize.graph import Graph, Node
from pintsize.write.c.calls import Isa, call_of


@dataclass
class KernelTable:
    """Counts by kind of layer and widths, and code bytes; grows by `measure`.

    folder: of the measurements kept on disk; None keeps none.
    """

    core: str
    isa: Isa
    folder: Path | None = field(default_factory=cache_folder)
    counts: dict[str, dict[tuple[int, ...], Count]] = field(default_factory=dict)
    own: dict[KernelKey, int] = field(default_factory=dict)
    needs: dict[KernelKey, frozenset[str]] = field(default_factory=dict)
    support: dict[str, int] = field(default_factory=dict)
    base: int = 0
    stub: int = 0
    stack_bytes: int = 0

    def measure(self, layers: Sequence[tuple[Graph, Node]]) -> int:
        """Adds the layers that are not in the table yet; how many that were. Raises ToolError or MissingExtra."""
        wanted: dict[Shape, tuple[Graph, Node]] = {}
        for graph, node in layers:
            shape = shape_of(graph, node, call_of(graph, node, self.isa))
            if shape.widths not in self.counts.get(shape.kind, {}):
                wanted.setdefault(shape, (graph, node))
        if wanted:
            shapes = list(wanted)
            for shape, found in zip(shapes, self._kept_or_counted(wanted), strict=True):
                self.counts.setdefault(shape.kind, {})[shape.widths] = found
        return len(wanted)

    def count(self, shape: Shape) -> Count | None:
        """As measured, or from a fit that is linear in each width; None where too little of this kind is known."""
        points = self.counts.get(shape.kind, {})
        if shape.widths in points:
            return points[shape.widths]
        if not _is_between(shape.widths, list(points)):
            return None
        rows = tuple(
            (w, c.instructions, c.cycles or 0.0, c.taken_branches) for w, c in sorted(points.items())
        )
        factors, is_square = _fit(rows)
        found = np.maximum(_features([shape.widths], is_square)[0] @ factors, 0.0)
        has_cycles = next(iter(points.values())).cycles is not None
        return Count(round(found[0]), float(found[1]) if has_cycles else None, float(found[2]))

    def code_bytes(self, kernels: Sequence[KernelKey]) -> int:
        """Code of a program whose layers call these kernels, start-up and the calls included."""
        unique = dict.fromkeys(kernels)
        own = sum(self._own(key) for key in unique)
        standing_on = frozenset().union(*(self.needs.get(self._nearest(key), frozenset()) for key in unique))
        return self.base + own + sum(self.support[n] for n in standing_on) + self.stub * len(kernels)

    def _own(self, key: KernelKey) -> int:
        return self.own.get(self._nearest(key), 0)

    def _nearest(self, key: KernelKey) -> KernelKey:
        """The measured kernel of the same function with the nearest literals."""
        if key in self.own:
            return key
        same = [k for k in self.own if k[0] == key[0] and len(k[1]) == len(key[1])]
        return min(same, key=lambda k: (_distance(k[1], key[1]), k), default=key)

    def _kept_or_counted(self, wanted: Mapping[Shape, tuple[Graph, Node]]) -> list[Count]:
        path = None if self.folder is None else self.folder / file_name(self.core, self.isa, list(wanted))
        found = None if path is None else read(path)
        if found is None:
            found = count(
                [specimen(graph, node, self.isa) for graph, node in wanted.values()], self.core, self.isa
            )
            if path is not None:
                keep(path, found)
        for part in found:
            self._add_code(part)
        numbered = {i: c for part in found for i, c in zip(part.which, part.layers, strict=True)}
        return [numbered[i] for i in range(len(wanted))]

    def _add_code(self, part: Counted) -> None:
        first = not self.own
        for key, bytes_ in part.code.own.items():
            self.own.setdefault(key, bytes_)
            self.needs.setdefault(key, part.code.needs[key])
        for name, bytes_ in part.code.support.items():
            self.support.setdefault(name, bytes_)
        self.stack_bytes = max(self.stack_bytes, part.stack_bytes)
        if first:
            self.base, self.stub = part.code.base, part.code.stub


def _distance(a: Sequence[int], b: Sequence[int]) -> float:
    return float(sum(abs(np.log2((abs(i) + 1) / (abs(j) + 1))) for i, j in zip(a, b, strict=True)))


def _is_between(widths: tuple[int, ...], points: Sequence[tuple[int, ...]]) -> bool:
    """Enough is measured around it for a fit."""
    if len(points) < 2:
        return False
    known = np.array(points)
    return bool((known.min(0) <= widths).all() and (known.max(0) >= widths).all())


def _features(widths: Sequence[tuple[int, ...]], is_square: bool) -> np.ndarray:
    """1 and the width; or 1, the first width, the last, and their product, where they differ."""
    first, last = (np.array([float(w[i]) for w in widths]) for i in (0, -1))
    columns = [np.ones_like(first), first] if is_square else [np.ones_like(first), first, last, first * last]
    return np.stack(columns, 1)


@cache
def _fit(rows: tuple[tuple[tuple[int, ...], int, float, float], ...]) -> tuple[np.ndarray, bool]:
    """Least squares of relative errors: (features, 3), and whether first and last widths are always the same."""
    widths = [row[0] for row in rows]
    is_square = all(w[0] == w[-1] for w in widths)
    x = _features(widths, is_square)
    y = np.array([row[1:] for row in rows], np.float64)
    weight = 1.0 / np.maximum(y[:, :1], 1.0)
    return np.linalg.lstsq(x * weight, y * weight, rcond=None)[0], is_square
