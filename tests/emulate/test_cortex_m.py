from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from pintsize.emulate import CORES, Program, build, cortex_m
from pintsize.errors import DataError, ToolError

NAMES = [name for name, core in CORES.items() if core.unicorn_cpu]
LAYERS = ["layer_0_pointwise", "layer_1_rescale", "layer_2_copy", "layer_10_deep", "model_run"]
COUNT_DOWN = """
    uint32_t n = (uint32_t)in[0] * 100u;
    __asm volatile("1: subs %0, %0, #1\\n bne 1b" : "+l"(n) : : "cc");
    out[0] = (int8_t)n;
"""


@pytest.mark.parametrize("name", NAMES)
def test_outputs_equal_the_host_s(
    name: str, program: Callable[[str], Program], inputs: np.ndarray, expected: np.ndarray
) -> None:
    assert np.array_equal(cortex_m.run(program(name), inputs).outputs, expected)


@pytest.mark.parametrize("name", NAMES)
def test_counts_add_up_and_repeat(name: str, program: Callable[[str], Program], inputs: np.ndarray) -> None:
    first, second = (cortex_m.run(program(name), inputs[:1]) for _ in range(2))
    assert first.instructions == sum(first.by_layer.values()) == sum(first.mnemonics.values())
    assert list(first.by_layer) == LAYERS
    assert min(first.by_layer.values()) > 0
    assert "other" not in first.mnemonics
    assert (first.instructions, first.by_layer, first.mnemonics, first.taken_branches, first.stack_bytes) == (
        second.instructions,
        second.by_layer,
        second.mnemonics,
        second.taken_branches,
        second.stack_bytes,
    )


@pytest.mark.parametrize("name", ["cortex-m0", "cortex-m4", "cortex-m33"])
def test_counts_equal_those_of_a_hook_on_each_instruction(
    name: str, program: Callable[[str], Program], inputs: np.ndarray
) -> None:
    linked = program(name)
    machine = cortex_m._Machine(linked)
    machine.call("model_init")
    executed: list[int] = []
    machine.engine.hook_add(
        1 << 2, lambda _engine, address, size, _data: executed.append(address)
    )  # code hook
    machine.infer(inputs[0])
    counted = cortex_m.run(linked, inputs[:1])
    # the hook leaves out what an IT block skips: one to four instructions after each it, itt, …
    skippable = sum(n * (len(m) - 1) for m, n in counted.mnemonics.items() if re.fullmatch("it[te]{0,3}", m))
    assert len(executed) <= (counted.instructions or 0) <= len(executed) + skippable
    assert name != "cortex-m0" or not skippable
    for layer in LAYERS[:1]:  # a layer that calls nothing: its own addresses are all there is
        symbol = linked.symbols[layer]
        own = sum(symbol.address <= a < symbol.address + symbol.size_bytes for a in executed)
        assert counted.by_layer[layer] == own


def test_a_helper_is_counted_for_the_layer_that_calls_it(
    program: Callable[[str], Program], inputs: np.ndarray
) -> None:
    linked = program("cortex-m0")
    assert "__aeabi_lmul" in linked.symbols
    m0, m3 = (cortex_m.run(program(name), inputs[:1]).by_layer for name in ("cortex-m0", "cortex-m3"))
    assert m0["layer_1_rescale"] > 64 * 20  # 64 products of some 20 instructions at least
    assert m0["layer_1_rescale"] > 2 * m3["layer_1_rescale"]
    assert m0["model_run"] < 40


@pytest.mark.parametrize("name", NAMES)
def test_a_calibration_loop_is_counted_to_the_instruction(
    name: str, one_layer: Callable[[str], Mapping[str, str]]
) -> None:
    linked = build(one_layer(COUNT_DOWN), CORES[name])
    short, long = (cortex_m.run(linked, np.full((1, 4), n, np.int8)) for n in (10, 110))
    assert (long.instructions or 0) - (short.instructions or 0) == 2 * 100 * 100
    assert long.mnemonics["bne"] - short.mnemonics["bne"] == 100 * 100
    assert (long.taken_branches or 0) - (short.taken_branches or 0) == 100 * 100


def test_hundreds_of_blocks_are_kept_apart(one_layer: Callable[[str], Mapping[str, str]]) -> None:
    steps = "".join(f"if ((x >> {i % 31}) & 1u) y = x * {i}u; x ^= y + {i}u;\n" for i in range(400))
    body = f"volatile uint32_t seed = 1; uint32_t x = seed, y = x; (void)in;\n{steps}\nout[0] = (int8_t)x;"
    linked = build(one_layer(body), CORES["cortex-m0"], optimize="-O1")
    machine = cortex_m._Machine(linked)
    executed: list[int] = []
    machine.engine.hook_add(1 << 2, lambda _engine, address, size, _data: executed.append(address))
    machine.infer(np.zeros(4, np.int8))
    counted = cortex_m.run(linked, np.zeros((1, 4), np.int8))
    assert counted.instructions == len(executed)
    assert sum(n for mnemonic, n in counted.mnemonics.items() if mnemonic.startswith("b")) > 400


def test_stack_is_what_the_deep_layer_takes(program: Callable[[str], Program], inputs: np.ndarray) -> None:
    for name in ("cortex-m0", "cortex-m4"):
        stack_bytes = cortex_m.run(program(name), inputs[:1]).stack_bytes
        assert 2048 < (stack_bytes or 0) < 2048 + 128


def test_without_counting_only_outputs_come(
    program: Callable[[str], Program], inputs: np.ndarray, expected: np.ndarray
) -> None:
    execution = cortex_m.run(program("cortex-m4"), inputs, count=False)
    assert np.array_equal(execution.outputs, expected)
    assert (execution.instructions, execution.stack_bytes, dict(execution.by_layer)) == (None, None, {})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "*(volatile int32_t *)0x40000000 = in[0]; out[0] = 0;",
            r"layer_0_x\+0x.*[Uu]nmapped|layer_0_x\+0x.*WRITE",
        ),
        ("*(volatile int8_t *)4 = in[0]; out[0] = 0;", r"layer_0_x\+0x.*PROT|layer_0_x\+0x.*write-protected"),
        ('out[0] = in[0]; __asm volatile("udf #0");', r"layer_0_x\+0x"),
        (
            "volatile int8_t deep[100000]; deep[(uint8_t)in[0]] = 1; out[0] = deep[(uint8_t)in[1]];",
            r"layer_0_x\+0x",
        ),
    ],
)
def test_a_fault_names_the_core_and_the_place(
    one_layer: Callable[[str], Mapping[str, str]], body: str, words: str
) -> None:
    linked = build(one_layer(body), CORES["cortex-m3"])
    with pytest.raises(ToolError, match=rf"cortex-m3.*0x[0-9a-f]{{8}} \({words}"):
        cortex_m.run(linked, np.zeros((1, 4), np.int8))


def test_a_program_that_does_not_end_is_stopped(
    one_layer: Callable[[str], Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cortex_m, "CALL_TIMEOUT_S", 1)
    linked = build(one_layer("volatile int8_t x = in[0]; while (!x) {} out[0] = x;"), CORES["cortex-m3"])
    with pytest.raises(ToolError, match="did not end within 1 s"):
        cortex_m.run(linked, np.zeros((1, 4), np.int8))


def test_inputs_of_another_size_are_refused(program: Callable[[str], Program]) -> None:
    with pytest.raises(DataError, match="64 bytes each"):
        cortex_m.run(program("cortex-m4"), np.zeros((1, 60), np.int8))


def test_a_core_that_unicorn_lacks_is_named(files: Mapping[str, str]) -> None:
    with pytest.raises(ToolError, match=r"cortex-m55.*qemu"):
        cortex_m.run(build(files, CORES["cortex-m55"]), np.zeros((1, 64), np.int8))
