"""The weights of a piece as they are shipped: an artifact for computers, cut to what running it needs.

manifest.json  the artifact's, with `calibration`, `figures` and the application's own facts in it
model.wasm     the proven program     graph.json, weights.npz   the Graph it was written from, to write C from it
golden.npz     a few vectors, run whenever it is loaded         CARD.md   data, licence, splits, limits
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pintsize import Graph, compile_model
from pintsize.errors import DoesNotFit, ToolError, UserError
from pintsize.folder import MARKER, write_folder
from pintsize.stream.artifact import GOLDEN, PROGRAM, load
from pintsize.stream.decision import Calibration

CARD = "CARD.md"
COMPUTER = "raspberrypi4"
#: whose flash is told; Cortex-M4 at 120 MHz
FLASH_DEVICE = "stm32l4r5"
#: whose energy is told: its current at full clock is known
ENERGY_DEVICE = "nrf52840"
GOLDEN_VECTORS = 8
#: of their inputs; two vectors are kept in any case
GOLDEN_BYTES = 1 << 18
KEPT = (PROGRAM, "graph.json", "weights.npz", GOLDEN)


def ship(
    graph: Graph,
    folder: str | Path,
    *,
    calibration: Calibration | None = None,
    stream: int | None = None,
    carry: bool = False,
    figures: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    extra: Mapping[str, bytes] | None = None,
    card: str | None = None,
    flash_device: str = FLASH_DEVICE,
) -> dict[str, Any]:
    """Writes the shipped folder of a piece and proves it by loading it; the same graph gives the same bytes.

    graph: of integers, the front-end included; stream, carry: as in `compile_model`
    figures: what was measured on validation (metric → value); what it takes on the devices is added to them
    facts: what the piece needs to run (thresholds, words), JSON, at the top of manifest.json under their own names
    extra: further files (name → content), such as a vocabulary; `pintsize.stream.manifest.checked` reads them
    card: text of CARD.md; None keeps the one that is there
    Gives the figures, with flash_bytes, ram_bytes, … in them.

    Raises DoesNotFit where it is too large for the devices, VerificationError when an integer differs, UserError for
    facts that would hide an entry of the manifest.
    """
    folder = Path(folder)
    files = compile_model(graph, COMPUTER, stream=stream, carry=carry).files()
    if PROGRAM not in files:
        raise ToolError(
            f"{graph.name}: no {PROGRAM} was written. Its borders must be codes, and ziglang is needed"
        )
    manifest: dict[str, Any] = json.loads(files[MARKER])
    _require_new(manifest, facts or {}, extra or {})
    all_figures = {**(figures or {}), **device_figures(graph, flash_device, stream, carry)}
    kept = {name: files[name] for name in KEPT} | {GOLDEN: _cut(files[GOLDEN])} | dict(extra or {})
    manifest |= {"golden_vectors": _vectors(kept[GOLDEN]), **(facts or {}), "figures": all_figures}
    if calibration is not None:
        manifest["calibration"] = asdict(calibration)
    manifest["sha256"] = {name: hashlib.sha256(kept[name]).hexdigest() for name in sorted(kept)}
    text = card.encode() if card is not None else _card_there(folder)
    written = {**kept, MARKER: _as_json(manifest), **({CARD: text} if text is not None else {})}
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    write_folder(dict(sorted(written.items())), folder)
    load(folder)
    return all_figures


def device_figures(
    graph: Graph, device: str, stream: int | None = None, carry: bool = False
) -> dict[str, Any]:
    """What the artifact takes on a microcontroller, a run or step. Raises DoesNotFit where it is too large for it.

    flash_bytes (constants and code, linked) and ram_bytes are measured, instructions counted, the rest is estimated.
    """
    found = compile_model(graph, device, stream=stream, carry=carry)
    taken = found.footprint
    return {
        "flash_device": found.device.name,
        "flash_bytes": taken.flash_bytes,
        "ram_bytes": taken.ram_bytes,
        "instructions": taken.instructions,
        "latency_ms": taken.latency_ms,
        "measured": "flash_bytes, ram_bytes: linked for the device's core, front-end included",
        "counted": "instructions: one run (step) on the emulated core",
        "estimated": "latency_ms, energy: the core's cycle table, datasheet clock and current",
        **_energy(graph, stream, carry),
    }


def _energy(graph: Graph, stream: int | None, carry: bool) -> dict[str, Any]:
    """Energy of one run, on a device whose current is known and which it fits."""
    try:
        taken = compile_model(graph, ENERGY_DEVICE, stream=stream, carry=carry).footprint
    except DoesNotFit:
        return {"energy_device": None, "energy_mj": None}
    return {"energy_device": ENERGY_DEVICE, "energy_mj": taken.energy_mj}


def _cut(golden: bytes) -> bytes:
    """The first vectors: of a model with state they follow one another from its beginning."""
    with np.load(io.BytesIO(golden), allow_pickle=False) as archive:
        inputs = archive["inputs"]
        count = min(GOLDEN_VECTORS, max(2, GOLDEN_BYTES // inputs[0].nbytes))
        first = {"inputs": inputs[:count], "outputs": archive["outputs"][:count]}
    stream = io.BytesIO()
    np.savez_compressed(stream, inputs=first["inputs"], outputs=first["outputs"])
    return stream.getvalue()


def _vectors(golden: bytes) -> int:
    with np.load(io.BytesIO(golden), allow_pickle=False) as archive:
        return len(archive["inputs"])


def _require_new(manifest: Mapping[str, Any], facts: Mapping[str, Any], extra: Mapping[str, bytes]) -> None:
    taken = sorted({*facts} & {*manifest, "figures", "calibration"}) + sorted(
        {*extra} & {*KEPT, MARKER, CARD}
    )
    if taken:
        raise UserError(f"{', '.join(taken)}: names that an artifact uses itself; choose others")


def _card_there(folder: Path) -> bytes | None:
    path = folder / CARD
    return path.read_bytes() if path.is_file() else None


def _as_json(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=1) + "\n").encode()
