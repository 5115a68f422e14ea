"""The card of the shipped beat classes; its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.evidence import Evaluation
from pintsize.apps.evidence.tables import figures_table, measured_table


def card_of(evaluation: Evaluation, figures: Mapping[str, Any], seed: int) -> str:
    """Markdown. figures: of training and shipping."""
    notes = "\n".join(f"- {note}" for note in evaluation.notes)
    return f"""# Kinds of heartbeats: N, S, V, F

A screening aid, not a diagnosis.

One int8 model for a beat: 0.8 s of signal around the R peak at 180 Hz in units of the patient's typical beat, what it
differs from that beat, and eight numbers of the rhythm up to it (intervals against the recent ones; none after it).
Kinds are those of AAMI EC57; Q (paced, unreadable) is left out. A beat's kind is known half a second after its
R peak, the detector's delay included; under a confidence that the manifest holds nothing is told, nor before the
patient's first eight beats.

## Data

MIT-BIH Arrhythmia Database (Moody and Mark, 2001; PhysioNet), lead MLII, resampled to 180 Hz; ODC-By 1.0. Training
patients are DS1 of de Chazal et al. (2004), patients reported on are of DS2; none is in both. What confidences mean,
and under which nothing is told, was found with groups of training patients held out (`held_out_…`, of the float
network). Beats were varied in gain, drift, noise, pace, polarity and in where the peak was found; some normal beats
were given the rhythm of early beats, and called S, some that of atrial fibrillation, and called N.

A float network was trained on all training patients; `pintsize.shrink` (effort low, a flash budget) made it smaller,
with its answers and varied beats to teach and to choose by. Three networks of other seeds as its teacher (`Teaching`)
were tried: what came out lost 4 % on varied beats held back, and was not taken.

The patients reported on were read more than once: a first training told hardly any S of record 232, whose beats are
mostly early ones in runs between pauses, which training patients hardly show; such rhythms (`bursts`) were then drawn,
from what is known of sick sinus syndrome. All numbers were set on training patients. Made by
`python -m pintsize.apps.ecg.classes.training DATA --seed {seed}`; the same command gives the same bytes on a computer
with the same versions of torch and numpy.

## On patients that training did not see

{notes}

{measured_table(evaluation, "patient")}
{figures_table("of training, and what it takes", figures)}
## Limits

- 22 patients taught it, some kinds of beats only a few of them: fusion beats come from one patient for the most part.
- S is told by rhythm more than by P waves; in atrial fibrillation early beats are not told apart well.
- One lead of adults, wet electrodes: other leads, children, pacemakers and dry electrodes were not seen.
- Beats after a break in the signal are told only once eight beats have shown what is typical.
"""
