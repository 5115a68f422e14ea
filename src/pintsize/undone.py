"""What each kind of step saved on the device, compiled after each, and which were undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pintsize.compress.allocate import whole
from pintsize.compress.candidate import Candidate
from pintsize.compress.outline import Allocation
from pintsize.compress.size import Size
from pintsize.workshop import Workshop


def steps_of(workshop: Workshop, candidate: Candidate) -> dict[str, Any]:
    """For the report (see report/schema.py): the program after every kind of step, and the refunds."""
    row = workshop.sketched.get(candidate)
    if row is None:
        return {"steps": [], "undone": []}
    full = whole(workshop.planner.sketch, workshop.planner.rules)
    given = workshop.settled_allocation(candidate)
    steps: list[tuple[str, Allocation]] = [("the whole network, weights of 8 bits", full)]
    for title, changed in (
        ("branches dropped", replace(full, dropped=given.dropped)),
        ("channels removed", replace(full, dropped=given.dropped, widths=given.widths)),
        ("weights narrowed", given),
    ):
        if changed != steps[-1][1]:
            steps.append((title, changed))
    confirmed = set(workshop.confirmed_refunds(candidate))
    return {
        "steps": [{"step": title, **_figures(workshop.linked(a))} for title, a in steps],
        "undone": [
            {
                "step": refund.step,
                "with": _figures(workshop.linked(refund.kept)),
                "without": _figures(workshop.linked(refund.undone)),
                "undone": refund.step in confirmed,
            }
            for refund in row.refunds
        ],
    }


def _figures(size: Size) -> dict[str, Any]:
    return {
        "flash_bytes": size.flash_bytes,
        "ram_bytes": size.ram_bytes,
        "weight_bytes": size.weight_bytes,
        "instructions": size.instructions,
    }
