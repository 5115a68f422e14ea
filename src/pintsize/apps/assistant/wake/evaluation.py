"""The honest metrics of the shipped wake words, on clips that neither training nor the choice of a level saw.

`wake_word_false_reject_at_0.5_per_hour`: for each word the level of its detector is raised until at most 0.5 false
accepts an hour are left on the negatives, and the share of its clips that are then not told is taken; the mean over
the words. As in published comparisons the level is a point of the curve, found on these negatives themselves. What
comes out at the level that ships, which was chosen on validation, is told beside it (`…_as_shipped`).

Negatives: the test part's digits, orders and the *other* words, every clip again and again at another speed, loudness,
in other rooms and over other noises, with pauses; one minute in six is noise alone. `…_distinct_minutes` says how much
speech there really is. A word of the model that is told where another is said counts as a false accept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pintsize.apps.assistant.wake.parts import Material, public_material
from pintsize.apps.assistant.wake.rates import Background, Rates, Spoken, hours_without, level_for, rates_at
from pintsize.apps.assistant.wake.scenes import backgrounds, spoken_words
from pintsize.apps.assistant.wake.words import WakeWords

PER_HOUR = 0.5
#: half an accept an hour is three of them in so many, without the hours that hold the word itself
HOURS = 6.3
SEED = 2
PREFIX = "wake_word"


def evaluate(data: Path, weights: Path | None = None, hours: float = HOURS) -> dict[str, float]:
    """Metrics on the public data's test part, of the shipped weights or a folder's; deterministic, without torch.

    Raises DataError where the data is not there.
    """
    wake = WakeWords.load(weights)
    (material,) = public_material(data, "test")
    return measured(wake, material, hours, SEED)


def measured(wake: WakeWords, material: Material, hours: float, seed: int) -> dict[str, float]:
    """The metrics on any material whose words are among the model's."""
    words = [word for word in wake.words if word in material.labels]
    spoken = spoken_words(wake, material.words)
    negatives = list(backgrounds(wake, material, hours, seed))
    rule = wake.detection
    swept = [
        rates_at(
            w, level_for(w, PER_HOUR, negatives, wake.labels, rule), spoken, negatives, wake.labels, rule
        )
        for w in words
    ]
    shipped = [rates_at(w, rule.levels.on, spoken, negatives, wake.labels, rule) for w in words]
    return {
        f"{PREFIX}_false_reject_at_{PER_HOUR:g}_per_hour": _mean([r.false_reject for r in swept]),
        **{f"{PREFIX}_false_reject_at_{PER_HOUR:g}_per_hour.{r.word}": r.false_reject for r in swept},
        f"{PREFIX}_false_reject_as_shipped": _mean([r.false_reject for r in shipped]),
        f"{PREFIX}_false_accepts_per_hour_as_shipped": _mean([r.false_accepts_per_hour for r in shipped]),
        **_latencies(shipped),
        **_extent(wake, material, spoken, negatives, words),
    }


def _latencies(rates: Sequence[Rates]) -> dict[str, float]:
    """From the end of the word, by its energy, to the step that tells it, at the level that ships."""
    late_ms = [1e3 * x for r in rates for x in r.latencies_s] or [float("nan")]
    return {
        f"{PREFIX}_latency_ms_median": float(np.median(late_ms)),
        f"{PREFIX}_latency_ms_p90": float(np.percentile(late_ms, 90)),
    }


def _extent(
    wake: WakeWords, material: Material, spoken: Sequence[Spoken], negatives: Sequence[Background],
    words: Sequence[str],
) -> dict[str, float]:  # fmt: skip
    figures = wake.artifact.manifest.content.get("figures", {})
    return {
        f"{PREFIX}_flash_bytes": float(figures.get("flash_bytes", float("nan"))),
        f"{PREFIX}_clips": float(len(spoken)),
        f"{PREFIX}_negative_hours": _mean([hours_without(w, negatives) for w in words]),
        f"{PREFIX}_negative_distinct_minutes": sum(material.minutes),
    }


def _mean(numbers: Sequence[float]) -> float:
    return float(np.mean(numbers))
