"""The browser benchmark without a browser: its site, and what it makes of the page's results."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from benchmarks.web import Site, figures


def test_the_site_serves_its_files_and_knows_what_was_fetched() -> None:
    site = Site({"/a/model.wasm": b"wasm", "/b/model.js": b"js"})
    with site.serve() as address:
        with urlopen(f"{address}/a/model.wasm") as answer:
            assert (answer.read(), answer.headers["Content-Type"]) == (b"wasm", "application/wasm")
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{address}/elsewhere")
        urlopen(Request(f"{address}/results", data=b"{}")).close()
    assert site.fetched == {"/a/model.wasm"}
    assert site.posted.get_nowait() == b"{}"


def test_figures_count_the_bytes_and_the_integers(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"version": "1.2.3"}))
    site = Site(
        {
            "/pintsize/model.wasm": b"1" * 10,
            "/onnxruntime-web/ort.wasm": b"2" * 3000,
            "/pintsize/index.html": b"",
        }
    )
    site.fetched = {"/pintsize/model.wasm", "/onnxruntime-web/ort.wasm"}
    results = {
        "pintsize": {"outputs": [[1, 2], [3, 4]], "microseconds": [10.0, 30.0, 20.0]},
        "onnxruntime-web": {"outputs": [[1, 2], [3, 5]], "microseconds": [80.0, 70.0, 90.0]},
    }
    found = figures(site, results, np.array([[1, 2], [3, 4]]), tmp_path)
    assert (found["mismatches"], found["ours_is_faster"], found["ours_is_smaller"]) == (0, 4.0, 300.0)
    assert found["contenders"]["onnxruntime-web"]["differing_integers"] == 1
    assert found["onnxruntime_web_version"] == "1.2.3"
