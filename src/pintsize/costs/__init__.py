"""What a network takes on a device, predicted from the writer's layout and from kernels that the emulator measured."""

from __future__ import annotations

from pintsize.costs.model import CostModel
from pintsize.costs.table import KernelTable

__all__ = ["CostModel", "KernelTable"]
