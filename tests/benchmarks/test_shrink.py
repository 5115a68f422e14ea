from __future__ import annotations

from typing import Any

import pytest

from benchmarks.shrink import above_front, smallest_within, summary


def point(weight_bytes: int, validation: float, test: float, name: str = "p") -> dict[str, Any]:
    return {
        "name": name, "weight_bytes": weight_bytes, "ram_bytes": 10, "instructions": 100, "validation": validation,
        "test": test,
    }  # fmt: skip


def row(seed: int, front: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "seed": seed, "teacher_accuracy": 0.9, "teacher_validation": 0.9, "float_bytes": 4000, "teacher_seconds": 10.0,
        "search_seconds": 15.0, "front": front, "peers": {"peer": theirs},
    }  # fmt: skip


FRONT = [point(400, 0.9, 0.91), point(200, 0.896, 0.89), point(100, 0.85, 0.86)]


def test_the_smallest_within_a_drop_is_chosen_on_validation() -> None:
    assert smallest_within(FRONT, 0.895) == FRONT[1]
    assert smallest_within(FRONT, 0.95) is None


def test_times_smaller_is_of_the_mean_bytes_of_the_chosen() -> None:
    found = summary([row(0, FRONT, []), row(1, FRONT[:1], [])])
    assert found["times_smaller_at_0.5"] == pytest.approx(4000 / 300)
    assert found["drop_at_0.5"] == pytest.approx(0.0)
    assert found["search_over_teacher"] == pytest.approx(1.5)


def test_without_a_network_within_the_drop_there_is_no_figure() -> None:
    assert summary([row(0, FRONT[2:], [])])["times_smaller_at_1.0"] is None


def test_a_peer_that_is_smaller_and_better_is_named() -> None:
    better, worse, larger = point(150, 0.9, 0.95, "better"), point(150, 0.9, 0.7, "worse"), point(500, 1, 0.9)
    found = above_front([row(s, FRONT, [better, worse, larger]) for s in (0, 1)])
    assert [p["name"] for p in found] == ["better"]
    assert found[0]["ours"] == pytest.approx(0.86)
