"""The metrics of all pieces in one table, each measured by its own evaluation on its shipped integers."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pintsize.apps.application import Said, nobody, require_folder
from pintsize.apps.evidence import Evaluation
from pintsize.apps.evidence.evaluation import joined
from pintsize.errors import DataError

PIECES = ("heart_rate", "activity", "sleep")


def evaluate(data: Path, said: Said = nobody) -> Evaluation:
    """data: the folder that holds the data sets. What a piece's data is not there for is told and left out.

    Raises DataError where no piece could be evaluated.
    """
    require_folder(data, "the data sets lie in it, each in a folder of its own")
    found: list[Evaluation] = []
    for piece in PIECES:
        said(f"{piece} …")
        try:
            found.append(import_module(f"pintsize.apps.wearable.{piece}.evaluation").evaluate(data))
        except DataError as error:
            said(f"{piece} is left out: {error}")
            found.append(Evaluation({}, notes=(f"{piece} is left out: {error}",)))
    if not any(evaluation.metrics for evaluation in found):
        raise DataError(f"{data} has none of the data sets that the wearable is evaluated on")
    return joined(found)
