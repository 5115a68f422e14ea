"""Verification finds one wrong integer, and says on which core."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.quantize import Quantize
from pintsize.errors import VerificationError
from pintsize.graph import Graph
from pintsize.module import run_integers
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read
from pintsize.verify import (
    CoreCheck,
    Skipped,
    accuracy,
    difference_error,
    input_codes,
    integer_outputs,
    verify,
)
from pintsize.write.c import write


@pytest.fixture(scope="module")
def graph() -> Graph:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3))
    reading = read(model.eval(), sample_shape=(1, 6, 6))
    return Quantize(8)(
        fold(reading.graph), np.random.default_rng(0).normal(size=(64, 6, 6, 1)).astype(np.float32)
    )


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    return np.random.default_rng(1).integers(-128, 128, (8, 6, 6, 1)).astype(np.int8)


def test_equal_integers_pass_with_what_was_counted(graph: Graph, codes: np.ndarray) -> None:
    told: list[CoreCheck | Skipped] = []
    checks, skipped = verify(
        write(graph).files, codes, run_integers(graph, codes), ("host", "cortex-m0", "cortex-m4"), told.append
    )
    assert skipped == []
    assert told == checks
    assert [c.mismatches for c in checks] == [0, 0, 0]
    assert checks[0].instructions is None
    assert checks[1].instructions > checks[2].instructions > 36 * 16


def test_one_wrong_integer_fails_and_names_the_core(graph: Graph, codes: np.ndarray) -> None:
    outputs = run_integers(graph, codes)
    outputs[5, 1] ^= 1
    with pytest.raises(VerificationError, match="cortex-m0: 1 differing"):
        verify(write(graph).files, codes, outputs, ("cortex-m0",))


def test_the_arena_is_as_planned_on_every_core(graph: Graph, codes: np.ndarray) -> None:
    program = write(graph)
    checks, _ = verify(
        program.files, codes, run_integers(graph, codes), ("cortex-m0", "cortex-m7", "cortex-m33")
    )
    assert {c.arena_bytes for c in checks} == {program.plan.arena_bytes}


def test_accuracy_with_labels_without_and_for_values() -> None:
    teacher = np.array([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    outputs = np.array([[1.0, 0], [0, 1], [0, 1], [0, 1]])
    assert accuracy(outputs, np.array([0, 1, 1, 0]), teacher, "classes") == 0.75
    assert accuracy(outputs, None, teacher, "classes") == 0.75
    assert accuracy(teacher, None, teacher, "values") == 1.0
    assert accuracy(outputs, None, teacher, "values") == pytest.approx(0.0)
    assert accuracy((outputs + teacher) / 2, None, teacher, "values") == pytest.approx(0.75)


def test_the_error_of_a_difference_is_paired() -> None:
    y = np.zeros(100, int)
    right, wrong = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    teacher = np.array([right] * 90 + [wrong] * 10)
    assert difference_error(teacher, y, teacher, "classes") == 0.0
    student = np.array([right] * 88 + [wrong] * 12)
    assert difference_error(student, y, teacher, "classes") == pytest.approx(np.sqrt(0.02 * 0.98 / 100))


def test_real_outputs_are_the_codes_on_their_grid(graph: Graph) -> None:
    x = np.random.default_rng(2).normal(size=(5, 6, 6, 1)).astype(np.float32)
    kind = graph.type(graph.outputs[0])
    codes = run_integers(graph, input_codes(graph, x)).astype(np.float32)
    np.testing.assert_allclose(
        integer_outputs(graph, x), (codes - kind.zero_point) * kind.scale[0], rtol=1e-6
    )
