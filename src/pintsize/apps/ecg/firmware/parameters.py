"""The rules of the application as C: every threshold from where Python has it, tables and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from enum import IntEnum
from math import ceil

from pintsize.apps.chances import CHANCE_BITS, Chances
from pintsize.apps.ecg import monitoring, quality, rhythm, triage
from pintsize.apps.ecg.beats import FinderRule
from pintsize.apps.ecg.classes import BeatClassifier, context
from pintsize.apps.ecg.classes.classifier import MULTIPLIER_BITS, NOT_READY
from pintsize.errors import UserError

HEADER = """\
/* The rules of this ECG, written by pintsize. Times are in samples of 180 Hz, voltages in counts of 5 uV. */
#ifndef PARAMETERS_H
#define PARAMETERS_H

#include <stdint.h>

{defines}

{declared}

#endif
"""
_PER_LINE = 12
#: names of the finder's rule as C has them
_FINDER = {"rate_hz": "RATE"}


def parameters(
    finder: FinderRule, classes: BeatClassifier, hop: int, raw_hop: int, raw_rate_hz: int
) -> dict[str, str]:
    """parameters.h and parameters.c.

    Raises UserError for a classifier whose numbers are not of 8 bits or whose labels are no AAMI classes.
    """
    defines = {
        "ECG_HOP": hop,
        "ECG_RAW_HOP": raw_hop,
        "ECG_RAW_RATE": raw_rate_hz,
        "ECG_RESAMPLED": int(raw_rate_hz != quality.RATE_HZ),
        **_monitoring(),
        **_gate(),
        **{f"FINDER_{_FINDER.get(f.name, f.name.upper())}": getattr(finder, f.name) for f in fields(finder)},
        **_rhythm(),
        **_triage(),
        **_naming(classes),
    }
    numbers = {
        "gate_cosines": ("int16_t", quality.COSINES.tolist()),
        "class_powers": ("uint32_t", _chances(classes).table.tolist()),
        "class_of_label": ("int8_t", [_class_of(label) for label in classes.artifact.labels]),
    }
    texts = {
        "ecg_fault_reasons": _texts(quality.Fault, quality.REASONS),
        "ecg_finding_names": _texts(rhythm.Finding, rhythm.NAMES),
        "ecg_unnamed_reasons": ["", NOT_READY, "not sure enough", monitoring.TOO_LATE, monitoring.CUT_OFF],
    }
    declared = [f"extern const {kind} {name}[{len(values)}];" for name, (kind, values) in numbers.items()]
    declared += [f"extern const char *const {name}[{len(values)}];" for name, values in texts.items()]
    header = HEADER.format(
        defines="\n".join(f"#define {name} {value}" for name, value in defines.items()),
        declared="\n".join(declared),
    )
    arrays = [_array(kind, name, [str(n) for n in values]) for name, (kind, values) in numbers.items()]
    tables = [_array("char *const", name, [f'"{text}"' for text in values]) for name, values in texts.items()]
    include = '#include "parameters.h"\n\n'
    return {
        "parameters.h": header,
        "parameters.c": f"/* Tables, written by pintsize. */\n{include}" + "\n\n".join(arrays) + "\n",
        "texts.c": f"/* What decisions are called, written by pintsize; a board may do without. */\n{include}"
        + "\n\n".join(tables)
        + "\n",
    }


def _monitoring() -> dict[str, int]:
    return {
        "ECG_RING": monitoring.RING,
        "ECG_RATE_EVERY": monitoring.RATE_EVERY,
        "ECG_RATE_LEAST": monitoring.RATE_LEAST,
        "ECG_LATEST": monitoring.LATEST,
        "ECG_LONGEST_HOLE": monitoring.LONGEST_HOLE,
        "SIGN_NEAR": monitoring.NEAR,
        "SIGN_BASE_FROM": monitoring.BASE_FROM,
        "SIGN_BASE_SAMPLES": monitoring.BASE_SAMPLES,
    }


def _gate() -> dict[str, int]:
    return {
        "GATE_BLOCK": quality.BLOCK,
        "GATE_BLOCKS": quality.WINDOW_BLOCKS,
        "GATE_LEAST_BLOCKS": quality.LEAST_BLOCKS,
        "GATE_SPARED": quality.SPARED_BLOCKS,
        "GATE_FLAT": quality.FLAT,
        "GATE_FLAT_BLOCKS": quality.FLAT_BLOCKS,
        "GATE_LARGEST": quality.LARGEST,
        "GATE_HUM": quality.HUM,
        "GATE_NOISE": quality.NOISE,
        "GATE_MOTION": quality.MOTION,
        "GATE_SMALL": quality.SMALL,
        "GATE_SMALL_BLOCKS": quality.SMALL_BLOCKS,
        "GATE_TOP_SAMPLES": quality.TOP_SAMPLES,
        "GATE_TOP_WITHIN": quality.TOP_WITHIN_BITS,
        "GATE_TOP_STEP": quality.TOP_STEP_BITS,
        "GATE_CLIPPED": quality.CLIPPED_SAMPLES,
        "GATE_LEAST_RANGE": quality.LEAST_RANGE,
        "GATE_COSINE_BITS": quality.COSINE_BITS,
    }


def _rhythm() -> dict[str, int]:
    return {
        "RHYTHM_PAUSE": rhythm.PAUSE,
        "RHYTHM_STANDSTILL": rhythm.STANDSTILL,
        "RHYTHM_RUN": rhythm.RUN_BEATS,
        "RHYTHM_TACHYCARDIA": rhythm.TACHYCARDIA,
        "RHYTHM_RATE_BEATS": rhythm.RATE_BEATS,
        "RHYTHM_PAIRS": rhythm.BIGEMINY_PAIRS,
        "RHYTHM_WINDOW": rhythm.IRREGULAR_INTERVALS,
        "RHYTHM_STEP": rhythm.IRREGULAR_STEP,
        "RHYTHM_LAGS": rhythm.IRREGULAR_LAGS,
        "RHYTHM_PER_MILLE": rhythm.IRREGULAR_PER_MILLE,
        "RHYTHM_WINDOWS": rhythm.IRREGULAR_WINDOWS,
        "RHYTHM_LONGEST": rhythm.LONGEST_INTERVAL,
        "RHYTHM_SHORTEST": rhythm.SHORTEST_INTERVAL,
    }


def _triage() -> dict[str, int]:
    return {
        "TRIAGE_USABLE": triage.LEAST_USABLE,
        "TRIAGE_UNUSABLE": triage.MOST_UNUSABLE,
        "TRIAGE_UNSURE": triage.MOST_UNSURE,
        "TRIAGE_SIGN_BEATS": triage.SIGN_BEATS,
        "TRIAGE_REVERSED": triage.REVERSED_PERCENT,
        "TRIAGE_LONG_PAUSE": triage.LONG_PAUSE,
        "TRIAGE_VERY_SLOW": triage.VERY_SLOW_BPM,
        "TRIAGE_VERY_FAST": triage.VERY_FAST_BPM,
        "TRIAGE_SLOW": triage.SLOW_BPM,
        "TRIAGE_FAST": triage.FAST_BPM,
        "TRIAGE_VENTRICULAR": triage.VENTRICULAR_PERCENT,
        "TRIAGE_SUPRAVENTRICULAR": triage.SUPRAVENTRICULAR_PERCENT,
        "TRIAGE_LEAST_ECTOPIC": triage.LEAST_ECTOPIC,
    }


def _naming(classes: BeatClassifier) -> dict[str, int]:
    return {
        "WINDOW_BEFORE": classes.window_before,
        "WINDOW_AFTER": classes.window_after,
        "WINDOW_SAMPLES": classes.window_before + classes.window_after,
        "CONTEXT_INTERVALS": context.INTERVALS,
        "CONTEXT_LONG": context.LONG,
        "CONTEXT_RHYTHM": context.RHYTHM,
        "CONTEXT_BITS": context.TYPICAL_BITS,
        "CONTEXT_FIRST": context.FIRST_BEATS,
        "CONTEXT_FOLLOWING": context.FOLLOWING,
        "CONTEXT_FURTHEST": context.FURTHEST,
        "CONTEXT_PEAK": context.PEAK_TO_PEAK,
        "CONTEXT_LEAST": context.LEAST_AMPLITUDE,
        "CONTEXT_ONE": context.ONE,
        "CLASS_MULTIPLIER": classes.multiplier,
        "CLASS_MULTIPLIER_BITS": MULTIPLIER_BITS,
        "CLASS_POWERS": len(_chances(classes).table),
        "CLASS_LEAST": ceil(classes.threshold * (1 << CHANCE_BITS)),
    }


def _chances(classes: BeatClassifier) -> Chances:
    output, given = classes.artifact.output, classes.artifact.input
    if output.dtype != "int8" or given.dtype != "int8":
        raise UserError(
            f"{classes.artifact.manifest.name} takes {given.dtype} and gives {output.dtype}: int8 is needed for C"
        )
    return Chances(output, classes.artifact.manifest.calibration)


def _class_of(label: str) -> int:
    if label not in rhythm.CLASSES:
        raise UserError(f"a classifier with the label {label!r}: {', '.join(rhythm.CLASSES)} are known")
    return rhythm.CLASSES.index(label)


def _texts(
    kind: type[IntEnum], texts: dict[IntEnum, str] | dict[quality.Fault, str] | dict[rhythm.Finding, str]
) -> list[str]:
    return [texts.get(each, "") for each in kind]  # type: ignore[call-overload]


def _array(kind: str, name: str, items: Sequence[str]) -> str:
    lines = [", ".join(items[i : i + _PER_LINE]) for i in range(0, len(items), _PER_LINE)]
    return f"const {kind} {name}[{len(items)}] = {{\n    " + ",\n    ".join(lines) + ",\n};"
