"""Samples on another scale than the network was trained on: then nothing else that is seen on them means anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pintsize.explaining.confirm import Cause
from pintsize.explaining.judge import Judge, has_more_right
from pintsize.explaining.mixture import Mixture
from pintsize.explaining.record import Record
from pintsize.explaining.suspect import Restoration, Suspect
from pintsize.ops.embedding import ids_read
from pintsize.verify import float_outputs

#: ranges that differ by less are not looked into
LEAST_RATIO = 1.5
NO_OFFSET = 1e-6


def rescaled(record: Record) -> tuple[Record, tuple[Cause, ...]]:
    """The record with its samples brought to the range of calibration, and the cause; where that helps the teacher.

    A teacher that knows the samples as they are says that not they are at fault.
    """
    before = record.calibration.get(record.student.inputs[0])
    if record.teacher is None or record.y is None or before is None or ids_read(record.student):
        return record, ()
    low, high = float(record.x.min()), float(record.x.max())
    width, wanted = high - low, before.high - before.low
    if not width or not wanted or 1 / LEAST_RATIO < wanted / width < LEAST_RATIO:
        return record, ()
    factor = wanted / width
    x = ((record.x - low) * factor + before.low).astype(np.float32)
    again = replace(record, x=x, answers=float_outputs(record.teacher, x))
    judges = [Judge(r.x, r.y, r.answers, r.goal) for r in (record, again)]
    if not has_more_right(*(j.score(j.answers) for j in judges)):
        return record, ()
    suspect = Suspect(
        "calibration differs", ("the input",),
        f"these samples run from {low:.4g} to {high:.4g}, those of calibration from {before.low:.4g} to "
        f"{before.high:.4g}, and the teacher knows them only when they are scaled alike",
        Restoration("samples brought to that range"),
        f"multiply the samples by {factor:.4g}{_plus(before.low - low * factor)}, as the training data were; or train "
        "with samples like these: --data",
    )  # fmt: skip
    shipped = Mixture(record.student, plain=record.plain)
    return again, (Cause(suspect, *(judge(shipped) for judge in judges)),)


def _plus(offset: float) -> str:
    return f" and add {offset:.4g}" if abs(offset) > NO_OFFSET else ""
