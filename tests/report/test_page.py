"""The page is one file, says everything that the report holds, and cannot be broken by a name."""

from __future__ import annotations

import copy
import json
import re
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

import pintsize.report
from pintsize.errors import MissingExtra
from pintsize.report.page import html

NASTY = 'conv<1> & "two" </script><script>alert(1)</script>'


class Reader(HTMLParser):
    """Collects what a browser would see: tags, addresses, words, scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.tags.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href", "srcset", "data")]

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self.inside == "script" else self.words).append(data)

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    @property
    def charts(self) -> dict[str, Any]:
        found = re.search(r"^const charts = (.*);$", "".join(self.scripts), re.MULTILINE)
        assert found
        return json.loads(found[1])


def without_optional_values(value: Any) -> Any:
    """The report with None wherever the schema allows it."""
    optional = {"limit", "met", "teacher", "integers", "agreement", "validation_accuracy", "instructions"}
    optional |= {"stack_bytes", "latency_ms", "energy_mj", "max_drop", "value", "flash_bytes", "ram_bytes"}
    if isinstance(value, list):
        return [without_optional_values(v) for v in value]
    if isinstance(value, dict):
        return {
            k: v
            if k in ("device", "met") and "seed" in value
            else None
            if k in optional
            else without_optional_values(v)
            for k, v in value.items()
        }
    return value


def strings(value: Any) -> list[str]:
    """Every string inside a specification."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [s for v in inner for s in strings(v)]


def test_nothing_is_loaded_from_elsewhere(report: dict[str, Any]) -> None:
    page = html(report)
    assert Reader(page).addresses == [report["device"]["datasheet"]]
    assert 'src="http' not in page
    assert page.count('href="http') == 1
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src &#x27;none&#x27;" in page


def test_the_page_is_about_a_megabyte_with_vega_in_it_once(report: dict[str, Any]) -> None:
    page = html(report)
    assert len(page.encode()) < 1_100_000
    assert page.count("window.vegaEmbed=") == 1
    assert set(Reader(page).charts) == {"accuracy-against-flash", "memory-over-time", "trade-off"}


def test_the_same_report_gives_the_same_bytes(report: dict[str, Any]) -> None:
    first = html(report)
    html(report | {"name": "another"})
    assert html(copy.deepcopy(report)) == first


def test_every_name_is_on_the_page_with_its_numbers(report: dict[str, Any]) -> None:
    text = Reader(html(report)).text
    for rows, keys in {
        "layers": ("name", "op", "source"),
        "candidates": ("name", "reason"),
        "figures": ("how", "kind"),
        "verification": ("core",),
        "accuracy": ("split",),
    }.items():
        for row in report[rows]:
            assert all(row[key] in text for key in keys)
    assert "Budget met" in text
    assert "12,040 B" in text
    assert report["created_by"] in text
    assert report["provenance"]["model_sha256"] in text


@pytest.mark.parametrize("place", ["name", "layer", "core", "buffer", "step", "candidate", "split"])
def test_a_name_with_markup_in_it_is_shown_as_it_is(report: dict[str, Any], place: str) -> None:
    rows: dict[str, tuple[dict[str, Any] | list[str], Any]] = {
        "name": (report, "name"),
        "layer": (report["layers"][0], "name"),
        "core": (report["verification"][0], "core"),
        "buffer": (report["memory"]["buffers"][0], "name"),
        "step": (report["memory"]["steps"], 0),
        "candidate": (report["candidates"][0], "name"),
        "split": (report["accuracy"][0], "split"),
    }
    plain = Reader(html(report))
    holder, key = rows[place]
    holder[key] = NASTY
    page = Reader(html(report))
    assert page.tags == plain.tags
    # the names of the steps stand in an expression, as a list of string literals
    drawn = any(s == NASTY or json.dumps(NASTY) in s for s in strings(page.charts))
    assert drawn or NASTY in page.text


def test_values_that_are_not_known_read_as_a_dash(report: dict[str, Any]) -> None:
    bare = without_optional_values(report)
    text = Reader(html(bare)).text
    assert "–" in text
    assert "None" not in text
    assert "nan" not in text.lower().split()
    assert all(layer["name"] in text for layer in report["layers"])
    assert "Share of MACs" in text


def test_a_report_with_empty_lists_still_gives_a_page(report: dict[str, Any]) -> None:
    memory = {"arena_bytes": 0, "lower_bound_bytes": 0, "optimal": True, "buffers": [], "steps": []}
    empty = {key: [] for key in ("figures", "accuracy", "candidates", "front", "layers", "verification")}
    page = Reader(html(report | empty | {"memory": memory}))
    assert page.charts == {}
    assert "No core ran this artifact." in page.text


def test_a_missed_budget_and_a_differing_integer_are_said_plainly(report: dict[str, Any]) -> None:
    report["met"] = False
    report["figures"][0] |= {"value": 40_000, "met": False}
    report["verification"][1]["mismatches"] = 3
    text = Reader(html(report)).text
    assert "Budget not met" in text
    assert "fail" in text
    assert "122.1 %" in text
    assert "3 integers differ from Python's" in text


def test_an_address_that_is_no_web_page_is_not_linked(report: dict[str, Any]) -> None:
    report["device"]["datasheet"] = "javascript:alert(1)"
    assert Reader(html(report)).addresses == []


@pytest.mark.parametrize(("module", "package"), [("altair", "altair"), ("vl_convert", "vl-convert-python")])
def test_without_the_drawing_packages_the_extra_is_named(
    report: dict[str, Any], monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    for name in ("charts", "accuracy_against_flash", "memory_over_time"):
        monkeypatch.delitem(sys.modules, f"pintsize.report.{name}", raising=False)
        monkeypatch.delattr(pintsize.report, name, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pintsize\[report\]") as raised:
        html(report)
    assert raised.value.package == package
