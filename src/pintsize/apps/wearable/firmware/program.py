"""Writes the wearable's C for a device: pure functions that give files.

What it decides is what `activity/smoothing.py` and `heart_rate/` decide, integer for integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from string import Template
from typing import Any

from pintsize import compile_model
from pintsize.apps.application import Said, nobody
from pintsize.apps.c_folder import makefile
from pintsize.apps.wearable.activity import ActivityModel, load_activity
from pintsize.apps.wearable.activity.activity import RATE_HZ
from pintsize.apps.wearable.heart_rate.kinds import KINDS
from pintsize.apps.wearable.heart_rate.program import RateProgram, rate_program
from pintsize.errors import UserError

#: written by hand, the same for every wearable
SOURCES = ("wearable.c", "wearable.h", "main.c")
#: steps that are counted, so that samples fit 32 bits
LONGEST = 1 << 26
PARAMETERS = Template("""\
/* The rules of this wearable, written by pintsize. A step is WEARABLE_HOP samples. */
#ifndef PARAMETERS_H
#define PARAMETERS_H

#define WEARABLE_HOP $hop
#define WEARABLE_LABELS $labels
#define WEARABLE_DECISIONS $decisions /* outputs that are summed */
#define WEARABLE_WARM $warm /* steps after a gap before anything is told */
#define WEARABLE_LEAST $least /* margin in codes per output */
#define WEARABLE_DELAY $delay /* samples that a decision lies behind the newest */
#define WEARABLE_LONGEST $longest /* steps that are counted */

extern const char *const wearable_labels[WEARABLE_LABELS];

#endif
""")
LABELS = Template("""\
#include "parameters.h"

const char *const wearable_labels[WEARABLE_LABELS] = {
    $names,
};
""")


@dataclass(frozen=True)
class Firmware:
    """files: name → text; activity: what its program takes on the device, as `Compiled.metrics` has it; rates: kind →
    the heart rate's program.
    """

    files: Mapping[str, str]
    activity: Mapping[str, Any]
    rates: Mapping[str, RateProgram]

    @property
    def sources(self) -> list[str]:
        return sorted(name for name in self.files if name.endswith(".c"))


def firmware(weights: Path, device: str, said: Said = nobody) -> Firmware:
    """The wearable's C. weights: the folder that holds `activity`, `heart_rate_ppg` and `heart_rate_ecg`.

    Each artifact is proven on the device's emulated core. Raises UserError for a model that C does not have,
    DoesNotFit where one is too large for the device.
    """
    said(f"activity for {device}")
    model = load_activity(weights / "activity")
    compiled = compile_model(weights / "activity", device)
    files = {**_by_hand(), **_rules(model), **compiled.named("activity")}
    rates: dict[str, RateProgram] = {}
    for name, kind in KINDS.items():
        said(f"heart rate ({name}) for {device}")
        rates[name] = rate_program(kind, weights / f"heart_rate_{name}", device)
        files |= rates[name].files
    files["Makefile"] = makefile("wearable", files, "raw int16 samples of acceleration and turning at 50 Hz")
    return Firmware(files, compiled.metrics(), rates)


def _rules(model: ActivityModel) -> dict[str, str]:
    """The rule's numbers and names. Raises UserError for outputs that are not of 8 bits."""
    if model.artifact.output.dtype != "int8":
        raise UserError(
            f"{model.artifact.manifest.name} gives {model.artifact.output.dtype}: int8 is needed for C"
        )
    rule = model.rule
    parameters = PARAMETERS.substitute(
        hop=model.hop_samples, labels=len(model.labels), decisions=rule.decisions, warm=rule.warm, least=rule.least,
        delay=round(model.delay_s * RATE_HZ), longest=LONGEST,
    )  # fmt: skip
    names = ",\n    ".join(f'"{label}"' for label in model.labels)
    return {"parameters.h": parameters, "labels.c": LABELS.substitute(names=names)}


def _by_hand() -> dict[str, str]:
    home = package_files("pintsize.apps.wearable.firmware").joinpath("c")
    return {name: home.joinpath(name).read_text(encoding="utf-8") for name in SOURCES}
