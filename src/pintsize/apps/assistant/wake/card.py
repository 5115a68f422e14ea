"""The card that lies beside the weights: data, licences, splits, figures, limits. Its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pintsize.apps.assistant.wake.parts import Material

_SYNTHESIZED = (
    "Training also heard synthesized speech as what is no wake word (espeak-ng's voices, sentences of "
    "`sentences.py`)."
)
_PUBLIC = """
## Data

| data set | used for | licence |
|---|---|---|
| Picovoice, wake-word-benchmark (crowd-sourced voices) | the words | Apache-2.0 |
| Free Spoken Digit Dataset (Jackson et al.) | other speech | CC BY-SA 4.0 |
| Picovoice, speech-to-intent-benchmark (spoken coffee orders) | other speech | Apache-2.0 |

Of the words' split "train" 18 % are validation, by a hash of the recording's name; all other splits are the test part.
The same goes for digits, whose test part is a speaker that nobody heard. Orders are divided 50 / 15 / 35. No part
shares a clip. Nothing was chosen on the test part.

Training: `python -m pintsize.apps.assistant.wake.training DATA --seed {seed}`. What it gives depends on the versions of
torch, numpy and espeak-ng.

## On the test part

| metric (measured, of the shipped integers) | |
|---|---|
{rows}

False accepts are counted on {hours:.1f} hours made of {minutes:.0f} distinct minutes of speech: each clip comes again
at other speeds, loudnesses, in other rooms and over other noises. `..._at_0.5_per_hour` takes each word's level from
these negatives themselves, as published curves do; `..._as_shipped` is at the level chosen on validation.
Latency is from the end of the word, by its energy, to the end of the step that tells it; below 0 the word was told
before its sound had died away.

## Limits

- The words' data names no speakers: a voice of the test part may be in training. A new voice may be heard less well.
- "alexa" was recorded elsewhere than the other five words, and the other speech is digits and coffee orders: an hour
  of real conversation or television is something else, and was not measured.
- {clips:.0f} clips of six words: one clip is 2.5 points of a word's false rejects.
- All voices are adult and English. A word cut off, or said twice within a second, may be missed.
"""


def card_of(
    words: Sequence[str],
    learnt: Material,
    chosen: Material,
    figures: Mapping[str, Any],
    synthesized: bool,
    seed: int,
) -> str:
    """Markdown. figures: of validation."""
    rows = "\n".join(f"| {name} | {_shown(value)} |" for name, value in figures.items())
    return f"""# Wake words: {", ".join(words)}

A streaming model: every step takes new int16 samples at 16 kHz and gives logits of each word and of `other`. Log-mel
front-end, convolutions over time and state are one artifact of integers: int8 activations, weights of 4 bits in the
first layer and across channels (the network learnt with them), of 8 bits in the others.

| heard in training | clips | minutes as recorded |
|---|---|---|
| words | {len(learnt.words)} | {learnt.minutes[0]:.1f} |
| other speech | {len(learnt.others)} | {learnt.minutes[1]:.1f} |
| validation: words | {len(chosen.words)} | {chosen.minutes[0]:.1f} |
| validation: other speech | {len(chosen.others)} | {chosen.minutes[1]:.1f} |

{_SYNTHESIZED if synthesized else "No synthesized speech was used."}
Copies were varied in speed, vocal tract, colour, loudness, room and noise; the noises are synthesized. Seed {seed}.

| on validation, at the level that ships | |
|---|---|
{rows}
"""


def public_card(card: str, metrics: Mapping[str, float], seed: int) -> str:
    """The card of the shipped weights: with the data sets, and what was measured on the test part."""
    rows = "\n".join(f"| {name} | {_shown(value)} |" for name, value in metrics.items())
    return card + _PUBLIC.format(
        seed=seed,
        rows=rows,
        hours=metrics["wake_word_negative_hours"],
        minutes=metrics["wake_word_negative_distinct_minutes"],
        clips=metrics["wake_word_clips"],
    )


def _shown(value: object) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, (int, float)) else str(value)
