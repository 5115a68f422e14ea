"""Red cells, white cells and platelets in pictures of blood smears, counted by a small int8 detector."""

from pintsize.apps.images.cells.cells import Cells

__all__ = ["Cells"]
