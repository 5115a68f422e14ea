"""The reference names everything that is read and every op there is."""

from __future__ import annotations

import re
from pathlib import Path

from pintsize.ops import OPS
from pintsize.read.torch_ops import READERS

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference.md").read_text(encoding="utf-8")


def named(title: str) -> set[str]:
    """What stands in backquotes in the first column of a section's table."""
    section = REFERENCE.partition(f"## {title}")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    return {name for cell in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)}


def test_every_op_is_in_the_reference() -> None:
    assert named("Ops of the Graph") == set(OPS)


def test_everything_that_is_read_is_in_the_reference() -> None:
    read = {overload._schema.name.partition("::")[2].rstrip("_") for overload in READERS}
    assert named("What is read from PyTorch") == read
