"""Header, self-test, Makefile: what a user touches first."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pintsize.arithmetic import quantize
from pintsize.graph import Graph
from pintsize.module import run_integers
from pintsize.write.c import write
from tests.compiled import host_compiler, library, pointer
from tests.drawn import random_codes
from tests.every_kernel import every_kernel


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_kernel()


@pytest.fixture(scope="module")
def written(graph: Graph) -> dict[str, str]:
    codes = random_codes(graph, 5)
    return write(graph, (codes, run_integers(graph, codes))).files


MACROS = """
#include "model.h"
static const int32_t input_shape[] = MODEL_INPUT_SHAPE, output_shape[] = MODEL_OUTPUT_SHAPE;
void run(int32_t *y, float *scales)
{
    const int32_t numbers[] = {MODEL_INPUT_BYTES, MODEL_OUTPUT_BYTES, MODEL_ARENA_BYTES, MODEL_INPUT_ZERO_POINT,
                               MODEL_OUTPUT_ZERO_POINT, input_shape[0], input_shape[1], input_shape[2],
                               output_shape[0], (int32_t)(sizeof input_shape / 4), (int32_t)(sizeof output_shape / 4)};
    for (int32_t i = 0; i < 11; i++) {
        y[i] = numbers[i];
    }
    scales[0] = MODEL_INPUT_SCALE;
    scales[1] = MODEL_OUTPUT_SCALE;
}
"""


def test_the_headers_macros_are_the_graphs(graph: Graph, written: dict[str, str]) -> None:
    x, y = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    numbers, scales = np.zeros(11, np.int32), np.zeros(2, np.float32)
    with library(MACROS, written) as c:
        c.run(pointer(numbers), pointer(scales))
    arena = write(graph).plan.arena_bytes
    shapes = [*x.shape, *y.shape, 3, 1]
    assert numbers.tolist() == [x.elements, y.elements, arena, x.zero_point, y.zero_point, *shapes]
    assert scales.tolist() == [np.float32(x.scale[0]), np.float32(y.scale[0])]


MODEL = '#include "model.c"\n#include "model_weights.c"\n'
SELF_TEST = MODEL + '#include "model_self_test.c"\nint run(void) { return (int)model_self_test(); }\n'


def test_the_self_test_finds_nothing_in_right_vectors(written: dict[str, str]) -> None:
    with library(SELF_TEST, written) as c:
        assert c.run() == 0


def test_the_self_test_counts_every_wrong_byte(graph: Graph) -> None:
    codes = random_codes(graph, 3)
    outputs = run_integers(graph, codes)
    outputs[1, 2] ^= 1
    outputs[2, 0] ^= 64
    with library(SELF_TEST, write(graph, (codes, outputs)).files) as c:
        assert c.run() == 2


def test_without_golden_vectors_there_is_no_self_test(graph: Graph) -> None:
    written = write(graph).files
    assert "model_self_test.c" not in written
    assert "self_test:" not in written["Makefile"]
    assert "self_test.c" not in written["model.cmake"]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_builds_the_example_and_the_self_test(written: dict[str, str], tmp_path: Path) -> None:
    if host_compiler() == "zig":
        pytest.skip("the Makefile's compiler is the computer's own")
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    make = ["make", f"CC={host_compiler()}"]
    done = subprocess.run([*make, "example", "self_test"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert subprocess.run([tmp_path / "self_test"]).returncode == 0
    subprocess.run([*make, "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(written)


EXAMPLE = MODEL + '#define main example\n#include "main.c"\nint run(void) { return example(); }\n'


def test_the_example_names_the_largest_output(graph: Graph, written: dict[str, str]) -> None:
    kind = graph.type(graph.inputs[0])
    zeros = np.full((1, *kind.shape), quantize(np.zeros(1), kind.scale[0], kind.zero_point)[0], np.int8)
    with library(EXAMPLE, written) as c:
        assert c.run() == int(run_integers(graph, zeros)[0].argmax())


def test_the_prefix_is_everywhere(graph: Graph) -> None:
    codes = random_codes(graph, 2)
    written = write(graph, (codes, run_integers(graph, codes)), prefix="ears").files
    assert set(written) == {
        "main.c",
        "Makefile",
        *(f"ears{end}" for end in (".h", ".c", "_weights.c", "_self_test.c", ".cmake")),
    }
    assert not any(re.search(r"\bmodel_|MODEL_", text) for text in written.values())


def test_a_golden_vector_reads_back_as_it_was(graph: Graph, written: dict[str, str]) -> None:
    text = written["model_self_test.c"]
    numbers = [
        int(n) for n in re.findall(r"-?\d+", text.split("golden_inputs")[1].split("= {")[1].split("};")[0])
    ]
    assert numbers == random_codes(graph, 5).reshape(-1).tolist()
