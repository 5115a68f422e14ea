"""`pintsize app images build`: the folder with the C program, proven, and what it takes on the device."""

from __future__ import annotations

import io
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize import DEVICES, emulate
from pintsize import __version__ as version
from pintsize.apps.application import Metrics, Said, nobody
from pintsize.apps.c_folder import manifest, require_room, rows
from pintsize.apps.images.answer import Answer
from pintsize.apps.images.cells.cells import Cells
from pintsize.apps.images.cells.peaks import CLASSES
from pintsize.apps.images.firmware.program import Firmware, firmware
from pintsize.apps.images.gate import NAMES, statistics
from pintsize.apps.images.pictures import Picture, Pixels, resized
from pintsize.apps.images.pieces import Piece, folder_of, load_piece
from pintsize.emulate.host import HostModel
from pintsize.errors import VerificationError
from pintsize.folder import MARKER, check_writable, write_folder

#: pictures that Python and C must answer alike
GOLDEN = 24
#: of these, those run on the emulated core
GOLDEN_ON_CORE = 4
README = Template("""\
# $name for $device

Raw pixels in, decision out: $width×$height pixels of red, green and blue, 8 bits each. Written by pintsize $version.

    #include "picture.h"

    picture_decision told = picture_look(rgb);

`rgb` is the middle of the picture, each pixel the mean of what it covers (a box filter); a grey picture has three equal
values. `main.c` is the example for this computer: `make`, then `./picture < pixels.raw` prints each decision as JSON.
For a board leave main.c out. There is no heap. `golden.npz` holds pictures and the bytes that `picture_run` answers.

A screening aid, not a diagnosis.

| | |
|---|---|
$figures

Flash is measured as linked for the device's core, with its start-up code; RAM with the buffers of the picture and the
decision, without the stack. The network's figures are its own, its latency is estimated.
""")


def build(device: str, out: Path, model: str, weights: Path | None = None, said: Said = nobody) -> Metrics:
    """Writes the folder. Gives what it takes on the device.

    Raises DeviceError for a device that is not known, DoesNotFit where it is too large, OutputError where it cannot be
    written, VerificationError where C decides otherwise than Python.
    """
    check_writable(out)
    piece, folder = load_piece(model, weights), folder_of(model, weights)
    said(f"{piece.artifact.manifest.name} for {device}")
    made = firmware(piece, folder, device)
    golden = golden_of(piece)
    figures = proven(made, golden, device, said)
    files = {name: text.encode() for name, text in made.files.items()}
    files["golden.npz"] = _golden_file(*golden)
    files["README.md"] = _readme(piece, device, figures).encode()
    files[MARKER] = manifest(piece.artifact.manifest.name, device, figures, files)
    write_folder(dict(sorted(files.items())), out)
    return figures


def proven(
    made: Firmware, golden: tuple[NDArray[np.int8], NDArray[np.int8]], device: str, said: Said = nobody
) -> dict[str, float]:
    """What it takes, once C answered the golden pictures as Python does, here and on the device's core."""
    pictures, wanted = golden
    with HostModel(made.files, prefix="picture", sources=made.sources) as host:
        _require_same("this computer", host.run(pictures), wanted)
    figures = {
        f"network_{name}": float(value)
        for name, value in made.taken.items()
        if isinstance(value, int | float)
        and name in ("flash_bytes", "ram_bytes", "latency_ms", "instructions")
    }
    target = emulate.CORES.get(DEVICES[device].core)
    if target is None or not target.is_firmware:
        return figures
    said(f"on the {target.name}")
    program = emulate.build(made.files, target, "picture", sources=made.sources)
    figures |= {"flash_bytes": float(program.flash_bytes), "ram_bytes": float(program.ram_bytes)}
    require_room("it", figures, device)
    execution = emulate.execute(program, pictures[:GOLDEN_ON_CORE])
    _require_same(f"the {target.name}", execution.outputs, wanted[:GOLDEN_ON_CORE])
    return figures


def program_figures(folder: Path, device: str) -> dict[str, float]:
    """Flash and RAM of the whole program, gate and decision included, as linked for a microcontroller."""
    made = firmware(load_piece("", folder), folder, device)
    program = emulate.build(made.files, emulate.core(DEVICES[device].core), "picture", sources=made.sources)
    return {
        "program_flash_bytes": float(program.flash_bytes),
        "program_ram_bytes": float(program.ram_bytes),
    }


def golden_of(piece: Piece, count: int = GOLDEN) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Pictures (n, bytes) and the bytes of the decisions, as Python decides: smooth, grainy, dark, in colour."""
    height, width, _ = piece.artifact.input.shape
    random = np.random.default_rng(0)
    drawn = [_drawn(width, height, number, random) for number in range(count)]
    answers = np.stack([decided(piece, pixels) for pixels in drawn])
    return np.stack([p.reshape(-1).view(np.int8) for p in drawn]), answers


def decided(piece: Piece, pixels: Pixels) -> NDArray[np.int8]:
    """The bytes that `picture_run` gives for a picture of the network's size."""
    answer = piece.ask(Picture("", pixels, False))
    reason = _reason_of(piece, pixels, answer)
    if isinstance(piece, Cells):
        counted = answer.kind == "counted"
        counts = [int(answer.details[name]) if counted else 0 for name in CLASSES]
        return _bytes([int(not counted), reason], counts)
    kind = ("label", "unsure", "ungradable").index(answer.kind)
    label = -1 if answer.value is None else piece.artifact.labels.index(answer.value)
    confidence = 0 if answer.confidence is None else round(answer.confidence * (1 << 15))
    return _bytes([kind, label, reason], [confidence])


def _bytes(small: list[int], wide: list[int]) -> NDArray[np.int8]:
    first = np.array(small, np.int8)
    return np.concatenate([first, np.array(wide, "<u2").view(np.int8)])


def _reason_of(piece: Piece, pixels: Pixels, answer: Answer) -> int:
    """The number of the reason in C; -1 for none."""
    if answer.kind != "ungradable":
        return -1
    gate, found = piece.gate, statistics(pixels)
    at = gate.first_out(found)
    if at is not None:
        return 2 * NAMES.index(at) + int(getattr(found, at) > gate.ranges[at][1])
    if isinstance(piece, Cells):
        return 2 * len(NAMES)
    from pintsize.apps.images.xray.xray import REASONS

    odd = next(label for label, text in REASONS.items() if str(answer.reason).endswith(text))
    return 2 * len(NAMES) + piece.artifact.labels.index(odd)


def _drawn(width: int, height: int, number: int, random: np.random.Generator) -> Pixels:
    """Coarse patches made smooth, with grain; every fourth one in strong colours, every fifth one dark."""
    cells = int(random.integers(3, 12))
    coarse = random.integers(20, 236, (cells, cells, 1 if number % 4 else 3)).astype(np.uint8)
    plane = np.repeat(coarse, 3, axis=2) if coarse.shape[2] == 1 else coarse
    middle = resized(resized(plane, 4 * cells, 4 * cells), max(width // 2, 4), max(height // 2, 4))
    pixels = resized(middle, width, height).astype(np.float64) + random.normal(0, 6, (height, width, 1))
    pixels = pixels * (0.1 if number % 5 == 4 else 1.0)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _require_same(where: str, found: NDArray[Any], wanted: NDArray[np.int8]) -> None:
    different = int((np.asarray(found).reshape(wanted.shape) != wanted).any(1).sum())
    if different:
        raise VerificationError(
            f"{where}: {different} of {len(wanted)} pictures are decided otherwise than in Python"
        )


def _golden_file(pictures: NDArray[np.int8], decisions: NDArray[np.int8]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, inputs=pictures, outputs=decisions)
    return stream.getvalue()


def _readme(piece: Piece, device: str, figures: Metrics) -> str:
    height, width, _ = piece.artifact.input.shape
    return README.substitute(
        name=piece.artifact.manifest.name,
        device=device,
        width=width,
        height=height,
        version=version,
        figures=rows(figures),
    )
