"""The labelled sentences: which training sees, which choose the threshold, which are kept for the evaluation alone.

CLINC150: `train` and `oos_train` are learnt from; `val` and `oos_val` are divided by a hash of the sentence, one half
chooses the threshold and the temperature, the other half is the test. SNIPS and HWU: learnt from `train`, tested
on `val`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pintsize.apps.assistant.text.spans import Span
from pintsize.errors import DataError

CLINC, SNIPS, HWU = "intents_clinc150", "intents_snips", "intents_hwu_home"
OUT_OF_SCOPE = "oos"
Half = Literal["choose", "test"]


@dataclass(frozen=True)
class Sentence:
    """intent: a name, "oos" for out of scope. slots: in their order."""

    text: str
    intent: str
    slots: tuple[Span, ...] = ()


def read_sentences(data: Path, corpus: str, part: str) -> list[Sentence]:
    """`part`.jsonl of a data set in the folder `data`. Raises DataError where it is not there or cannot be read."""
    path = data / corpus / f"{part}.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [
            Sentence(str(r["text"]), str(r["intent"]), tuple(Span(int(a), int(b), str(n)) for n, a, b in own))
            for r, own in ((r, r.get("slots", ())) for r in rows)
        ]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def half_of(text: str) -> Half:
    """By a hash, so it is the same on every computer and for copies of a sentence."""
    return "test" if hashlib.sha256(text.encode()).digest()[0] & 1 else "choose"


def clinc_half(data: Path, half: Half) -> tuple[list[Sentence], list[Sentence]]:
    """(in scope, out of scope) of CLINC150's validation files."""
    parts = (read_sentences(data, CLINC, name) for name in ("val", "oos_val"))
    inside, outside = ([s for s in part if half_of(s.text) == half] for part in parts)
    return inside, [Sentence(s.text, OUT_OF_SCOPE) for s in outside]
