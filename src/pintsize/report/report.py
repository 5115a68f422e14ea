"""The result of a run: measured numbers, and the program they were measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pintsize.graph import Graph


@dataclass(frozen=True, eq=False)
class Report:
    """data: what `report.json` holds (report/schema.py says every key). program: file name → text.

    graph: the integer Graph that ships; golden: input and output codes, int8; front: the reports of all models of a
    whole trade-off, smallest first.
    """

    data: Mapping[str, Any]
    graph: Graph
    labels: tuple[str, ...]
    program: Mapping[str, str]
    golden: tuple[np.ndarray, np.ndarray]
    front: tuple[Report, ...] = ()

    @property
    def met(self) -> bool:
        """Is the whole budget kept?"""
        return bool(self.data["met"])

    def figure(self, name: str) -> float | None:
        """One figure by its name, such as "flash_bytes". Raises KeyError when there is none of that name."""
        for row in self.data["figures"]:
            if row["name"] == name:
                return row["value"]
        raise KeyError(name)

    @property
    def mismatches(self) -> int:
        """Differing integers over all cores (a finished run has none)."""
        return sum(check["mismatches"] for check in self.data["verification"])
