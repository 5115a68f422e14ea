"""Costs of a whole program: constants and RAM from the writer and the planner, code and instructions from the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pintsize import cycles, emulate
from pintsize.compress.size import Size
from pintsize.compress.sketch import Ram
from pintsize.costs.counting import Count, KernelKey
from pintsize.costs.specimen import Shape, shape_of
from pintsize.costs.table import KernelTable
from pintsize.devices import Device
from pintsize.graph import Graph, Node
from pintsize.ops import Reshape
from pintsize.passes.plan_memory import Needs, plan_memory
from pintsize.write.c.calls import Isa, call_of, isa_of

#: stack of a program that nothing was measured of
STACK_BYTES = 320


@dataclass(frozen=True)
class _Layer:
    """What one layer adds."""

    constant_bytes: int
    kernels: tuple[KernelKey, ...]
    needs: Needs
    shape: Shape


@dataclass(frozen=True)
class CostModel:
    """Integer Graph → Size on one device. table: None where the core cannot be emulated; constants and RAM alone then.

    Flash and RAM of what is not linked are predictions: the program that ships is measured.
    """

    device: Device
    isa: Isa
    table: KernelTable | None
    layers: dict[tuple[object, ...], _Layer] = field(default_factory=dict)
    counts: dict[Shape, Count] = field(default_factory=dict)
    codes: dict[tuple[KernelKey, ...], int] = field(default_factory=dict)

    @classmethod
    def of(cls, device: Device) -> CostModel:
        """Of a device; the table is empty."""
        isa = isa_of(device.core)
        can_count = device.core in emulate.CORES and emulate.core(device.core).is_firmware
        can_count = can_count and emulate.can_run(device.core) is None
        return cls(device, isa, KernelTable(device.core, isa) if can_count else None)

    def measure(self, graphs: Sequence[Graph]) -> None:
        """Puts every layer of these integer Graphs into the table."""
        if self.table is not None:
            self.table.measure([(g, n) for g in graphs for n in g.nodes if _computes(n)])

    def __call__(self, graph: Graph, ram: Ram = "least") -> Size:
        """The prediction for an integer Graph; kernels that the table does not know are measured first."""
        layers = [self._layer(graph, node) for node in graph.nodes]
        constants = sum(layer.constant_bytes for layer in layers)
        ram_bytes, live = self._ram(graph, [layer.needs for layer in layers], ram)
        if self.table is None:
            return Size(constants, ram_bytes, constants, live_bytes=live)
        counts = self._counts(graph)
        code = self._code_bytes(self.table, tuple(k for layer in layers for k in layer.kernels))
        return self._timed(Size(constants + code, ram_bytes, constants, live_bytes=live), counts)

    def _ram(self, graph: Graph, needs: Sequence[Needs], how: Ram) -> tuple[int, tuple[int, ...]]:
        """(bytes, bytes alive at each step), both with the stack and the caller's buffers."""
        if how == "none":
            return 0, ()
        stack = 0 if self.table is None else self.table.stack_bytes or STACK_BYTES
        always = stack + sum(graph.type(n).activation_bytes for n in (*graph.inputs, *graph.outputs))
        plan = plan_memory(graph, needs) if how == "planned" else plan_memory(graph, needs, effort=0)
        live = tuple(always + b for b in plan.live_bytes) or (always,)
        return always + plan.arena_bytes if how == "planned" else max(live), live

    def _code_bytes(self, table: KernelTable, kernels: tuple[KernelKey, ...]) -> int:
        if kernels not in self.codes:
            self.codes[kernels] = table.code_bytes(kernels)
        return self.codes[kernels]

    def _timed(self, size: Size, counts: Sequence[Count]) -> Size:
        instructions = sum(c.instructions for c in counts)
        flash = self.device.flash
        waits = 0.0 if flash is None or flash.instruction_cache else float(flash.wait_states)
        spent = [None if c.cycles is None else c.cycles + waits * c.taken_branches for c in counts]
        total = sum(s for s in spent if s is not None)
        if None in spent or self.device.core not in cycles.TABLES:
            return replace(size, instructions=instructions)
        return replace(
            size,
            instructions=instructions,
            latency_ms=self.device.latency_ms(total),
            energy_mj=self.device.energy_mj(total),
        )

    def _counts(self, graph: Graph) -> list[Count]:
        assert self.table is not None
        shapes = [self._layer(graph, n).shape for n in graph.nodes if _computes(n)]
        if any(shape not in self.counts for shape in shapes):
            self._count(graph, self.table)
        return [self.counts[shape] for shape in shapes]

    def _count(self, graph: Graph, table: KernelTable) -> None:
        """Looks up what is new; what cannot be interpolated is measured."""
        rows = [(n, self._layer(graph, n).shape) for n in graph.nodes if _computes(n)]
        missing = [(graph, n) for n, shape in rows if table.count(shape) is None]
        if missing:
            table.measure(missing)
        for _, shape in rows:
            found = table.count(shape)
            if found is not None:
                self.counts.setdefault(shape, found)

    def _layer(self, graph: Graph, node: Node) -> _Layer:
        key = (
            node.name,
            node.op,
            *(graph.tensors[n] for n in (*node.inputs, node.output)),
        )  # tensors are themselves
        if key not in self.layers:
            call = call_of(graph, node, self.isa)
            kernels = tuple((i.function, i.literals) for i in call.invocations) if _computes(node) else ()
            constants = sum(c.bytes for c in call.constants)
            self.layers[key] = _Layer(constants, kernels, call.needs, shape_of(graph, node, call))
        return self.layers[key]


def _computes(node: Node) -> bool:
    return not isinstance(node.op, Reshape)
