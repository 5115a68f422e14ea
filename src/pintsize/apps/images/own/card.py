"""The card that lies beside a user's own model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pintsize.apps.evidence.tables import figures_table


def card_of(
    counts: Mapping[str, int], figures: Mapping[str, Any], facts: Mapping[str, Any], remarks: Sequence[str], seed: int
) -> str:  # fmt: skip
    """Markdown. counts: pictures of each label; figures: on pictures held back; facts: thresholds."""
    ranges = {name: f"{least} to {most}" for name, (least, most) in facts["gate"].items()}
    said = "\n".join(f"- {remark}" for remark in remarks)
    return f"""# Own pictures

One int8 model on raw pixels of the middle of a picture, scaled down; logits of the labels. What is unlike the pictures
that it learnt from (darker, brighter, flatter, more blurred, of other colours) is refused, and below a probability of
{facts["least"]:.2f} no label is told.

{figures_table("label", counts)}
{figures_table("measured, of the integers that ship, on pictures held back", figures)}
{figures_table("a picture is let through with", ranges)}
Copies were varied in pose, exposure, contrast, sharpness and noise; seed {seed}. Made small by `pintsize.shrink`.

The check-up before training said:

{said}

## Limits

- Pictures held back are of the same source: pictures of another place or camera may be known less well.
- It knows its labels alone: a picture of something else may be told as one of them. A label of "other" pictures helps.
- Where pictures decide about people's health, the model is a screening aid, not a diagnosis.
"""
