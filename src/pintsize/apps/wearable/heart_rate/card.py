"""The card of the shipped heart rate; its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.wearable.heart_rate.kinds import Kind


def _arrhythmia(kind: Kind, found: Mapping[str, float]) -> str:
    error = found.get("heart_rate_mae_bpm_ecg_arrhythmia")
    if kind.name != "ecg" or error is None:
        return ""
    answered = found["heart_rate_answered_ecg_arrhythmia"]
    return (
        f"With arrhythmias (MIT-BIH, patients whom no choice saw, their first 5 minutes): {error:.2f} beats per\n"
        f"minute, {answered:.1%} of windows answered (measured). 8 s of an irregular heart have no one rate.\n"
        "MIT-BIH: Moody and Mark 2001, PhysioNet, ODC-By 1.0.\n\n"
    )


def card_of(kind: Kind, found: Mapping[str, float], figures: Mapping[str, Any]) -> str:
    """Markdown. found: of the evaluation; figures: of shipping."""
    flash, band = figures["rate_flash_bytes"], figures["flash_bytes"]
    return f"""# Heart rate: {kind.title}

Integers from the raw sample on: a band-pass of {kind.low_hz:g} to {kind.high_hz:g} Hz (order {kind.order}) as this
artifact, int16 at {kind.rate_hz} Hz, a second at a time; then a rule for beats, the same in Python and in C. Nothing
was trained: band, level and tolerances were chosen by hand. **A screening aid, not a diagnosis.**

| | |
|---|---|
| mean error on unseen windows, beats per minute (measured) | {found[f"heart_rate_mae_bpm_{kind.name}"]:.3f} |
| share of these windows that got a rate (measured) | {found[f"heart_rate_answered_{kind.name}"]:.3f} |
| flash of filter and rule, B (linked for Cortex-M4 with -Os) | {flash:,} |
| of it the filter alone, as this artifact, B (measured) | {band:,} |
| RAM without stack, B (measured) | {figures["rate_ram_bytes"]:,} |

{_arrhythmia(kind, found)}## Data

BIDMC 01 (Pimentel et al. 2017; PhysioNet, ODC-By 1.0): one person in intensive care at rest, pulse wave and
electrocardiogram at 125 Hz. The first 270 s were looked at when the rule was chosen, the figures are of what follows.
What follows was read once before the rule was final; how long a slope of the pulse wave is, and how near its beats may
be, was changed after that, for made signals of fast pulses. A window of 8 s is compared with 60 over the mean interval
of the beats marked in it, a window every 2 s.

Made by `python -m pintsize.apps.wearable.heart_rate.training DATA`; the same command gives the same bytes.

How sure a rate is follows from how many intervals agree; the probabilities were counted on what the rule was chosen on
(electrocardiogram: also on MIT-BIH's training patients, on whom its tolerances were chosen, one of them after the test
patients had been looked at once).

## Limits

- One person, at rest. From 40 to 200 beats per minute it was tried on made signals alone.
- A wrist in motion gives no rate: what does not agree is not told. With an accelerometer, motion is told as the reason.
- The first rate comes 7 s after the signal begins, and again after each break.
- An irregular rhythm gives a mean rate from an electrocardiogram; from a pulse wave it may give none.
- Samples must use the range: what is far below a hundred codes from top to bottom is taken for noise.
"""
