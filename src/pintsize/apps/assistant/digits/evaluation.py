"""The honest metrics of the shipped digits, on a speaker that neither training nor any choice heard.

`digits_accuracy_unseen_speaker`: the share of the speaker's clips of which the best of the ten digits is right, as
other classifiers of ten are measured; `digits_accuracy_with_other`: the same where `other` may be the best, and is
wrong. Beside it: how often it tells anything, how often that is right, and how much of other speech it refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.digits.digits import Digits
from pintsize.apps.assistant.phrases.classifier import OTHER
from pintsize.apps.sounds import Labelled, as_codes, labelled_clips
from pintsize.errors import DataError

FOLDER = "speech_digits_fsdd"
WAKE_FOLDER = "wakewords_picovoice"
UNSEEN = "val"


def evaluate(data: Path, weights: Path | None = None) -> dict[str, float]:
    """data: the folder of data sets; deterministic, without torch. Raises DataError where the digits are not there."""
    digits = Digits.load(weights)
    clips = [c for c in labelled_clips(data / FOLDER) if c.split == UNSEEN]
    if not clips:
        raise DataError(f"{data / FOLDER} has no clip of the split {UNSEEN!r}")
    figures = digits.artifact.manifest.content.get("figures", {})
    return {
        **of_clips(digits, clips),
        **_refused(digits, data),
        "digits_flash_bytes": float(figures.get("flash_bytes", float("nan"))),
    }


def of_clips(digits: Digits, clips: Sequence[Labelled]) -> dict[str, float]:
    """Of clips whose labels are digits."""
    best = [_best(digits, c.clip) for c in clips]
    of_ten, of_all = (
        np.mean([found[which] == c.label for found, c in zip(best, clips, strict=True)]) for which in (0, 1)
    )
    heard = [digits.recognise(as_codes(c.clip)).label for c in clips]
    told = [(h, c.label) for h, c in zip(heard, clips, strict=True) if h is not None]
    return {
        "digits_accuracy_unseen_speaker": float(of_ten),
        "digits_accuracy_with_other": float(of_all),
        "digits_told_unseen_speaker": len(told) / len(clips),
        "digits_right_of_told_unseen_speaker": float(np.mean([h == y for h, y in told])) if told else 0.0,
        "digits_clips": float(len(clips)),
    }


def _best(digits: Digits, clip: NDArray[np.float32]) -> tuple[str | None, str | None]:
    """The likeliest digit, and the likeliest label of all; None for what is no phrase."""
    try:
        found = digits.classifier.probabilities(as_codes(clip))
    except DataError:
        return None, None
    labels = np.array(digits.artifact.labels)
    phrases = labels != OTHER
    return str(labels[phrases][found[phrases].argmax()]), str(labels[found.argmax()])


def _refused(digits: Digits, data: Path) -> dict[str, float]:
    """Of words that are no digits and were not heard in training; nothing where their data is not there."""
    try:
        others = [c for c in labelled_clips(data / WAKE_FOLDER) if c.split == UNSEEN]
    except DataError:
        return {}
    if not others:
        return {}
    refused = [digits.recognise(as_codes(c.clip)).label is None for c in others]
    return {"digits_other_words_refused": float(np.mean(refused))}
