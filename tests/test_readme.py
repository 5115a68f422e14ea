"""What the README says, done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(example.strip().splitlines()) <= 10
    exec(compile(example, "README.md", "exec"), {})
    met, flash, ram, mismatches = capsys.readouterr().out.split()
    assert met == "True"
    assert float(flash) < 32 * 1024
    assert float(ram) < 16 * 1024
    assert mismatches == "0"


def test_what_it_links_to_is_there() -> None:
    root = Path(__file__).parent.parent
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    assert all((root / link).exists() for link in links)
