"""The card of the shipped activities; its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.evidence import Evaluation, Interval


def card_of(found: Evaluation, validation: Evaluation, figures: Mapping[str, Any], seed: int) -> str:
    """Markdown. found: of the test; validation: the same of the people that choices were made on; figures: of training
    and shipping.
    """
    rows = "\n".join(_row(name, value, found.intervals.get(name)) for name, value in found.metrics.items())
    known = validation.metrics
    return f"""# Activity

Seated, sitting down, standing up, turning, walking: every 0.1 s, from raw int16 samples of acceleration (codes of
1/500 m/s²) and turning (1/2000 rad/s) at 50 Hz, of a phone in a pocket or a watch. One int8 network of temporal
convolutions for both, which looks at the last 3.3 s; the decision is about a second ago.
**A screening aid, not a diagnosis.**

| measured on people of whom nothing was learnt and nothing chosen | |
|---|---|
{rows}
| on the three people that choices were made on (validation): activity_macro_f1 | {known["activity_macro_f1"]:.3f} |
| the same: activity_accuracy | {known["activity_accuracy"]:.3f} |
| the same: activity_seated_windows | {known["activity_seated_windows"]:.0f} |
| the same: activity_macro_f1_each_decision, which choices were made by | {figures["validation_macro_f1"]:.3f} |
| the same of the teachers together, real numbers, single outputs | {figures["validation_macro_f1_teacher"]:.3f} |
| RAM, B (measured) | {figures["ram_bytes"]:,} |

`activity_macro_f1`: windows of 2 s, one each second, against what fills most of each, smoothed as it ships, phone
and watch together; a forest measured so has accuracy 0.838 (phone) and 0.860 (watch), macro-F1 0.795 and 0.808 on
other people. `raw`: single outputs on these windows. `each_decision`: all decisions from 2 s on against the
middle of their two seconds. The latter was the main figure until both had been read once on `val`; it is the stricter
one there, and the milder one on the three people of validation, so take both. The recipe was changed once after that
reading; which of the two recipes ships was told by the three people. `told`: the share of decisions that are not held
for unsure.

## Data

Matey-Sanz et al., smartphone and smartwatch (Data in Brief, 2023; CC BY 4.0): people who get up, walk, turn, walk back,
turn and sit down. Eleven people of its training part are learnt from, three more (s05, s13, s17) are chosen on; the
figures are of its part `heldout` where the files are there, else `val`.

## How it was made

`python -m pintsize.apps.wearable.activity.training DATA --seed {seed}`; the same command gives the same bytes on a
computer with the same versions of torch and numpy. Two wide networks (one of them with gravity's products) learn from
whole recordings, turned, mirrored (the other hand or pocket), louder, faster; they teach a narrower one, which
`pintsize.shrink` (effort low) takes within the flash.
How many outputs are summed, the margin under which nothing is told and the temperature were chosen on the three people.

## Limits

- One course of about 10 s in one room: get up, walk, turn, sit down. Lying, stairs, cycling, running are not among the
  labels, and are told as one of these. Standing still is not among them either.
- `seated` is there for a fraction of a second at the begin and end of each recording: its figure rests on
  `activity_seated_windows` windows, and the macro-F1 moves with each of them.
- Nothing is told in the first 2 s after a break, nor where two labels are close.
- Acceleration must come in m/s² and turning in rad/s, axes as Android has them.
"""


def _row(name: str, value: float, interval: Interval | None) -> str:
    between = "" if interval is None else f" ({interval.low:.3f} to {interval.high:.3f}, by person)"
    told = f"{value:,.0f}" if name.endswith(("bytes", "people", "decisions", "windows")) else f"{value:.3f}"
    return f"| {name} | {told}{between} |"
