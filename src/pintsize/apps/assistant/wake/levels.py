"""From which chance on a word is told: one level for each word, chosen on validation, then one for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pintsize.apps.assistant.wake.hearing import OFF_BELOW_ON
from pintsize.apps.assistant.wake.rates import Background, Spoken, highest_level, level_for
from pintsize.stream.decision import Detection, Levels

#: the one level to which the words' own are moved
ON = 0.8
RULE = Detection(Levels(ON, ON * OFF_BELOW_ON, timeout_s=2.0), window_s=0.2, refractory_s=1.0)
#: on validation: what may be accepted falsely an hour, and rejected falsely
PER_HOUR, MOST_REJECTED = 0.5, 0.02
#: no word is told below, however few false accepts there were
LEAST = 0.5


def levels_of(
    words: Sequence[str], spoken: Sequence[Spoken], negatives: Sequence[Background], labels: Sequence[str]
) -> dict[str, float]:
    """Halfway, in log-odds, between the lowest level with few false accepts and the highest with few false rejects.

    Where these two do not leave room between them the false accepts decide.
    """
    found: dict[str, float] = {}
    for word in words:
        low = max(level_for(word, PER_HOUR, negatives, labels, RULE), LEAST)
        high = highest_level(word, MOST_REJECTED, spoken, labels, RULE)
        found[word] = low if high <= low else odds_share((log_odds(low) + log_odds(high)) / 2)
    return found


def log_odds(chance: float) -> float:
    return float(np.log(chance / (1.0 - chance)))


def odds_share(log: float) -> float:
    """The chance of these log-odds."""
    return float(1.0 / (1.0 + np.exp(-log)))
