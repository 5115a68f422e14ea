"""The card of the shipped beat detector; its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.evidence import Evaluation
from pintsize.apps.evidence.tables import figures_table, measured_table


def card_of(evaluation: Evaluation, figures: Mapping[str, Any], seed: int) -> str:
    """Markdown. figures: of training and shipping."""
    notes = "\n".join(f"- {note}" for note in evaluation.notes)
    return f"""# Beats of an electrocardiogram

A screening aid, not a diagnosis.

Raw int16 samples at 180 Hz (5 µV a code) go into a band-pass of integers, step by step, its state inside; a rule of
integers (energy, two levels, refractory time, search back) makes beats of what comes out. Nothing was learnt by
gradients: the rule's `share` was chosen on training patients, the other numbers are times of physiology. A signal at
another rate is resampled first, and what comes out is also what the windows of the classes are cut from.

## Data

MIT-BIH Arrhythmia Database (Moody and Mark, 2001; PhysioNet), lead MLII, resampled to 180 Hz; ODC-By 1.0. Training
patients are DS1 of de Chazal et al. (2004), patients reported on are of DS2; none is in both. Record 207 was left out
of the choice: its flutter waves carry no annotation of beats. The patients reported on were read twice: at first P
waves in long pauses were told as beats; the search back was then made stricter, by how much was chosen on training
patients.

Made by `python -m pintsize.apps.ecg.beats.training DATA --seed {seed}`; the same command gives the same bytes.

## On patients that the rule was not chosen on

{notes}

{measured_table(evaluation, "patient")}
{figures_table("of training, and what it takes", figures)}
`flash_bytes` is of the artifact, start-up code included; the rule's code is in the application's build.

## Limits

- One lead of adults, recorded with wet electrodes: other leads, children, pacemakers and dry electrodes were not seen.
- Ventricular flutter and fibrillation have no beats; what is told there are its waves, at a very high rate.
- The first two seconds are for finding the levels: their beats are told at the end of them.
- After a large beat a much smaller one may be missed until a search back finds it, 5/3 of an interval later.
"""
