"""`pintsize bench`: what a model takes on a core, layer by layer, and how its memory is laid out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pintsize import devices, emulate
from pintsize.devices import DEVICES, Device
from pintsize.errors import DeviceError, UserError
from pintsize.folder import MARKER
from pintsize.graph import Graph
from pintsize.measure import Footprint, footprint
from pintsize.passes.fold_constant_channels import fold_constant_channels
from pintsize.read.model_file import read_model
from pintsize.verify import random_codes
from pintsize.write.c import CProgram, write
from pintsize.write.c.calls import isa_of


@dataclass(frozen=True)
class LayerCost:
    """One layer: multiply-accumulates, its constants in flash, instructions of one run (None: not counted)."""

    name: str
    op: str
    output_shape: tuple[int, ...]
    macs: int
    weight_bytes: int
    instructions: int | None


@dataclass(frozen=True, eq=False)
class Bench:
    """What one run takes on a device's core. The figures' kinds are those of `Footprint`."""

    graph: Graph
    program: CProgram
    device: Device
    footprint: Footprint
    layers: tuple[LayerCost, ...]


def bench(
    model: str | Path | Graph,
    core: str | None = None,
    device: str | Device | None = None,
    reuse_io: bool | None = None,
    shape: tuple[int, ...] | None = None,
) -> Bench:
    """Writes an integer model for a core, links it and counts one run.

    Args:
        model: a folder that pintsize wrote, a .tflite or .onnx file, or an integer Graph.
        core: such as "m4" or "cortex-m4"; else the device's, else the one that the folder was written for.
        device: whose clock, flash and current the estimates take; else the first in the table with that core.
        reuse_io: as in `compile_model`; None: as the folder was written.

    Raises UserError for a model of real numbers, DeviceError for a core that is not known or not emulated.
    """
    folder = _manifest(Path(model)) if not isinstance(model, Graph) else {}
    target = _device(core, device, folder.get("device"))
    graph = model if isinstance(model, Graph) else read_model(Path(model), shape)
    if not graph.type(graph.inputs[0]).is_quantized:
        raise UserError(f"{graph.name} is a model of real numbers: quantize it first, with pintsize shrink")
    within = bool(folder.get("reuse_io", False)) if reuse_io is None else reuse_io
    graph = graph if graph.states else fold_constant_channels(graph)
    spare = folder.get("spare_flash_bytes", 0)
    spare_bytes = spare if isinstance(spare, int) else 0
    program = write(graph, isa=isa_of(target.core), reuse_io=within, spare_flash_bytes=spare_bytes)
    taken = footprint(program, target, random_codes(graph, 1))
    return Bench(graph, program, target, taken, _layers(graph, program, taken))


def core_named(name: str) -> str:
    """ "m4" and "cortex-m4" → "cortex-m4". Raises DeviceError with the nearest names."""
    lower = name.lower()
    alias = f"cortex-{lower.replace('+', 'plus')}" if lower.startswith("m") else lower
    return emulate.core(alias).name


def _manifest(path: Path) -> dict[str, object]:
    marker = path / MARKER
    try:
        return json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else {}
    except (OSError, ValueError) as error:
        raise UserError(f"{marker} is damaged: {error}") from error


def _device(core: str | None, device: str | Device | None, written_for: object) -> Device:
    found = devices.device(device) if device is not None else None
    if found is None and isinstance(written_for, str) and written_for in DEVICES:
        found = DEVICES[written_for]
    if core is None:
        if found is None:
            raise UserError("say for which core: --core m4, or --device stm32l4r5")
        return found
    name = core_named(core)
    if found is not None and found.core == name:
        return found
    if device is not None:
        raise DeviceError(f"{device} has a {found.core if found else ''}, not a {name}: give one of the two")
    same = [d for d in DEVICES.values() if d.core == name]
    if not same:
        raise DeviceError(f"no device in the table has a {name}: add one (docs/how-to/add-a-device.md)")
    return same[0]


def _layers(graph: Graph, program: CProgram, taken: Footprint) -> tuple[LayerCost, ...]:
    counts = taken.by_layer
    rows: list[LayerCost] = []
    for index, node in enumerate(graph.nodes):
        counted = counts.get(program.layers[index], 0) if counts else None
        shape, macs = graph.type(node.output).shape, graph.cost(node).macs
        rows.append(LayerCost(node.name, node.op.name, shape, macs, program.constant_bytes[index], counted))
    return tuple(rows)
