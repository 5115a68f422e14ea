"""Writes a model of pictures as C: pure functions that give files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from math import ceil
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize import compile_model
from pintsize.apps.c_folder import makefile
from pintsize.apps.chances import CHANCE_BITS, Chances
from pintsize.apps.images.cells.cells import Cells
from pintsize.apps.images.cells.peaks import CLASSES, Mass
from pintsize.apps.images.gate import NAMES, REASONS, Gate
from pintsize.apps.images.own.own import OwnPictures
from pintsize.apps.images.pieces import Piece
from pintsize.apps.images.xray.xray import REASONS as XRAY_REASONS
from pintsize.apps.images.xray.xray import XRay
from pintsize.errors import UserError

COMMON = ("codes.c", "gate.c", "gate.h", "main.c")
CLASSIFIED = (*COMMON, "classified.c", "chances.c", "chances.h")
COUNTED = (*COMMON, "counted.c")
#: beyond every statistic
WIDEST = (0, (1 << 31) - 1)
_PER_LINE = 16

HEADER = Template("""\
/* A picture and what is to be said of it, written by pintsize. */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

#include "gate.h"

/* Red, green, blue, row by row: the middle of the picture, each pixel the mean of what it covers. */
#define PICTURE_INPUT_BYTES $input_bytes
#define PICTURE_OUTPUT_BYTES $output_bytes
$defines

$kinds
$decision

extern const char *const picture_kinds[];
extern const char *const picture_reasons[];
$declared

/* What is to be said of a picture of PICTURE_INPUT_BYTES. */
picture_decision picture_look(const uint8_t *rgb);

/* The same with the decision as bytes, for tests: in the order of its members, numbers of 16 bits low byte first. */
void picture_init(void);
void picture_run(const int8_t *in, int8_t *out);

/* Pixels as the network takes them. */
void picture_codes(const uint8_t *rgb, int8_t *codes);

#endif
""")
LABEL_DECISION = """\
enum { PICTURE_LABEL, PICTURE_UNSURE, PICTURE_UNGRADABLE };

/* label: -1 where none is told; reason: why a picture cannot be graded, else -1; confidence: of 32768. */
typedef struct {
    int8_t kind, label, reason;
    uint16_t confidence;
} picture_decision;"""
COUNT_DECISION = """\
enum { PICTURE_COUNTED, PICTURE_UNGRADABLE };

/* reason: why cells cannot be counted, else -1. */
typedef struct {
    int8_t kind, reason;
    uint16_t counts[PICTURE_CLASSES];
} picture_decision;"""


@dataclass(frozen=True)
class Array:
    """A constant array of C."""

    kind: str
    name: str
    items: Sequence[str]

    @property
    def declared(self) -> str:
        return f"extern const {self.kind} {self.name}[{len(self.items)}];"

    @property
    def written(self) -> str:
        lines = [", ".join(self.items[i : i + _PER_LINE]) for i in range(0, len(self.items), _PER_LINE)]
        return (
            f"const {self.kind} {self.name}[{len(self.items)}] = {{\n    " + ",\n    ".join(lines) + ",\n};"
        )


@dataclass(frozen=True)
class Firmware:
    """files: name → text; taken: what the network takes on the device, as `Compiled.metrics` has it."""

    files: Mapping[str, str]
    taken: Mapping[str, Any]

    @property
    def sources(self) -> tuple[str, ...]:
        """All but the example's main."""
        return tuple(sorted(n for n in self.files if n.endswith(".c") and n != "main.c"))


def firmware(piece: Piece, folder: Any, device: str) -> Firmware:
    """The C of a piece whose artifact lies in `folder`. Raises UserError for a piece that C does not have."""
    compiled = compile_model(folder, device)
    if isinstance(piece, Cells):
        files = _of_cells(piece)
    elif isinstance(piece, XRay):
        odd = [XRAY_REASONS[name] for name in piece.artifact.labels[2:]]
        files = _classified(piece, piece.least, piece.gate, odd, piece.most_odd)
    elif isinstance(piece, OwnPictures):
        files = _classified(piece, piece.least, piece.gate, (), 1.0)
    else:
        raise UserError(f"{piece.artifact.manifest.name} has no program in C")
    files = {**files, **compiled.named("net")}
    return Firmware(
        {
            **files,
            "Makefile": makefile("picture", files, "raw RGB pictures"),
        },
        compiled.metrics(),
    )


def _classified(
    piece: Piece, least: float, gate: Gate, odd: Sequence[str], most_odd: float
) -> dict[str, str]:
    artifact = piece.artifact
    table = Chances(artifact.output, artifact.manifest.calibration).table
    one = 1 << CHANCE_BITS
    defines = {
        "PICTURE_LABELS": len(artifact.labels),
        "PICTURE_ODD": len(odd),
        "PICTURE_MOST_ODD": int(most_odd * one),
        "PICTURE_LEAST": ceil(least * one),
        "PICTURE_POWERS": len(table),
    }
    arrays = [
        Array("char *const", "picture_labels", [_quoted(name) for name in artifact.labels]),
        Array("uint32_t", "picture_powers", [str(n) for n in table.tolist()]),
    ]
    # a reason of the network is told by its label, which are counted from the first
    reasons = [""] * (len(artifact.labels) - len(odd)) + list(odd)
    kinds = ("label", "unsure", "ungradable")
    return _written(piece, gate, CLASSIFIED, defines, arrays, kinds, LABEL_DECISION, reasons, 5)


def _of_cells(piece: Cells) -> dict[str, str]:
    rows, columns, classes = piece.artifact.output.shape
    by_mass = [i for i, rule in enumerate(piece.rules) if rule.mass is not None]
    if len(by_mass) > 1:
        raise UserError(f"{len(by_mass)} classes are counted by mass: C has one")
    mass = next((rule.mass for rule in piece.rules if rule.mass is not None), Mass((0,) * 256, 0))
    defines = {
        "PICTURE_ROWS": rows,
        "PICTURE_COLUMNS": columns,
        "PICTURE_CLASSES": classes,
        "PICTURE_BY_MASS": f"({by_mass[0] if by_mass else -1})",
        "PICTURE_MASS_OFFSET": f"({mass.offset})",
    }
    arrays = [
        Array("char *const", "picture_classes", [_quoted(name) for name in CLASSES]),
        Array("int16_t", "picture_thresholds", [str(rule.threshold) for rule in piece.rules]),
        Array("int16_t", "picture_distances", [str(rule.distance) for rule in piece.rules]),
        Array("int32_t", "picture_mass", [str(n) for n in mass.weights]),
    ]
    kinds, reasons = ("counted", "ungradable"), ["no cell is to be seen in it"]
    return _written(
        piece, piece.gate, COUNTED, defines, arrays, kinds, COUNT_DECISION, reasons, 2 + 2 * classes
    )


def _written(
    piece: Piece, gate: Gate, by_hand: Sequence[str], defines: Mapping[str, Any], arrays: Sequence[Array],
    kinds: Sequence[str], decision: str, reasons: Sequence[str], output_bytes: int,
) -> dict[str, str]:  # fmt: skip
    height, width, channels = piece.artifact.input.shape
    sizes = {"PICTURE_WIDTH": width, "PICTURE_HEIGHT": height, "PICTURE_CHANNELS": channels}
    of_gate = [text for name in NAMES for text in REASONS[name]]
    everything = [
        *arrays,
        Array("int8_t", "picture_code_of", [str(n) for n in codes_of_pixels(piece).tolist()]),
        Array("gate_range", "picture_ranges", [_range(gate, name) for name in NAMES]),
    ]
    texts = [
        Array("char *const", "picture_kinds", [_quoted(kind) for kind in kinds]),
        Array("char *const", "picture_reasons", [_quoted(text) for text in (*of_gate, *reasons)]),
    ]
    all_defines = "\n".join(f"#define {name} {value}" for name, value in {**sizes, **defines}.items())
    header = HEADER.substitute(
        input_bytes=3 * width * height, output_bytes=output_bytes, defines=all_defines, kinds="",
        decision=decision, declared="\n".join(array.declared for array in everything),
    )  # fmt: skip
    constants = "\n\n".join(array.written for array in (*texts, *everything))
    home = package_files("pintsize.apps.images.firmware").joinpath("c")
    files = {name: home.joinpath(name).read_text(encoding="utf-8") for name in by_hand}
    files["picture.h"] = header.replace("\n\n\n", "\n\n")
    files["constants.c"] = (
        f'/* Names and tables, written by pintsize. */\n#include "picture.h"\n\n{constants}\n'
    )
    return files


def codes_of_pixels(piece: Piece) -> NDArray[np.int8]:
    """(256,): the network's code of each value of a pixel."""
    return piece.artifact.input.quantize(np.arange(256))


def _range(gate: Gate, name: str) -> str:
    least, most = gate.ranges.get(name, WIDEST)
    return f"{{{least}, {most}}}"


def _quoted(text: str) -> str:
    """A C string; whatever is no plain ASCII is written by its bytes in octal."""
    inside = json.dumps(text, ensure_ascii=False)[1:-1]
    return '"' + "".join(_character(byte) for byte in inside.encode()) + '"'


def _character(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 and byte != ord("?") else f"\\{byte:03o}"
