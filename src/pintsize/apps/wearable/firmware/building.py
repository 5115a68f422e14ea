"""`pintsize app wearable build`: the folder with the C program, and what it takes on the device."""

from __future__ import annotations

from pathlib import Path
from string import Template

from pintsize import __version__ as version
from pintsize.apps.application import Metrics, Said, nobody
from pintsize.apps.c_folder import manifest, require_room, rows, section_sizes
from pintsize.apps.wearable.activity.activity import WEIGHTS
from pintsize.apps.wearable.firmware.program import Firmware, firmware
from pintsize.apps.wearable.heart_rate.program import taken
from pintsize.folder import MARKER, check_writable, write_folder

#: pieces that a firmware needs, each a folder of the weights
PIECES = ("activity", "heart_rate_ppg", "heart_rate_ecg")
README = Template("""\
# The wearable for $device

Raw samples in, decisions out. Written by pintsize $version. **A screening aid, not a diagnosis.**

    #include "wearable.h"
    #include "heart_rate_ppg.h"

    wearable_init();
    for (;;) {
        next_samples(hop);                       /* WEARABLE_HOP of acceleration and turning, int16 at 50 Hz */
        if (gap_in_the_signal()) wearable_init();
        wearable_told told = wearable_move(hop); /* told.label: of wearable_labels, or -1 and told.reason */
    }

The heart rate is asked beside it, a second of raw samples at a time: `heart_rate_ppg.h`, `heart_rate_ecg.h`. Leave out
the files of what your device does not measure. `main.c` is the example for this computer: `make`, then
`./wearable < motion.raw` or `./wearable ppg < pulse.raw` prints each answer as JSON. For a board leave main.c out.
There is no heap and no clock; time is counted in samples. Gaps and dead sensors are the caller's to find.

| | |
|---|---|
$figures

Flash and RAM of the models are measured as linked for the device's core, each with its start-up code; those of the
decision are the compiled sections. Latency is estimated. Sleep is judged from a night's features, on a computer.
""")


def build(device: str, out: Path, weights: Path | None = None, said: Said = nobody) -> Metrics:
    """Writes the folder. Gives what it takes on the device.

    Raises DeviceError for a device that is not known, DoesNotFit where it is too large for it, OutputError where it
    cannot be written.
    """
    check_writable(out)
    made = firmware(_complete(weights), device, said)
    figures = figures_of(made, device)
    require_room("the wearable", figures, device)
    files = {name: text.encode() for name, text in made.files.items()}
    files["README.md"] = README.substitute(device=device, version=version, figures=rows(figures)).encode()
    files[MARKER] = manifest("wearable", device, figures, files)
    write_folder(dict(sorted(files.items())), out)
    return figures


def _complete(weights: Path | None) -> Path:
    """The user's weights where they hold all that is needed, else the shipped ones."""
    whole = weights is not None and all((weights / piece / MARKER).is_file() for piece in PIECES)
    return weights if whole and weights is not None else WEIGHTS.parent


def figures_of(made: Firmware, device: str) -> dict[str, float]:
    """Bytes of flash and RAM, and milliseconds; what is not known on the device is left out."""
    names = ("flash_bytes", "ram_bytes", "latency_ms")
    found = {f"activity_{name}": made.activity.get(name) for name in names}
    sizes = section_sizes(made.files, device, ("wearable.c",))
    if sizes is not None:
        for kind, program in made.rates.items():
            linked = taken(program, device)
            found |= {f"heart_rate_{kind}_{name}": linked[f"rate_{name}"] for name in names[:2]}
        found |= {"decision_flash_bytes": sizes[0], "decision_ram_bytes": sizes[1]}
    known = {name: float(value) for name, value in found.items() if value is not None}
    for name in names[:2]:
        known[name] = sum(value for key, value in known.items() if key.endswith(f"_{name}"))
    return known
