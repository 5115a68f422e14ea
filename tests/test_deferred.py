"""Reading .tflite, writing C and compiling it begin without torch; what needs it gets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")


def printed(code: str) -> list[str]:
    """What Python code prints, line by line, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_what_compiles_is_imported_without_torch() -> None:
    code = (
        "import sys, pintsize.compiling, pintsize.terminal, pintsize.model_argument, pintsize.read.tflite\n"
        "import pintsize.ops, pintsize.gates, pintsize.fixed_point, pintsize.interpolated, pintsize.benching\n"
        "print('torch' in sys.modules)"
    )
    assert printed(code) == ["False"]


@pytest.fixture(scope="module", params=["kws", "ic"])
def model_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An int8 .tflite: with depthwise layers and a softmax, or with sums."""
    pytest.importorskip("tflite")
    from benchmarks.exact import MODELS, with_random_statistics
    from pintsize.compress.quantize import Quantize
    from pintsize.passes.simplify import fold
    from pintsize.read.torch_export import read
    from pintsize.write.tflite import write_tflite

    make, shape = MODELS[request.param]
    reading = read(with_random_statistics(make()), sample_shape=shape)
    samples = reading.arrange(np.random.default_rng(0).normal(0, 1, (2, *shape)))
    path = tmp_path_factory.mktemp("model") / f"{request.param}.tflite"
    path.write_bytes(write_tflite(Quantize()(fold(reading.graph), samples)))
    return path


def test_a_network_is_read_slimmed_and_written_without_torch(model_file: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pintsize.compiling import fold_constant_channels, read_model, write\n"
        f"graph = fold_constant_channels(read_model(Path({str(model_file)!r})))\n"
        "for isa in ('portable', 'thumb', 'dsp', 'helium', 'simd128'):\n"
        "    print('model.c' in write(graph, isa=isa).files, 'torch' in sys.modules)"
    )
    assert printed(code) == ["True", "False"] * 5


def test_the_first_use_loads_it() -> None:
    code = (
        "import sys\n"
        "from pintsize.deferred import F, torch\n"
        "print('torch' in sys.modules, torch.float32, F.relu.__name__, 'torch' in sys.modules)\n"
        "import torch as real\n"
        "print(torch.Tensor is real.Tensor, isinstance(real.zeros(1), torch.Tensor))"
    )
    assert printed(code) == ["False", "torch.float32", "relu", "True", "True", "True"]


def test_a_name_that_torch_lacks_is_an_attribute_error() -> None:
    from pintsize.deferred import torch

    with pytest.raises(AttributeError, match="no attribute 'shrimp'"):
        torch.shrimp  # noqa: B018


def test_without_torch_the_first_use_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pintsize.deferred import torch\n"
        "from pintsize.errors import MissingExtra\n"
        "try: torch.float32\n"
        "except MissingExtra as error: print(error.extra)"
    )
    assert printed(code) == ["train"]
