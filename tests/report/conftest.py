from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def report() -> dict[str, Any]:
    """A complete report of a speech model that meets its budget."""
    return json.loads(Path(__file__).with_name("sample_report.json").read_text(encoding="utf-8"))
