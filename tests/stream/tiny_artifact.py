"""A folder as pintsize writes it, around a program small enough to read.

It takes 4 samples of int16 and gives three int8: the first sample's upper byte, the same negated, and how many runs
there were since init. The sample 12345 makes it trap.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from wasmtime import wat2wasm

WINDOW = 4
TRAP = 12345
LABELS = ("up", "down", "runs")
PROGRAM = """
(module
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (func (export "model_init") (global.set $runs (i32.const 0)))
  (func (export "model_run") (param $in i32) (param $out i32)
    (local $x i32)
    (local.set $x (i32.load16_s (local.get $in)))
    (if (i32.eq (local.get $x) (i32.const 12345)) (then unreachable))
    (local.set $x (i32.shr_s (local.get $x) (i32.const 8)))
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (i32.store8 (local.get $out) (local.get $x))
    (i32.store8 offset=1 (local.get $out) (i32.sub (i32.const 0) (local.get $x)))
    (i32.store8 offset=2 (local.get $out) (global.get $runs)))
  (func (export "pintsize_input") (result i32) (i32.const 1024))
  (func (export "pintsize_output") (result i32) (i32.const 2048))
  (func (export "pintsize_input_bytes") (result i32) (i32.const 8))
  (func (export "pintsize_output_bytes") (result i32) (i32.const 3)))
"""


def write_tiny(folder: Path, golden: Mapping[str, np.ndarray] | None = None, **entries: Any) -> Path:
    """golden: inputs and outputs of golden.npz; entries: of the manifest, in place of the usual ones."""
    files = {"model.wasm": bytes(wat2wasm(PROGRAM))}
    if golden:
        stream = io.BytesIO()
        np.savez(stream, **golden)
        files["golden.npz"] = stream.getvalue()
    manifest = {
        "format": 1, "name": "tiny", "device": "raspberrypi4", "core": "cortex-a72", "labels": LABELS,
        "input": {"shape": [WINDOW], "dtype": "int16", "scale": 1 / 32768, "zero_point": 0},
        "output": {"shape": [3], "dtype": "int8", "scale": 0.125, "zero_point": 0},
        "metrics": {"energy_mj": 0.02},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        **entries,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
