"""`pintsize app assistant build`: the folder with the C program, and what it takes on the device."""

from __future__ import annotations

from pathlib import Path
from string import Template

from pintsize import __version__ as version
from pintsize.apps.application import Metrics, Said, nobody
from pintsize.apps.assistant.digits import Digits
from pintsize.apps.assistant.firmware.classified import classified
from pintsize.apps.assistant.firmware.ordered import ordered
from pintsize.apps.assistant.firmware.phrases import PhraseProgram
from pintsize.apps.assistant.firmware.program import Firmware, firmware
from pintsize.apps.assistant.orders import Orders
from pintsize.apps.assistant.phrases.classifier import FACTS as PHRASES
from pintsize.apps.assistant.phrases.classifier import Classifier
from pintsize.apps.assistant.pieces import RATE_HZ, Pieces, folder_of, load_pieces
from pintsize.apps.c_folder import manifest, require_room, rows, section_sizes
from pintsize.folder import MARKER, check_writable, write_folder

README = Template("""\
# The voice assistant for $device

Raw samples in, decisions out: int16, one channel, $rate Hz, $hop at a time. Written by pintsize $version.

    #include "assistant.h"

    assistant_init();
    for (;;) {
        next_samples(hop);                                    /* ASSISTANT_HOP of them */
        assistant_decision told = gap_in_the_signal() ? assistant_broken() : assistant_push(hop);
        act_on(&told);                                        /* ASSISTANT_NOTHING for most hops */
    }

`main.c` is the example for this computer: `make`, then `./assistant < samples.raw` prints each decision as JSON.
For a board leave main.c out. There is no heap and no clock; time is counted in samples. `told.health` says of every hop
whether the signal is flat, stuck or clipped: while it is, nothing is decided, and what was open is lost.

| | |
|---|---|
$figures

Flash and RAM of the models are measured as linked for the device's core, each with its start-up code and its own arena;
those of the decisions are the compiled sections. Latencies are estimated.
""")


def build(device: str, out: Path, weights: Path | None = None, said: Said = nobody) -> Metrics:
    """Writes the folder. Gives what it takes on the device.

    Raises DeviceError for a device that is not known, DoesNotFit where a model is too large for it, UserError for what
    C does not have, OutputError where it cannot be written.
    """
    check_writable(out)
    pieces = load_pieces(weights)
    folders = {piece: folder_of(weights, piece) for piece in ("wake", "digits", "orders")}
    made = firmware(pieces.wake, folders, programs_of(pieces), device, said=said)
    figures = figures_of(made, device, pieces.wake.hop_samples)
    require_room("the assistant", figures, device)
    files = {name: text.encode() for name, text in made.files.items()}
    files["README.md"] = _readme(device, pieces.wake.hop_samples, figures).encode()
    files[MARKER] = manifest("assistant", device, figures, files)
    write_folder(dict(sorted(files.items())), out)
    return figures


def figures_of(made: Firmware, device: str, hop_samples: int) -> dict[str, float]:
    """Bytes of flash and RAM, and milliseconds, by piece; what is not known on the device is left out."""
    found: dict[str, float] = {}
    for piece, taken in made.taken.items():
        figures = {name: taken.get(name) for name in ("flash_bytes", "ram_bytes", "latency_ms")}
        found |= {f"{piece}_{name}": float(value) for name, value in figures.items() if value is not None}
    found |= _of_decisions(made, device)
    for name in ("flash_bytes", "ram_bytes"):
        found[name] = sum(value for key, value in found.items() if key.endswith(f"_{name}"))
    if "wake_latency_ms" in found:
        found["wake_share_of_core"] = found["wake_latency_ms"] / (1e3 * hop_samples / RATE_HZ)
    return found


def _of_decisions(made: Firmware, device: str) -> dict[str, float]:
    """The sections of the compiled files that join the models; nothing where the core cannot be compiled for."""
    sizes = section_sizes(made.files, device, made.decision_sources)
    return {} if sizes is None else {"decisions_flash_bytes": sizes[0], "decisions_ram_bytes": sizes[1]}


def _readme(device: str, hop_samples: int, figures: Metrics) -> str:
    return README.substitute(
        device=device, rate=RATE_HZ, hop=hop_samples, version=version, figures=rows(figures)
    )


def programs_of(pieces: Pieces) -> tuple[PhraseProgram, ...]:
    """How C asks the pieces that understand phrases."""
    found: list[PhraseProgram] = []
    if isinstance(pieces.digits, Digits):
        found.append(classified("digits", pieces.digits.classifier))
    if isinstance(pieces.orders, Orders):
        found.append(_orders_of(pieces.orders))
    return tuple(found)


def _orders_of(orders: Orders) -> PhraseProgram:
    """Of a menu, or of a user's own phrases."""
    if orders.menu is not None:
        return ordered(orders.artifact, orders.menu)
    facts = orders.artifact.manifest.content[PHRASES]
    return classified("orders", Classifier(orders.artifact, float(facts["least"])))
