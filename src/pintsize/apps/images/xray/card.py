"""The card of the shipped X-ray model; its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.evidence import Evaluation
from pintsize.apps.evidence.tables import figures_table, measured_table


def card_of(found: Evaluation, figures: Mapping[str, Any], facts: Mapping[str, Any], seed: int) -> str:
    """Markdown. figures: of training and shipping; facts: thresholds."""
    notes = "\n".join(f"- {note}" for note in found.notes)
    ranges = {name: f"{least} to {most}" for name, (least, most) in facts["gate"].items()}
    return f"""# Pneumonia on chest X-rays

A screening aid, not a diagnosis.

One int8 model on 28×28 raw grey pixels, the middle of the picture scaled down: logits of `normal`, `pneumonia`, and of
`turned` and `no chest X-ray`, which are never told but refused as ungradable. Before it, whole-number statistics refuse
what is dark, overexposed, flat, blurred or in colour.

## Data

| data set | used for | licence |
|---|---|---|
| PneumoniaMNIST (MedMNIST v2, Yang et al. 2023; Kermany et al. 2018), children up to five years | X-rays | CC BY 4.0 |
| EuroSAT (Helber et al. 2019), training part | what is no X-ray | MIT |
| Caltech 101, twenty classes, training part | what is no X-ray | CC BY 4.0 |

Of the training X-rays (a reduced copy: 388 normal, 3,494 pneumonia) 15 % of each class are held back, and everything is
chosen on them: temperature, thresholds, the network's size. The data names no patients. The validation and the test
part are looked at by the evaluation alone. With clusters of look-alike training X-rays left out, short trainings with
varied copies ranked about as well as those without: that copies are varied, and how far, is a judgement about other
devices and patients, not the best of a search.

## How it was trained

{figures.get("teachers", 0)} networks learn from balanced draws of copies that differ in pose, exposure, contrast,
shading, sharpness, noise and hidden parts; the mean of their logits teaches the student that `pintsize.shrink`
(effort low, budget of flash) prunes, distils and quantizes.

Made by `python -m pintsize.apps.images.xray.training DATA --seed {seed}`; the same command gives the same bytes on a
computer with the same versions of torch and numpy.

{notes}

{measured_table(found, "picture")}
{figures_table("of training, and what it takes", figures)}
{figures_table("a picture is let through with", ranges)}
An answer is told from a probability of {facts["least"]:.2f} on; a picture with more than
{facts["most_odd"]:.2f} for `turned` and `no chest X-ray` together is refused. Statistics are explained
in `images/gate.py`. `pneumonia_refused_…`: the share of X-rays spoilt on purpose, and of other
pictures, that is not answered.

## Limits

- Children of one hospital, from the front; adults, other devices and other views were not seen.
- 28×28 pixels: small findings are not in the picture any more.
- It knows pneumonia and normal alone. Another disease is told as one of the two, or as unsure.
- Pictures of the validation part may be of patients of the training part; expect less on others.
"""
