"""The files for a web page: the compiled program, a module that loads it, and an example page.

The program has the model in it and imports nothing, so these files are the whole download. It is compiled C, so the
integers that the page computes are those of every other device.
"""

from __future__ import annotations

import json
from html import escape
from string import Template

import numpy as np

from pintsize.errors import UserError
from pintsize.graph import Graph, TensorType

ARRAYS = {"int8": "Int8Array", "int16": "Int16Array"}
BOUNDS = {"int8": (-128, 127), "int16": (-32768, 32767)}

LOADER = Template("""\
// $title: written by pintsize. Loads $prefix.wasm, which has the model in it and asks for WebAssembly SIMD.
//
//     import { load, quantize, dequantize } from "./$prefix.js";
//     const model = await load();
//     const scores = dequantize(model.run(quantize(numbers)));

// real = scale * (q - zero_point), channels last
export const INPUT = $input;
export const OUTPUT = $output;
export const LABELS = $labels;

// source: where the program is (URL), or its bytes. Throws WebAssembly.CompileError where the browser has no SIMD.
export async function load(source = new URL("./$prefix.wasm", import.meta.url)) {
  const bytes = source instanceof URL || typeof source === "string" ? await download(source) : source;
  const { instance } = await WebAssembly.instantiate(bytes);
  return new Model(instance.exports);
}

async function download(url) {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`$${url} cannot be loaded: status $${response.status}`);
  }
  return response.arrayBuffer();
}

class Model {
  #program;
  #input;
  #output;

  constructor(program) {
    this.#program = program;
    this.#input = new $input_array(program.memory.buffer, program.pintsize_input(), $inputs);
    this.#output = new $output_array(program.memory.buffer, program.pintsize_output(), $outputs);
    this.reset();
  }

  // Forgets what a model with state remembers from run to run.
  reset() {
    this.#program.${prefix}_init();
  }

  // input: $inputs codes ($input_array). Gives $outputs codes ($output_array) of its own.
  run(input) {
    if (!(input instanceof $input_array) || input.length !== $inputs) {
      throw new RangeError("run takes $input_array of $inputs codes; quantize makes them from numbers");
    }
    this.#input.set(input);
    this.#program.${prefix}_run(this.#input.byteOffset, this.#output.byteOffset);
    return this.#output.slice();
  }
}

// Real numbers → codes of the input: nearest, halves away from zero, saturated; as the C header does it, in float32.
export function quantize(numbers) {
  const codes = new $input_array(numbers.length);
  for (let i = 0; i < codes.length; i++) {
    const steps = Math.fround(Math.fround(numbers[i]) / INPUT.scale);
    const q = Math.trunc(Math.fround(steps + (steps < 0 ? -0.5 : 0.5))) + INPUT.zeroPoint;
    codes[i] = Math.max($low, Math.min($high, Number.isNaN(q) ? $low : q));
  }
  return codes;
}

// Codes of the output → real numbers.
export function dequantize(codes) {
  return Float32Array.from(codes, (q) => (q - OUTPUT.zeroPoint) * OUTPUT.scale);
}
""")

PAGE = Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }</style>
<h1>$title</h1>
<p>The model runs in this page. Serve the folder over HTTP, for browsers load no module from a file.</p>
<button disabled>Run on random numbers</button>
<pre></pre>
<script type="module">
  import { load, dequantize, INPUT, LABELS } from "./$prefix.js";

  const RUNS = 100;
  const model = await load();
  const button = document.querySelector("button");
  button.disabled = false;
  button.onclick = () => {
    const codes = $input_array.from({ length: $inputs }, () => Math.floor($low + $span * Math.random()));
    const start = performance.now();
    for (let i = 0; i < RUNS; i++) {
      model.run(codes);
    }
    const each = (1000 * (performance.now() - start)) / RUNS;
    const scores = dequantize(model.run(codes));
    const best = scores.indexOf(Math.max(...scores));
    document.querySelector("pre").textContent =
      `$${each.toFixed(0)} µs a run\\nlargest output: $${LABELS[best] ?? best} ($${scores[best].toPrecision(3)})`;
  };
</script>
</html>
""")


def web_files(graph: Graph, program: bytes, prefix: str = "model") -> dict[str, bytes]:
    """Name → content of ``<prefix>.wasm``, ``<prefix>.js`` and ``index.html``.

    graph: the integer Graph that was compiled; program: what ``emulate.wasm.build`` made of its C with this prefix.
    Raises UserError for a Graph whose borders are no integers.
    """
    x, y = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    for kind in (x, y):
        if kind.dtype not in ARRAYS:
            raise UserError(
                f"{graph.name} takes or gives {kind.dtype}: a web page needs an int8 or int16 model"
            )
    low, high = BOUNDS[x.dtype]
    words = {
        "prefix": prefix, "input": _grid(x), "output": _grid(y), "labels": json.dumps(graph.labels),
        "input_array": ARRAYS[x.dtype], "output_array": ARRAYS[y.dtype], "inputs": x.elements, "outputs": y.elements,
        "low": low, "high": high, "span": high - low + 1,
    }  # fmt: skip
    loader = LOADER.substitute(words, title=" ".join(graph.name.split()))
    page = PAGE.substitute(words, title=escape(graph.name))
    return {f"{prefix}.wasm": program, f"{prefix}.js": loader.encode(), "index.html": page.encode()}


def _grid(kind: TensorType) -> str:
    scale = repr(float(np.float32(kind.scale[0])))
    return f"{{ shape: {list(kind.shape)}, scale: {scale}, zeroPoint: {kind.zero_point} }}"
