from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.emulate.cores import CORES
from pintsize.emulate.counting import OUTSIDE, RUN, Block, Ownership, count_blocks
from pintsize.emulate.elf import Symbol
from pintsize.errors import ToolError

M4 = CORES["cortex-m4"]
ADDS, LDR_WIDE, BX = b"\x08\x44", b"\xd0\xf8\x00\x10", b"\x70\x47"  # add r0, r1; ldr.w r1, [r0]; bx lr
CODE = ADDS + LDR_WIDE + BX


def ownership(*names: str) -> Ownership:
    symbols = {name: Symbol(name, 16 * i, 16, is_function=True) for i, name in enumerate(names)}
    return Ownership(symbols, "model_run", outside=("main",))


def read_code(address: int, byte_count: int) -> bytes:
    return CODE[address % 16 : address % 16 + byte_count]


def test_layers_stand_in_their_order_and_the_run_function_last() -> None:
    owners = ownership("layer_10_b", "model_run", "layer_2_a", "main", "memcpy")
    assert owners.names == ("model_run", "layer_2_a", "layer_10_b")
    assert [span.owner for span in owners.spans] == [RUN + 2, RUN, RUN + 1, OUTSIDE]


def test_a_clone_of_a_layer_is_counted_for_the_layer() -> None:
    owners = ownership("model_run", "layer_0_conv", "layer_0_conv.specialized.1")
    assert owners.names == ("model_run", "layer_0_conv")
    assert [span.owner for span in owners.spans] == [RUN, RUN + 1, RUN + 1]


def test_narrow_and_wide_instructions_are_told_apart() -> None:
    counts = count_blocks([Block(0, 8, RUN, 5, instructions=3)], ownership("model_run"), M4, read_code)
    assert counts.instructions == 15
    assert counts.mnemonics == {"add": 5, "ldr": 5, "bx": 5}


def test_an_emulator_that_saw_something_else_is_not_believed() -> None:
    with pytest.raises(ToolError, match="4 instructions, not 3"):
        count_blocks([Block(0, 8, RUN, 1, instructions=4)], ownership("model_run"), M4, read_code)


def test_what_the_disassembler_does_not_know_is_counted_all_the_same() -> None:
    vmladavas8 = b"\xf0\xee\x21\x0f"  # Helium
    counts = count_blocks([Block(0, 4, RUN, 2)], ownership("model_run"), M4, lambda address, size: vmladavas8)
    assert (counts.instructions, counts.mnemonics) == (2, {"other": 2})


@given(
    st.lists(st.tuples(st.sampled_from([0, 2, 6]), st.integers(0, 2), st.integers(1, 10**12)), max_size=20)
)
def test_the_parts_always_sum_to_the_whole(executed: list[tuple[int, int, int]]) -> None:
    blocks = [Block(start, 8 - start, RUN + owner, times) for start, owner, times in executed]
    counts = count_blocks(blocks, ownership("model_run", "layer_0_a", "layer_1_b"), M4, read_code)
    lengths = {0: 3, 2: 2, 6: 1}
    assert counts.instructions == sum(lengths[start] * times for start, _, times in executed)
    assert counts.instructions == sum(counts.by_layer.values()) == sum(counts.mnemonics.values())
