from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from pintsize.emulate import CORES, Program, build, cortex_m, qemu
from pintsize.errors import ToolError

ON_BOARDS = [name for name, core in CORES.items() if core.qemu_machine]
ON_BOTH = [name for name in ON_BOARDS if CORES[name].unicorn_cpu]
ARM_LOOP = "uint32_t n = (uint32_t)in[0] * 100u;" + (
    '__asm volatile("1: subs %0, %0, #1\\n bne 1b" : "+l"(n) : : "cc"); out[0] = (int8_t)n;'
)
RISCV_LOOP = "uint32_t n = (uint32_t)in[0] * 100u;" + (
    '__asm volatile("1: addi %0, %0, -1\\n bnez %0, 1b" : "+r"(n)); out[0] = (int8_t)n;'
)
DOT_PRODUCTS = """
    static int8_t a[256], b[256]; int32_t sum = 0; int i, turn;
    for (i = 0; i < 256; ++i) { a[i] = (int8_t)(in[i & 3] + i); b[i] = (int8_t)(i * 7); }
    for (turn = 0; turn < 50; ++turn) {
      a[turn] = in[turn & 3];
      for (i = 0; i < 256; ++i) sum += a[i] * b[i];
    }
    out[0] = (int8_t)sum; out[1] = (int8_t)(sum >> 8); out[2] = (int8_t)(sum >> 16); out[3] = 0;
"""


def needs_board(name: str) -> None:
    reason = qemu.why_not(CORES[name])
    if reason:
        pytest.skip(reason)


@pytest.mark.parametrize("name", ON_BOARDS)
def test_outputs_equal_the_host_s_and_counts_add_up(
    name: str, program: Callable[[str], Program], inputs: np.ndarray, expected: np.ndarray
) -> None:
    needs_board(name)
    execution = qemu.run(program(name), inputs)
    assert np.array_equal(execution.outputs, expected)
    assert execution.instructions == sum(execution.by_layer.values()) == sum(execution.mnemonics.values())
    assert min(execution.by_layer.values()) > 0
    assert 2048 <= (execution.stack_bytes or 0) < 2048 + 256


@pytest.mark.parametrize("name", ON_BOTH)
def test_both_counters_agree_on_real_layers(
    name: str, program: Callable[[str], Program], inputs: np.ndarray
) -> None:
    needs_board(name)
    board, engine = qemu.run(program(name), inputs[:2]), cortex_m.run(program(name), inputs[:2])
    assert board.instructions == engine.instructions
    assert board.by_layer == engine.by_layer
    assert board.mnemonics == engine.mnemonics
    assert board.taken_branches == engine.taken_branches
    assert board.stack_bytes == engine.stack_bytes


@pytest.mark.parametrize("name", ON_BOARDS)
def test_a_calibration_loop_is_counted_to_the_instruction(
    name: str, one_layer: Callable[[str], Mapping[str, str]]
) -> None:
    needs_board(name)
    linked = build(one_layer(RISCV_LOOP if name == "riscv32" else ARM_LOOP), CORES[name])
    short, long = (qemu.run(linked, np.full((1, 4), n, np.int8)) for n in (10, 110))
    assert (long.instructions or 0) - (short.instructions or 0) == 2 * 100 * 100
    assert (long.taken_branches or 0) - (short.taken_branches or 0) == 100 * 100
    if CORES[name].unicorn_cpu:
        assert cortex_m.run(linked, np.full((1, 4), 110, np.int8)).instructions == long.instructions


def test_helium_does_dot_products_in_far_fewer_instructions(
    one_layer: Callable[[str], Mapping[str, str]],
) -> None:
    needs_board("cortex-m55")
    row = np.array([[1, -2, 3, -4]], np.int8)
    m55, m33 = (qemu.run(build(one_layer(DOT_PRODUCTS), CORES[n]), row) for n in ("cortex-m55", "cortex-m33"))
    assert np.array_equal(m55.outputs, m33.outputs)
    assert (m55.instructions or 0) * 4 < (m33.instructions or 0)
    assert m55.mnemonics["other"] > 50 * 256 // 16  # the disassembler has no Helium


def test_without_counting_only_outputs_come(
    program: Callable[[str], Program], inputs: np.ndarray, expected: np.ndarray
) -> None:
    execution = qemu.run(program("riscv32"), inputs, count=False)
    assert np.array_equal(execution.outputs, expected)
    assert execution.instructions is None


@pytest.mark.parametrize("name", ["cortex-m4", "cortex-m55", "riscv32"])
def test_a_fault_names_the_core_and_the_place(
    name: str, one_layer: Callable[[str], Mapping[str, str]]
) -> None:
    needs_board(name)
    trap = "if (in[0] == 0) __builtin_trap(); out[0] = 1;"
    with pytest.raises(ToolError, match=rf"{name}.*faulted at 0x[0-9a-f]{{8}} \(layer_0_x\+0x"):
        qemu.run(build(one_layer(trap), CORES[name]), np.zeros((1, 4), np.int8))


def test_a_program_that_does_not_end_is_stopped(
    one_layer: Callable[[str], Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_board("riscv32")
    monkeypatch.setattr(qemu, "RUN_TIMEOUT_S", 2)
    linked = build(one_layer("volatile int8_t x = in[0]; while (!x) {} out[0] = x;"), CORES["riscv32"])
    with pytest.raises(ToolError, match=r"riscv32.*did not end within 2 s"):
        qemu.run(linked, np.zeros((1, 4), np.int8))


def test_a_core_without_a_board_is_refused_with_the_reason(files: Mapping[str, str]) -> None:
    assert not qemu.available(CORES["cortex-m0"])
    with pytest.raises(ToolError, match="no board with a cortex-m0"):
        qemu.run(build(files, CORES["cortex-m0"]), np.zeros((1, 64), np.int8))


def test_a_qemu_that_is_not_installed_is_named(
    files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = build(files, CORES["riscv32"])
    monkeypatch.setattr(qemu.shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match="qemu-system-riscv32 is not installed"):
        qemu.run(linked, np.zeros((1, 64), np.int8))
