"""The web artifact: what its files say, and what they compute under Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pintsize.arithmetic import quantize
from pintsize.emulate import wasm
from pintsize.emulate.toolchain import is_installed
from pintsize.errors import UserError
from pintsize.graph import Graph, Tensor, TensorType
from pintsize.module import run_integers
from pintsize.write.c import write
from pintsize.write.web import web_files
from tests.drawn import random_codes
from tests.every_kernel import every_kernel

needs_zig = pytest.mark.skipif(not is_installed("ziglang"), reason="ziglang is not installed")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")

SCRIPT = """\
import { readFileSync } from "node:fs";
import { load, quantize, dequantize } from "./kernels.js";
const { inputs, numbers } = JSON.parse(readFileSync("given.json"));
const model = await load(readFileSync("kernels.wasm"));
let refused = "";
try { model.run(new Int8Array(3)); } catch (error) { refused = error.message; }
const outputs = inputs.map((row) => Array.from(model.run(Int8Array.from(row))));
const real = Array.from(dequantize(Int8Array.from(outputs[0])));
console.log(JSON.stringify({ outputs, refused, real, codes: Array.from(quantize(numbers)) }));
"""


@cache
def graph() -> Graph:
    return replace(every_kernel(), name="every <kernel>", labels=("a", 'b"', "c", "d", "e", "f"))


@cache
def artifact() -> dict[str, bytes]:
    files = write(graph(), prefix="kernels", isa="simd128").files
    return web_files(graph(), wasm.build(files, "kernels"), "kernels")


def run_node(folder: Path, given: dict[str, object]) -> dict[str, object]:
    for name, content in artifact().items():
        (folder / name).write_bytes(content)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "script.js").write_text(SCRIPT)
    (folder / "given.json").write_text(json.dumps(given))
    done = subprocess.run(["node", "script.js"], cwd=folder, capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


@needs_zig
@needs_node
def test_the_loaded_model_computes_the_graph_s_integers(tmp_path: Path) -> None:
    codes = random_codes(graph(), 8)
    x = graph().type(graph().inputs[0])
    numbers = np.concatenate([np.linspace(-9, 9, 101), [1e9, -1e9]]).astype(np.float32)
    found = run_node(tmp_path, {"inputs": codes.reshape(8, -1).tolist(), "numbers": numbers.tolist()})
    wanted = run_integers(graph(), codes).reshape(8, -1)
    y = graph().type(graph().outputs[0])
    assert found["outputs"] == wanted.tolist()
    assert found["codes"] == quantize(numbers, x.scale[0], x.zero_point).tolist()
    assert np.allclose(found["real"], (wanted[0] - y.zero_point) * y.scale[0])  # type: ignore[arg-type]
    assert f"Int8Array of {x.elements} codes" in str(found["refused"])


@needs_zig
def test_the_files_are_the_same_each_time_and_quote_what_the_model_is_called() -> None:
    files = artifact()
    assert sorted(files) == ["index.html", "kernels.js", "kernels.wasm"]
    assert web_files(graph(), files["kernels.wasm"], "kernels") == files
    assert b"<title>every &lt;kernel&gt;</title>" in files["index.html"]
    assert b'["a", "b\\"", "c", "d", "e", "f"]' in files["kernels.js"]
    assert b"$" not in files["index.html"].replace(b"${", b"")


def test_a_graph_of_real_numbers_is_refused() -> None:
    floats = Tensor("x", TensorType((4,), "float32"))
    with pytest.raises(UserError, match="takes or gives float32"):
        web_files(Graph("floats", {"x": floats}, (), ("x",), ("x",)), b"")
