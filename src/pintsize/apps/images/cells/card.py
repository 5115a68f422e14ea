"""The card of the shipped cell detector; its numbers are those measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.evidence import Evaluation
from pintsize.apps.evidence.tables import figures_table, measured_table


def card_of(found: Evaluation, figures: Mapping[str, Any], facts: Mapping[str, Any], seed: int) -> str:
    """Markdown. figures: of training and shipping; facts: thresholds."""
    notes = "\n".join(f"- {note}" for note in found.notes)
    ranges = {name: f"{least} to {most}" for name, (least, most) in facts["gate"].items()}
    rules = {
        name: f"code {rule['threshold']} or more, none larger within {rule['distance']}"
        + (", counted by mass" if "mass" in rule else "")
        for name, rule in facts["rules"].items()
    }
    return f"""# Blood cells

A screening aid, not a diagnosis.

One int8 detector on 320×240 raw colour pixels: for red cells, white cells and platelets how much each place, every
four pixels, looks like the centre of one. Whole-number rules find the peaks and count them; red cells, which lie on
one another and were marked now and not then, are counted by the mass of their heatmap, and at most as many peaks,
the strongest, are shown.

## Data

BCCD (Shenggan, cosmicad, akshaylamba), 320×240, MIT. The official training part is learnt from, but for 15 % of its
pictures; rules are chosen on all of it, those held back weighing as much as the rest. The validation part was read
twice while the network was drawn up (count errors of two earlier trainings); nothing was chosen by it. Pictures with
fewer than {figures.get("fewest_red", 0)} red cells marked teach nothing about red cells: they were left out there.

## How it was trained

Windows turned, mirrored, scaled, recoloured and blurred; focal loss on heatmaps with a bell around each centre (Zhou
et al., "Objects as Points", 2019). Then `pintsize.Quantize` (8 bits) without further training: a detector has a heatmap
for an output, which `pintsize.shrink` does not compare by counts.

Made by `python -m pintsize.apps.images.cells.training DATA --seed {seed}`; the same command gives the same bytes on a
computer with the same versions of torch and numpy.

{notes}

{measured_table(found, "picture")}
{figures_table("of training, and what it takes", figures)}
{figures_table("counted as a cell", rules)}
{figures_table("a picture is let through with", ranges)}
Statistics are explained in `images/gate.py`.

## Limits

- One magnification (100×), stain and camera: a cell of other size in pixels is not found. Bring a field of about
  six red cells across to the whole width of a picture.
- Red cells that lie on one another are counted as the annotators did, who left many of them out.
- Counts of one field are no blood count: that takes many fields and a known volume.
"""
