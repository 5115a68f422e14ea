"""No two live buffers share a byte, and no smaller arena exists where `optimal` says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.errors import SpecError
from pintsize.passes.place_buffers import (
    Buffer,
    Placement,
    check_placement,
    first_fit,
    greedy_orders,
    lower_bound,
    place,
)


@st.composite
def buffer_lists(draw: st.DrawFn, most: int, steps: int = 10, largest: int = 200) -> list[Buffer]:
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, largest), st.integers(0, steps), st.integers(0, steps)), max_size=most
        )
    )
    return [Buffer(f"b{i}", size, min(a, b), max(a, b)) for i, (size, a, b) in enumerate(rows)]


@st.composite
def full_lists(draw: st.DrawFn, most: int) -> list[Buffer]:
    """Lists in which every step is full, so that a wrong offset anywhere costs bytes."""
    free = draw(st.integers(4, 9))
    live: list[Buffer] = []
    done: list[Buffer] = []
    step = 0
    while len(done) + len(live) < most:
        while free and len(done) + len(live) < most:
            size = draw(st.integers(1, min(free, 4)))
            end = step + draw(st.integers(0, 3))
            live.append(Buffer(f"b{len(done) + len(live)}", size, step, end))
            free -= size
        step = min(b.last for b in live) + 1
        ended = [b for b in live if b.last < step]
        free += sum(b.bytes for b in ended)
        done, live = done + ended, [b for b in live if b.last >= step]
    return done + live


def fits(buffers: Sequence[Buffer], arena: int, offsets: dict[str, int]) -> bool:
    """Tries every offset of every buffer: slow, and simple enough to trust."""
    if len(offsets) == len(buffers):
        return True
    b = buffers[len(offsets)]
    for start in range(arena - b.bytes + 1):
        clash = any(
            b.meets(o) and start < offsets[o.name] + o.bytes and offsets[o.name] < start + b.bytes
            for o in buffers[: len(offsets)]
        )
        if not clash and fits(buffers, arena, {**offsets, b.name: start}):
            return True
    return False


def smallest_arena(buffers: Sequence[Buffer]) -> int:
    arena = 0
    while not fits(buffers, arena, {}):
        arena += 1
    return arena


#: 6 bytes are alive in the fullest step, yet no arena below 7 holds these
FRAGMENTED = [
    Buffer(name, *row)
    for name, row in {
        "a": (3, 0, 0),
        "b": (3, 0, 1),
        "c": (1, 1, 2),
        "d": (2, 2, 2),
        "e": (2, 1, 3),
        "f": (1, 2, 3),
        "g": (3, 3, 5),
        "h": (3, 4, 8),
    }.items()
]


def test_no_buffers_need_no_memory() -> None:
    assert place([]) == Placement({}, 0, True, 0)


def test_buffers_that_never_meet_share_the_bytes() -> None:
    placement = place([Buffer("in", 100, 0, 0), Buffer("out", 60, 1, 1)])
    assert placement.offsets == {"in": 0, "out": 0}
    assert placement.arena_bytes == 100


def test_offsets_and_arena_are_aligned() -> None:
    placement = place([Buffer("a", 5, 0, 1), Buffer("b", 3, 0, 1), Buffer("c", 9, 1, 1)], alignment=8)
    assert placement.arena_bytes == 8 + 8 + 16
    assert all(offset % 8 == 0 for offset in placement.offsets.values())


def test_an_empty_buffer_takes_no_room() -> None:
    placement = place([Buffer("a", 8, 0, 3), Buffer("none", 0, 1, 2), Buffer("b", 8, 2, 3)])
    assert placement.arena_bytes == 16
    assert set(placement.offsets) == {"a", "none", "b"}


def test_state_that_lives_always_and_a_chain_reach_the_bound() -> None:
    chain = [Buffer(f"x{i}", size, i, i + 1) for i, size in enumerate([40, 160, 80, 120, 20])]
    placement = place([*chain, Buffer("ring", 64, 0, 5)])
    assert placement.optimal
    assert placement.arena_bytes == 160 + 80 + 64


def test_optimal_above_the_lower_bound_is_proven() -> None:
    placement = place(FRAGMENTED, alignment=1)
    assert placement.optimal
    assert placement.lower_bound < placement.arena_bytes == smallest_arena(FRAGMENTED)


def test_without_effort_it_does_not_claim_to_be_optimal() -> None:
    placement = place(FRAGMENTED, alignment=1, effort=0)
    assert not placement.optimal
    check_placement(FRAGMENTED, placement)


@given(buffer_lists(most=40), st.sampled_from([1, 4, 16]))
@settings(max_examples=60, deadline=None)
def test_a_placement_is_sound_and_never_worse_than_a_greedy_order(
    buffers: list[Buffer], alignment: int
) -> None:
    placement = place(buffers, alignment=alignment, effort=3000)
    check_placement(buffers, placement)
    assert placement.lower_bound == lower_bound(buffers, alignment) <= placement.arena_bytes
    assert all(offset % alignment == 0 for offset in placement.offsets.values())
    for order in greedy_orders(buffers).values():
        assert placement.arena_bytes <= first_fit(order, alignment)[1]


@given(buffer_lists(most=5, steps=5, largest=4))
@settings(max_examples=100, deadline=None)
def test_up_to_five_buffers_get_the_smallest_arena(buffers: list[Buffer]) -> None:
    placement = place(buffers, alignment=1)
    assert placement.optimal
    assert placement.arena_bytes == smallest_arena(buffers)


@given(full_lists(most=7))
@settings(max_examples=40, deadline=None)
def test_seven_buffers_without_a_spare_byte_get_the_smallest_arena(buffers: list[Buffer]) -> None:
    placement = place(buffers, alignment=1)
    assert placement.optimal
    assert placement.arena_bytes == smallest_arena(buffers)


@given(full_lists(most=16))
@settings(max_examples=60, deadline=None)
def test_sixteen_buffers_are_always_solved_within_the_default_effort(buffers: list[Buffer]) -> None:
    placement = place(buffers, alignment=1)
    check_placement(buffers, placement)
    assert placement.optimal


@given(full_lists(most=12), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_list_changes_nothing(buffers: list[Buffer], shuffler) -> None:
    mixed = list(buffers)
    shuffler.shuffle(mixed)
    assert place(mixed) == place(buffers)


def test_overlap_and_missing_offsets_are_found() -> None:
    buffers = [Buffer("a", 8, 0, 1), Buffer("b", 8, 1, 2)]
    good = place(buffers)
    with pytest.raises(SpecError, match="a and b are alive together"):
        check_placement(buffers, replace(good, offsets={"a": 0, "b": 4}))
    with pytest.raises(SpecError, match="b has no offset"):
        check_placement(buffers, replace(good, offsets={"a": 0}))
    with pytest.raises(SpecError, match="outside the arena of 16 bytes"):
        check_placement(buffers, replace(good, offsets={"a": 0, "b": 12}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Buffer("a", -1, 0, 1), "a has -1 bytes"),
        (lambda: Buffer("a", 1, 3, 2), "a ends in step 2"),
        (lambda: place([Buffer("a", 1, 0, 0)], alignment=0), "alignment of 0"),
        (lambda: place([Buffer("a", 1, 0, 0), Buffer("a", 2, 1, 1)]), "more than one buffer is called a"),
    ],
)
def test_what_cannot_be_placed_is_named(make, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make()


# overlaps: a layer that runs over what it has read


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[Buffer], dict[tuple[str, str], int]]:
    """Tensors of a sequential model, each read by the next layer, some of which allow a distance."""
    sizes = draw(st.lists(st.integers(1, 60), min_size=2, max_size=7))
    buffers = [Buffer(f"b{i}", size, i, min(i + 1, len(sizes) - 1)) for i, size in enumerate(sizes)]
    pairs = {
        (f"b{i}", f"b{i + 1}"): draw(st.integers(-20, 70))
        for i in range(len(sizes) - 1)
        if draw(st.booleans())
    }
    return buffers, pairs


@given(chains())
def test_overlapping_buffers_keep_their_distance(
    drawn: tuple[list[Buffer], dict[tuple[str, str], int]],
) -> None:
    buffers, overlaps = drawn
    placement = place(buffers, overlaps=overlaps)
    check_placement(buffers, placement, overlaps)
    size = {b.name: b.bytes for b in buffers}
    for (read, written), distance in overlaps.items():
        start, end = placement.offsets[read], placement.offsets[written]
        apart = start + size[read] <= end or end + size[written] <= start
        assert apart or start - end >= distance
    assert placement.arena_bytes >= placement.lower_bound


@given(chains())
def test_overlaps_never_cost_memory_in_a_chain(
    drawn: tuple[list[Buffer], dict[tuple[str, str], int]],
) -> None:
    buffers, overlaps = drawn
    assert place(buffers, overlaps=overlaps).arena_bytes <= place(buffers).arena_bytes


def test_an_expanding_layer_reads_from_the_end_of_what_it_writes() -> None:
    """18 bytes become 36, pixel by pixel: the input begins 18 bytes and a pixel after the output."""
    buffers = [Buffer("x", 18, 0, 1), Buffer("y", 36, 1, 2)]
    placement = place(buffers, alignment=1, overlaps={("x", "y"): 20})
    assert placement.arena_bytes == 38
    assert placement.offsets == {"y": 0, "x": 20}
    assert placement.optimal


def test_a_distance_too_small_is_found() -> None:
    buffers = [Buffer("x", 8, 0, 1), Buffer("y", 8, 1, 2)]
    placement = Placement({"x": 2, "y": 0}, 10, True, 10)
    check_placement(buffers, placement, {("x", "y"): 2})
    with pytest.raises(SpecError, match="share bytes"):
        check_placement(buffers, placement, {("x", "y"): 3})
    with pytest.raises(SpecError, match="share bytes"):
        check_placement(buffers, placement)
