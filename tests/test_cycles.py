"""Cycles are the manual's numbers times the counted instructions, and every table says how far it can be off."""

from __future__ import annotations

import pytest

from pintsize.cycles import TABLES, estimate
from pintsize.devices import DEVICES, Flash


def test_every_emulated_device_has_a_table() -> None:
    assert {d.core for d in DEVICES.values() if d.emulated} <= set(TABLES)


@pytest.mark.parametrize("core", TABLES)
def test_every_table_states_its_error(core: str) -> None:
    assert TABLES[core].error.endswith("not measured")


def test_a_core_without_a_table_is_unknown() -> None:
    assert estimate("cortex-a72", {"add": 1}, 0) is None


@pytest.mark.parametrize("core", TABLES)
def test_no_instructions_take_no_cycles(core: str) -> None:
    assert estimate(core, {}, 0) == 0


@pytest.mark.parametrize(
    ("core", "mnemonic", "cycles"),
    [
        ("cortex-m0", "adds", 1),
        ("cortex-m0", "ldrsb", 2),
        ("cortex-m0", "strb", 2),
        ("cortex-m0", "muls", 1),
        ("cortex-m3", "umull", 4),
        ("cortex-m4", "smlabb", 1),
        ("cortex-m4", "smull", 1),
        ("cortex-m4", "sdiv", 7),
        ("cortex-m4", "ldrd", 3),
        ("cortex-m4", "ldr.w", 1.5),
        ("cortex-m4", "push.w", 6),
        ("cortex-m4", "sbcs", 1),
        ("riscv32", "lbu", 2),
        ("riscv32", "sb", 1),
        ("riscv32", "div", 16),
    ],
)
def test_one_instruction_of_each_kind(core: str, mnemonic: str, cycles: float) -> None:
    assert estimate(core, {mnemonic: 1}, 0) == cycles


@pytest.mark.parametrize("core", TABLES)
def test_no_instruction_is_free(core: str) -> None:
    kinds = [
        "nop",
        "add",
        "ldr",
        "str",
        "ldrd",
        "push",
        "mul",
        "smull",
        "sdiv",
        "lw",
        "sw",
        "c.lw",
        "vldrw.u32",
    ]
    assert all((estimate(core, {m: 1}, 0) or 0) >= 1 for m in kinds)


def test_taken_branches_refill_the_pipeline() -> None:
    straight = estimate("cortex-m4", {"add": 10, "b": 5}, 0)
    taken = estimate("cortex-m4", {"add": 10, "b": 5}, 5)
    assert straight == 15
    assert taken == 15 + 5 * 2


def test_branches_wait_for_flash_where_nothing_caches_code() -> None:
    cached = Flash(wait_states=5, source="a test")
    bare = Flash(wait_states=1, instruction_cache=False, source="a test")
    assert estimate("cortex-m0", {"adds": 10}, 4, cached) == 10 + 4 * 2
    assert estimate("cortex-m0", {"adds": 10}, 4, bare) == 10 + 4 * 2 + 4
    assert estimate("cortex-m4", {"add": 10}, 0, None) == 10
