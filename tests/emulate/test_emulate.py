from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from pintsize.emulate import CORES, can_run, qemu, run, toolchain
from pintsize.errors import DeviceError


@pytest.mark.parametrize("name", list(CORES))
def test_every_core_computes_the_same(
    name: str, files: Mapping[str, str], inputs: np.ndarray, expected: np.ndarray
) -> None:
    reason = can_run(name)
    if reason:
        pytest.skip(reason)
    program, execution = run(files, name, inputs)
    assert np.array_equal(execution.outputs, expected)
    assert (program is not None) == CORES[name].is_firmware == (execution.instructions is not None)


def test_an_unknown_core_is_refused(files: Mapping[str, str], inputs: np.ndarray) -> None:
    with pytest.raises(DeviceError, match="cortex-m7"):
        run(files, "cortex-m8", inputs)
    with pytest.raises(DeviceError, match="cortex-m7"):
        can_run("cortex-m8")


def test_the_reason_why_a_core_cannot_run_is_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu.shutil, "which", lambda name: None)
    assert "qemu-system-arm is not installed" in str(can_run("cortex-m55"))
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None if name == "unicorn" else object())
    assert "unicorn" in str(can_run("cortex-m4"))
    assert can_run("host") is None
