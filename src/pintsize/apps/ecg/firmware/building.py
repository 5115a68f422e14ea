"""`pintsize app ecg build`: the folder with the C program, and what it takes on the device."""

from __future__ import annotations

from pathlib import Path
from string import Template

from pintsize import __version__ as version
from pintsize.apps.application import Metrics, Said, nobody
from pintsize.apps.c_folder import manifest, require_room, rows, section_sizes
from pintsize.apps.ecg.firmware.program import Firmware, firmware
from pintsize.apps.ecg.pieces import folder_of, load_pieces
from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.triage import NOTICE
from pintsize.folder import MARKER, check_writable, write_folder

README = Template("""\
# The portable ECG for $device

$notice. Raw samples in, decisions out: int16, one lead, $rate Hz, 5 µV a count, $hop at a time. Written by pintsize
$version.

    #include "ecg.h"

    static void told(const ecg_decision *decision) { … }      /* beat, finding, rate, quality, lead, rhythm, triage */

    ecg_init(told);
    while (recording()) {
        next_samples(hop);                                    /* ECG_RAW_HOP of them */
        ecg_push(hop);
    }
    ecg_finish();                                             /* the rhythm and the triage of all of it */

Where samples are missing: `ecg_broken(missing)`. `main.c` is the example for this computer: `make`, then
`./ecg < samples.raw` prints each decision as JSON. For a board leave main.c and texts.c out. There is no heap and no
clock; time is counted in samples.

| | |
|---|---|
$figures

Flash and RAM of the models are measured as linked for the device's core, each with its start-up code and its own arena;
those of finder, naming and decisions are the compiled sections (-Os), without their stack. Latencies and energies
are estimated.
""")


def build(
    device: str, out: Path, weights: Path | None = None, said: Said = nobody, rate_hz: int = RATE_HZ
) -> Metrics:
    """Writes the folder. Gives what it takes on the device.

    Raises DeviceError for a device that is not known, DoesNotFit where it is too large for it, UserError for what C
    does not have, OutputError where it cannot be written.
    """
    check_writable(out)
    pieces = load_pieces(weights)
    folders = {piece: folder_of(weights, piece) for piece in ("beats", "classes")}
    made = firmware(pieces.beats, pieces.classes, folders, device, said, rate_hz)
    figures = figures_of(made, device)
    require_room("the ECG", figures, device)
    files = {name: text.encode() for name, text in made.files.items()}
    files["README.md"] = _readme(made, device, figures, rate_hz).encode()
    files[MARKER] = manifest("ecg", device, figures, files)
    write_folder(dict(sorted(files.items())), out)
    return figures


def figures_of(made: Firmware, device: str) -> dict[str, float]:
    """Bytes of flash and RAM, milliseconds and millijoules, by piece; what is not known on the device is left out."""
    found: dict[str, float] = {}
    for piece, taken in made.taken.items():
        figures = {name: taken.get(name) for name in ("flash_bytes", "ram_bytes", "latency_ms", "energy_mj")}
        found |= {f"{piece}_{name}": float(value) for name, value in figures.items() if value is not None}
    found |= _of_decisions(made, device)
    for name in ("flash_bytes", "ram_bytes"):
        found[name] = sum(value for key, value in found.items() if key.endswith(f"_{name}"))
    return found


def _of_decisions(made: Firmware, device: str) -> dict[str, float]:
    """The sections of the compiled files that join the models; nothing where the core cannot be compiled for.

    `finder` belongs to the beats, `naming` (with the patient's context) to the classes; `decisions` is the rest.
    """
    parts = {name: [f"{name}.c"] for name in ("finder", "naming")}
    parts["decisions"] = [name for name in made.decision_sources if name not in ("finder.c", "naming.c")]
    found: dict[str, float] = {}
    for part, sources in parts.items():
        sizes = section_sizes(made.files, device, sources, "-Os")
        if sizes is not None:
            found |= {f"{part}_flash_bytes": sizes[0], f"{part}_ram_bytes": sizes[1]}
    return found


def _readme(made: Firmware, device: str, figures: Metrics, rate_hz: int) -> str:
    raw_hop = _define(made, "ECG_RAW_HOP")
    return README.substitute(
        device=device, rate=rate_hz, hop=raw_hop, version=version, figures=rows(figures), notice=NOTICE
    )


def _define(made: Firmware, name: str) -> str:
    lines = made.files["parameters.h"].splitlines()
    return next(line.split()[2] for line in lines if line.startswith(f"#define {name} "))
