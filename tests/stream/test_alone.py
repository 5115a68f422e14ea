"""The runtime stands alone: all of it imports without torch and without the libraries of its extras."""

from __future__ import annotations

import subprocess
import sys

ALONE = """
import pkgutil, sys
from importlib import import_module
import pintsize.stream
for module in pkgutil.walk_packages(pintsize.stream.__path__, "pintsize.stream."):
    import_module(module.name)
found = {name for name in sys.modules if name.startswith("pintsize.stream.")}
assert {"pintsize.stream.sources.wav", "pintsize.stream.convert", "pintsize.stream.health"} <= found, found
for name in sorted({name.partition(".")[0] for name in sys.modules}):
    print(name)
for name in sorted(name for name in sys.modules if name.startswith("pintsize.")):
    print(name)
"""

#: what a device that only runs models need not have
LEFT_OUT = {
    "torch", "scipy", "sklearn", "pandas", "sounddevice", "soundfile", "wfdb", "pyedflib", "cv2", "paho",
    "cryptography", "wasmtime", "ziglang", "onnx",
}  # fmt: skip
#: of pintsize itself, only this
KNOWN = ("pintsize.errors", "pintsize.folder", "pintsize.version", "pintsize.stream")


def test_the_runtime_needs_numpy_alone() -> None:
    command = [sys.executable, "-c", ALONE]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert "numpy" in loaded
    assert not loaded & LEFT_OUT
    own = {name for name in loaded if name.startswith("pintsize.")}
    assert all(name in KNOWN or name.startswith("pintsize.stream.") for name in own), own
