"""The card of the shipped orders; its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.assistant.phrases.card import rows_of


def card_of(found: Mapping[str, float], figures: Mapping[str, Any], seed: int) -> str:
    """Markdown. found: of the test part; figures: of training and shipping."""
    return f"""# Spoken orders of coffee

One int8 model on six seconds of raw samples at 16 kHz, log-mel front-end inside: an output for each value of each slot
(drink, size, roast, shots, milk and its amount, sugar and its amount), taken where in the window it is largest. The
values of a group compete with one another and with none. Before it, silence is cut off and loudness evened out.

## Data

| data set | used for | licence |
|---|---|---|
| Picovoice, speech-to-intent-benchmark: 210 recorded orders | orders | Apache-2.0 |
| synthesized orders of the same menu by voices of espeak-ng | orders | made here |
| Picovoice, wake-word-benchmark | no order | Apache-2.0 |
| Free Spoken Digit Dataset (Jackson et al.) | no order | CC BY-SA 4.0 |

The recordings are divided by a hash of their source: 30 % test, 10 % validation, the rest is heard in training, with
its slots alone: there are no transcripts. The data names no speakers, so a voice may be on both sides. Temperature and
threshold are from validation; nothing was chosen on the test part. Copies were varied in vocal tract, pace, colour,
room and noise.

Made by `python -m pintsize.apps.assistant.orders.training DATA --seed {seed}`; the same command gives the same bytes
on a computer with the same versions of torch, numpy and espeak-ng.
{rows_of(found)}{rows_of(figures)}
## Limits

- It tells {100 * found.get("orders_told", 0.0):.0f} % of the recorded orders of the test part and refuses the others;
  {100 * found.get("orders_exact_of_told", 0.0):.0f} % of those told are right in every slot. Below 90 % let every order
  be confirmed.
- Few recorded orders: one of the test part is about 1.6 points of `orders_exact`.
- An order with one slot wrong is wrong: where it matters let the reply be confirmed.
- The window is the whole order: longer than six seconds is cut to the loudest six.
- Only the menu's values; other words are not heard at all.
"""
