from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from pintsize.emulate import can_run, wasm
from pintsize.errors import MissingExtra, ToolError


@pytest.fixture
def runtime() -> None:
    reason = can_run("wasm32")
    if reason:
        pytest.skip(reason)


def test_the_module_is_small_and_the_same_each_time(files: Mapping[str, str]) -> None:
    first, second = wasm.build(files), wasm.build(files)
    assert first == second
    assert first.startswith(b"\0asm")
    assert len(first) < 4000


@pytest.mark.usefixtures("runtime")
def test_outputs_equal_the_host_s(files: Mapping[str, str], inputs: np.ndarray, expected: np.ndarray) -> None:
    assert np.array_equal(wasm.run(wasm.build(files), inputs).outputs, expected)


@pytest.mark.usefixtures("runtime")
def test_a_trap_is_a_tool_error(one_layer: Callable[[str], Mapping[str, str]]) -> None:
    module = wasm.build(one_layer("(void)in; (void)out; __builtin_trap();"))
    with pytest.raises(ToolError, match="unreachable"):
        wasm.run(module, np.zeros((1, 4), np.int8))


def test_without_wasmtime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pintsize.emulate.toolchain.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pintsize\[web\]"):
        wasm.run(b"", np.zeros((1, 4), np.int8))
