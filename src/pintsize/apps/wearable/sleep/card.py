"""The card of the shipped sleep stages; its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.evidence import Evaluation, Interval
from pintsize.apps.wearable.sleep.nights import TEST, TRAINED


def card_of(found: Evaluation, figures: Mapping[str, Any], seed: int) -> str:
    """Markdown. found: of the evaluation; figures: of training and shipping."""
    rows = "\n".join(_row(name, value, found.intervals.get(name)) for name, value in found.metrics.items())
    return f"""# Sleep stages

Wake, light (N1, N2), deep (N3) and REM for each 30 s of a night, from features of a watch. One int8 model that takes an
epoch a run: motion, its most over 9 epochs, its means over 5, 21 and 61, the clock; then a perceptron.
**A screening aid, not a diagnosis: it does not replace polysomnography.**

| measured on people of whom nothing was learnt (test) | |
|---|---|
{rows}
| kappa, wake and sleep, training people judged by others' network (validation) | {figures["validation_kappa"]:.3f} |
| kappa, four stages, the same (validation) | {figures["validation_kappa_stages"]:.3f} |
| RAM, B (measured) | {figures["ram_bytes"]:,} |

## Data

`sleep_watch`: features (accelerometer 21, ballistocardiogram 11, clock 3) that R. Yost derived from PhysioNet's
sleep-accel (Walch et al., SLEEP 2019; ODC-By 1.0), against polysomnography. Twelve people, sorted by name: every fourth
({", ".join(TEST)}) is kept for the test, {len(TRAINED)} are learnt from. People beyond the twelve, where their files
are there, are the test instead. A forest of others measured kappa 0.38 on four of those.

## How it was made

`python -m pintsize.apps.wearable.sleep.training DATA --seed {seed}`; the same command gives the same bytes on a
computer with the same versions of torch, numpy, scipy and scikit-learn. A forest of 150 trees learns first; the network
learns what it says of the nights and of varied copies. Integers by `pintsize.quantize`, 8 bits, without training. The
threshold of wake and the temperature were chosen on the training people, a third at a time judged by a network of the
others. What kind of network suits was chosen by folds over all twelve people, the test's three among them: the
figures of the test are a little flattering for that.

## Limits

- Whole nights: logarithms of the features, less the night's own median, are made before the artifact (not in its
  flash), and the last word on an epoch needs the {30 // 2} minutes after it.
- Wake without motion is told as sleep; wake before falling asleep is told mostly by the clock, which is of nights.
- Deep and REM are hardly told from light: see the kappa of stages.
- Few people, one night each; kappa differs much from person to person. Shift workers and naps were not seen.
- The features' own code (upstream) is not in the artifact; their columns are not named there.
"""


def _row(name: str, value: float, interval: Interval | None) -> str:
    between = "" if interval is None else f" ({interval.low:.3f} to {interval.high:.3f}, by person)"
    told = f"{value:,.0f}" if name.endswith(("bytes", "people")) else f"{value:.3f}"
    return f"| {name} | {told}{between} |"
