"""An int8 model in headless Chromium, one thread: our WebAssembly beside onnxruntime-web, interleaved in one page.

    python -m benchmarks.web --model kws_ref_model.tflite --onnxruntime-web node_modules/onnxruntime-web --json web.json

`--onnxruntime-web` is the folder of the npm package; without it only ours is measured. Figures: under `contenders` each
one's median and least microseconds a run, and the bytes that the page really fetched for it, as they are and with
gzip; `mismatches` of `inputs` random inputs against the integer Graph (ours), `ours_is_faster` (ratio of medians) and
`ours_is_smaller` (ratio of bytes).
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from string import Template
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import numpy as np
from rich.console import Console

from pintsize.emulate import wasm
from pintsize.graph import Graph
from pintsize.module import run_integers
from pintsize.read.model_file import read_model
from pintsize.verify import random_codes
from pintsize.write.c import write
from pintsize.write.onnx import write_onnx
from pintsize.write.web import web_files

INPUTS = 32
PAGE_TIMEOUT_S = 300
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
}

PAGE = Template("""\
<!doctype html>
<script type="module">
const WARM_UP = 300, ROUNDS = $rounds, RUNS = $runs;
const contenders = {}, results = {};

for (const name of $ours) {
  const { load } = await import(`/$${name}/model.js`);
  const model = await load();
  contenders[name] = { run: (i) => model.run(inputs[i]), codes: (y) => Array.from(y) };
}
const codes = new Int8Array(await (await fetch("/inputs.bin")).arrayBuffer());
const inputs = Array.from({ length: $inputs }, (_, i) => codes.slice(i * $elements, (i + 1) * $elements));

if ($with_ort) {
  const ort = await import("/onnxruntime-web/dist/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/onnxruntime-web/dist/";
  const session = await ort.InferenceSession.create("/onnxruntime-web/model.onnx", { graphOptimizationLevel: "all" });
  const [x] = session.inputNames, [y] = session.outputNames;
  const tensors = inputs.map((q) => new ort.Tensor("float32",
    Float32Array.from(q, (c) => (c - $in_zero_point) * $in_scale), $onnx_shape));
  contenders["onnxruntime-web"] = {
    run: async (i) => (await session.run({ [x]: tensors[i] }))[y],
    codes: (out) => Array.from(out.data, (v) => Math.round(v / $out_scale) + $out_zero_point),
  };
}

for (const [name, contender] of Object.entries(contenders)) {
  results[name] = { outputs: [], microseconds: [] };
  for (let i = 0; i < inputs.length; i++) {
    results[name].outputs.push(contender.codes(await contender.run(i)));
  }
  for (let i = 0; i < WARM_UP; i++) {
    const done = contender.run(0);
    if (done instanceof Promise) await done;
  }
}
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, contender] of Object.entries(contenders)) {
    const start = performance.now();
    for (let i = 0; i < RUNS; i++) {
      const done = contender.run(i % inputs.length);
      if (done instanceof Promise) await done;
    }
    results[name].microseconds.push(1000 * (performance.now() - start) / RUNS);
  }
}
await fetch("/results", { method: "POST", body: JSON.stringify(results) });
</script>
""")


class Site:
    """Files served from memory; counts what was fetched, and hands over what the page posts."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.fetched: set[str] = set()
        self.posted: Queue[bytes] = Queue()

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The address of the site while it is served."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = site.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                site.fetched.add(self.path)
                self._answer(TYPES.get(Path(self.path).suffix, "application/octet-stream"), content)

            def do_POST(self) -> None:
                site.posted.put(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer("text/plain", b"")

            def _answer(self, kind: str, content: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                # a page that shares nothing with others gets a clock of 5 µs in place of 100 µs
                self.send_header("Cross-Origin-Opener-Policy", "same-origin")
                self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        return Handler


def site_of(graph: Graph, codes: np.ndarray, package: Path | None, rounds: int, runs: int) -> Site:
    """The page, our two builds (with the SIMD kernels and with the portable ones), and the package."""
    files: dict[str, bytes] = {"/inputs.bin": codes.tobytes()}
    ours = {"pintsize": write(graph, isa="simd128"), "pintsize-portable": write(graph)}
    for name, program in ours.items():
        for file, content in web_files(graph, wasm.build(program.files)).items():
            files[f"/{name}/{file}"] = content
    if package:
        files["/onnxruntime-web/model.onnx"] = write_onnx(graph)
        files |= {f"/onnxruntime-web/dist/{p.name}": p.read_bytes() for p in _needed(package)}
    x, y = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    shape = (x.shape[-1], *x.shape[:-1]) if len(x.shape) == 3 else x.shape
    files["/index.html"] = PAGE.substitute(
        rounds=rounds, runs=runs, ours=json.dumps(list(ours)), inputs=len(codes), elements=x.elements,
        with_ort=int(package is not None), in_zero_point=x.zero_point, in_scale=x.scale[0], out_zero_point=y.zero_point,
        out_scale=y.scale[0], onnx_shape=json.dumps([1, *shape]),
    ).encode()  # fmt: skip
    return Site(files)


def _needed(package: Path) -> list[Path]:
    names = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
    missing = [name for name in names if not (package / "dist" / name).is_file()]
    if missing:
        raise SystemExit(f"{package} is no onnxruntime-web: dist/{missing[0]} is missing")
    return [package / "dist" / name for name in names]


def browse(address: str, site: Site) -> dict[str, Any]:
    """What the page posts once a headless browser has opened it."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"no browser here: one of {', '.join(BROWSERS)} must be on the PATH")
    with TemporaryDirectory(prefix="pintsize-", ignore_cleanup_errors=True) as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                   f"{address}/index.html"]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return json.loads(site.posted.get(timeout=PAGE_TIMEOUT_S))
        except Empty:
            raise SystemExit(f"the page posted nothing within {PAGE_TIMEOUT_S} s") from None
        finally:
            process.terminate()
            process.wait()


def figures(
    site: Site, results: Mapping[str, Any], wanted: np.ndarray, package: Path | None
) -> dict[str, Any]:
    contenders = {name: _contender(site, name, found) for name, found in results.items()}
    outputs = {name: np.array(found["outputs"]).reshape(len(wanted), -1) for name, found in results.items()}
    differing = {name: int((y != wanted).sum()) for name, y in outputs.items()}
    found: dict[str, Any] = {
        "inputs": len(wanted),
        "mismatches": differing["pintsize"],
        "contenders": contenders,
    }
    for name in contenders:
        contenders[name]["differing_integers"] = differing[name]
    peer = contenders.get("onnxruntime-web")
    if peer and package:
        ours = contenders["pintsize"]
        found["onnxruntime_web_version"] = json.loads((package / "package.json").read_text())["version"]
        found["ours_is_faster"] = round(peer["median_us"] / ours["median_us"], 2)
        found["ours_is_smaller"] = round(peer["download_bytes"] / ours["download_bytes"], 1)
    return found


def _contender(site: Site, name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    fetched = [site.files[path] for path in sorted(site.fetched) if path.startswith(f"/{name}/")]
    times = np.array(found["microseconds"])
    return {
        "median_us": round(float(np.median(times)), 1),
        "least_us": round(float(times.min()), 1),
        "download_bytes": sum(map(len, fetched)),
        "download_gzip_bytes": sum(len(gzip.compress(content, mtime=0)) for content in fetched),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="a .tflite or .onnx file of integers")
    parser.add_argument("--onnxruntime-web", type=Path, help="the npm package's folder")
    parser.add_argument("--rounds", type=int, default=60, help="samples of each contender, taken in turn")
    parser.add_argument("--runs", type=int, default=20, help="runs in one sample")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    graph = read_model(options.model, None)
    codes = random_codes(graph, INPUTS)
    wanted = run_integers(graph, codes).reshape(INPUTS, -1)
    site = site_of(graph, codes, options.onnxruntime_web, options.rounds, options.runs)
    with site.serve() as address:
        results = browse(address, site)
    found = figures(site, results, wanted, options.onnxruntime_web)
    Console().print_json(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if found["mismatches"]:
        raise SystemExit(f"{found['mismatches']} integers differ from the Graph's")


if __name__ == "__main__":
    main()
