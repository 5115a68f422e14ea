from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from pintsize.emulate import HostModel
from pintsize.errors import DataError, ToolError

needs_sanitizer = pytest.mark.skipif(
    not (shutil.which("clang") or shutil.which("gcc")), reason="neither clang nor gcc is installed"
)


def test_outputs_are_what_the_c_says(one_layer: Callable[[str], Mapping[str, str]]) -> None:
    inputs = np.random.default_rng(0).integers(-128, 128, (1000, 4), dtype=np.int8)
    with HostModel(one_layer("int i; for (i = 0; i < 4; ++i) out[i] = (int8_t)(in[3 - i] / 2);")) as model:
        outputs = model.run(inputs)
    assert np.array_equal(outputs, np.trunc(inputs[:, ::-1] / 2).astype(np.int8))


def test_inner_axes_may_have_any_shape(files: Mapping[str, str], inputs: np.ndarray) -> None:
    with HostModel(files) as model:
        assert np.array_equal(model.run(inputs.reshape(-1, 4, 4, 4)), model.run(inputs))


def test_state_goes_on_from_call_to_call(one_layer: Callable[[str], Mapping[str, str]]) -> None:
    with HostModel(one_layer("static int8_t n; ++n; out[0] = n; (void)in;")) as model:
        twice = [model.run(np.zeros((2, 4), np.int8))[:, 0].tolist() for _ in range(2)]
    assert twice == [[1, 2], [3, 4]]


def test_two_models_do_not_disturb_each_other(one_layer: Callable[[str], Mapping[str, str]]) -> None:
    row = np.array([[5, 0, 0, 0]], np.int8)
    doubled, negated = one_layer("out[0] = (int8_t)(in[0] * 2);"), one_layer("out[0] = (int8_t)-in[0];")
    with HostModel(doubled) as a, HostModel(negated) as b:
        assert (a.run(row)[0, 0], b.run(row)[0, 0], a.run(row)[0, 0]) == (10, -5, 10)


@needs_sanitizer
def test_the_sanitized_program_computes_the_same(
    files: Mapping[str, str], inputs: np.ndarray, expected: np.ndarray
) -> None:
    with HostModel(files, sanitize=True) as model:
        assert np.array_equal(model.run(inputs), expected)


@needs_sanitizer
@pytest.mark.parametrize(
    ("body", "report"),
    [
        ("out[4] = in[0];", "heap-buffer-overflow"),
        ("out[0] = in[(uint8_t)in[0] + 4];", "heap-buffer-overflow"),
        ("int32_t big = 2147483647 - in[0]; out[0] = (int8_t)((big + 2) >> 24);", "signed integer overflow"),
    ],
)
def test_the_sanitizers_find(one_layer: Callable[[str], Mapping[str, str]], body: str, report: str) -> None:
    with HostModel(one_layer(body), sanitize=True) as model, pytest.raises(ToolError, match=report):
        model.run(np.zeros((1, 4), np.int8))


@pytest.mark.parametrize(
    "inputs",
    [
        np.zeros((3, 63), np.int8),
        np.zeros((3, 64), np.float32),
        np.zeros((0, 64), np.int8),
        np.zeros(64, np.int8),
    ],
)
def test_inputs_that_do_not_fit_are_refused(files: Mapping[str, str], inputs: np.ndarray) -> None:
    with HostModel(files) as model, pytest.raises(DataError, match="takes"):
        model.run(inputs)


def test_a_compile_error_is_a_tool_error(files: Mapping[str, str]) -> None:
    with pytest.raises(ToolError, match="compiling for the host"):
        HostModel({**files, "model.c": "int model_run("})
