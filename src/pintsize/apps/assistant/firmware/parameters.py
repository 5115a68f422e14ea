"""The assistant's rules as C: times in hops, levels in integers, names and tables of constants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

from pintsize.apps.assistant.listening import Listening
from pintsize.apps.assistant.loudness import LEAST, ONE_BITS, hops_followed, rise_of
from pintsize.apps.assistant.pieces import RATE_HZ, WakePiece
from pintsize.apps.assistant.reading import LONGEST_DIGIT_S
from pintsize.apps.chances import Chances
from pintsize.errors import UserError
from pintsize.stream.health import HealthLimits
from pintsize.stream.levels import AT_LIMIT, CLIP_WINDOW_S, NEAR_ZERO

HEADER = """\
/* The rules of this assistant, written by pintsize. Times are in hops of {hop} samples unless they say samples. */
#ifndef PARAMETERS_H
#define PARAMETERS_H

#include <stdint.h>

{defines}

{declared}

#endif
"""
_PER_LINE = 12
#: of int16
_LOWEST, _HIGHEST = -(1 << 15), (1 << 15) - 1


@dataclass(frozen=True)
class Parameters:
    """defines: name → value as C; texts: array of names → its texts; numbers: array → (C type, its numbers)."""

    defines: Mapping[str, str]
    texts: Mapping[str, Sequence[str]]
    numbers: Mapping[str, tuple[str, Sequence[int]]]

    def _values_of_slots(self) -> str:
        """The arrays of values, in the order of the slots."""
        names = [f"assistant_slot_{i}" for i in range(int(self.defines.get("ASSISTANT_SLOTS", "0")))]
        return _array("char *const *const", "assistant_slot_values", names) if names else ""

    def files(self) -> dict[str, str]:
        """parameters.h and parameters.c."""
        declared = [f"extern const char *const {name}[{len(texts)}];" for name, texts in self.texts.items()]
        declared += [f"extern const {kind} {name}[{len(n)}];" for name, (kind, n) in self.numbers.items()]
        if self._values_of_slots():
            declared.append("extern const char *const *const assistant_slot_values[ASSISTANT_SLOTS];")
        defines = "\n".join(f"#define {name} {value}" for name, value in self.defines.items())
        header = HEADER.format(
            hop=self.defines["ASSISTANT_HOP"], defines=defines, declared="\n".join(declared)
        )
        arrays = [
            _array("char *const", name, [_quoted(t) for t in texts]) for name, texts in self.texts.items()
        ]
        arrays += [_array(kind, name, list(map(str, n))) for name, (kind, n) in self.numbers.items()]
        arrays.append(self._values_of_slots())
        source = '/* Names and tables, written by pintsize. */\n#include "parameters.h"\n\n' + "\n\n".join(
            a for a in arrays if a
        )
        return {"parameters.h": header, "parameters.c": source + "\n"}


def hops(period_s: float, hop_samples: int) -> int:
    """How many hops it takes until a stage says that the period has passed."""
    return max(0, ceil((period_s - 1e-6) * RATE_HZ / hop_samples))


def wake_parameters(wake: WakePiece) -> Parameters:
    """Of the wake words: their levels and times. Raises UserError for a model whose outputs are not of 8 bits."""
    rule, hop = wake.detection, wake.hop_samples
    if wake.artifact.output.dtype != "int8":
        raise UserError(
            f"{wake.artifact.manifest.name} gives {wake.artifact.output.dtype}: int8 is needed for C"
        )
    chances = Chances(wake.artifact.output, wake.artifact.manifest.calibration)
    defines = {
        "ASSISTANT_HOP": str(hop),
        "WAKE_LABELS": str(len(wake.labels)),
        "WAKE_MEAN_HOPS": str(max(1, hops(rule.window_s, hop))),
        "WAKE_ON": repr(rule.levels.on),
        "WAKE_OFF": repr(rule.levels.off),
        "WAKE_HOLD_HOPS": str(hops(rule.levels.hold_s, hop)),
        "WAKE_TIMEOUT_HOPS": str(hops(rule.levels.timeout_s, hop)),
        "WAKE_REFRACTORY_HOPS": str(hops(rule.refractory_s, hop)),
        "WAKE_POWERS": str(len(chances.table)),
    }
    numbers = {
        "wake_powers": ("uint32_t", chances.table.tolist()),
        "wake_is_word": ("uint8_t", [int(label in wake.words) for label in wake.labels]),
    }
    return Parameters(defines, {"assistant_words": wake.labels}, numbers)


def listening_parameters(rule: Listening, hop: int) -> dict[str, str]:
    """Of phrases. Raises UserError for a rule that C does not have."""
    if rule.always:
        raise UserError(
            "the assistant in C waits for a wake word; listening to every phrase is for computers"
        )
    phrases = rule.phrases
    before, longest = round(rule.before_s * RATE_HZ), hops(phrases.longest_s, hop)
    return {
        "LOUDNESS_LEAST": str(LEAST),
        "LOUDNESS_RISE": str(rise_of(hop, RATE_HZ)),
        "LOUDNESS_HOPS": str(hops_followed(hop, RATE_HZ)),
        "PHRASE_ON": str(ceil(phrases.on * (1 << ONE_BITS))),
        "PHRASE_OFF": str(ceil(phrases.off * (1 << ONE_BITS))),
        "PHRASE_LEAST_HOPS": str(hops(phrases.least_s, hop)),
        "PHRASE_SILENCE_HOPS": str(hops(phrases.silence_s, hop)),
        "PHRASE_LONGEST_HOPS": str(longest),
        "TAIL_HOPS": str(hops(rule.tail_s, hop)),
        "WAIT_HOPS": str(hops(rule.wait_s, hop)),
        "PHRASE_CUT": f"{round((phrases.silence_s - rule.pause_s) * RATE_HZ)} /* samples of the pause */",
        "PHRASE_BEFORE": f"{before} /* samples */",
        "PHRASE_OVERLAP": f"{round(rule.overlap_s * RATE_HZ)} /* samples */",
        "LONGEST_DIGIT": f"{round(LONGEST_DIGIT_S * RATE_HZ)} /* samples */",
        "PHRASE_SAMPLES": f"{before + (longest + 2) * hop} /* samples */",
    }


def health_parameters(hop: int) -> dict[str, str]:
    """Of the signal's health, with the limits that a run on a computer has."""
    limits = HealthLimits()
    if limits.flat_s is None or limits.clip_share is None or limits.flat_step:
        raise UserError("the assistant in C looks for flat lines of one value and for clipping")
    window = round(CLIP_WINDOW_S * RATE_HZ)
    return {
        "FLAT_SAMPLES": str(ceil(limits.flat_s * RATE_HZ)),
        "FLAT_NEAR_ZERO": str(int(NEAR_ZERO * -_LOWEST)),
        "CLIPPING_LOW": str(floor(_LOWEST * AT_LIMIT)),
        "CLIPPING_HIGH": str(ceil(_HIGHEST * AT_LIMIT)),
        "CLIPPING_HOPS": str(ceil(window / hop)),
        "CLIPPING_LEAST": f"{window // 2} /* samples */",
        "CLIPPING_SHARE": repr(limits.clip_share),
    }


def _array(kind: str, name: str, items: Sequence[str]) -> str:
    lines = [", ".join(items[i : i + _PER_LINE]) for i in range(0, len(items), _PER_LINE)]
    return f"const {kind} {name}[{len(items)}] = {{\n    " + ",\n    ".join(lines) + ",\n};"


def _quoted(text: str) -> str:
    """A C string that is also one of JSON: whatever is no plain ASCII is written by its bytes in octal."""
    inside = json.dumps(text, ensure_ascii=False)[1:-1]  # escaped for JSON, which the program prints
    return '"' + "".join(_character(byte) for byte in inside.encode()) + '"'


def _character(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 and byte != ord("?") else f"\\{byte:03o}"
