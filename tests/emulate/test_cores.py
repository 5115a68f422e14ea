from __future__ import annotations

import pytest

from pintsize.emulate.cores import CORES, core
from pintsize.errors import DeviceError


def test_unknown_core_names_the_nearest() -> None:
    with pytest.raises(DeviceError, match=r"'cortex-m4f'.*cortex-m4\b"):
        core("cortex-m4f")


def test_a_name_like_no_core_lists_them_all() -> None:
    with pytest.raises(DeviceError, match="riscv32"):
        core("zx81")


def test_every_core_is_listed_under_its_name() -> None:
    assert all(core(name).name == name for name in CORES)


def test_every_bare_metal_core_can_be_compiled_for_and_run_by_some_emulator() -> None:
    for each in CORES.values():
        if each.is_firmware:
            assert each.zig_target
            assert each.unicorn_cpu or each.qemu_machine
