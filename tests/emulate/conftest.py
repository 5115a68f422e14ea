"""A hand-written program in the shape that pintsize writes, and inputs for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from pintsize.emulate import CORES, HostModel, Program, build, can_run

EXAMPLE = Path(__file__).parent / "example"


@pytest.fixture(scope="session")
def files() -> Mapping[str, str]:
    return {path.name: path.read_text() for path in EXAMPLE.iterdir()}


@pytest.fixture(scope="session")
def inputs() -> np.ndarray:
    return np.random.default_rng(7).integers(-128, 128, (16, 64), dtype=np.int8)


@pytest.fixture(scope="session")
def expected(files: Mapping[str, str], inputs: np.ndarray) -> np.ndarray:
    """What this computer computes for the inputs."""
    with HostModel(files) as model:
        return model.run(inputs)


@pytest.fixture(scope="session")
def program(files: Mapping[str, str]) -> Callable[[str], Program]:
    """The example linked for a core by name; skips where that core cannot run."""
    built: dict[str, Program] = {}

    def link(name: str) -> Program:
        reason = can_run(name)
        if reason:
            pytest.skip(reason)
        if name not in built:
            built[name] = build(files, CORES[name])
        return built[name]

    return link


@pytest.fixture(scope="session")
def one_layer() -> Callable[[str], Mapping[str, str]]:
    """Files of a model with one layer, whose body is given: it has `in` and `out`, 4 bytes each."""

    def write(body: str) -> Mapping[str, str]:
        sizes = "#define MODEL_INPUT_BYTES 4\n#define MODEL_OUTPUT_BYTES 4\n"
        api = "void model_init(void);\nvoid model_run(const int8_t *in, int8_t *out);\n"
        layer = (
            f"__attribute__((noinline)) static void layer_0_x(const int8_t *in, int8_t *out) {{ {body} }}\n"
        )
        run = "void model_run(const int8_t *in, int8_t *out) { layer_0_x(in, out); }\n"
        return {
            "model.h": "#include <stdint.h>\n" + sizes + api,
            "model.c": '#include "model.h"\n' + layer + "void model_init(void) {}\n" + run,
        }

    return write
