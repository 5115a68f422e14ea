"""A budget says what it means in every unit, and refuses what cannot be a bound."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.budget import Budget
from pintsize.errors import BudgetError


def test_the_readme_budget() -> None:
    budget = Budget(flash="32kB", ram="16kB", max_drop=0.01)
    assert (budget.flash_bytes, budget.ram_bytes, budget.max_drop) == (32768, 16384, 0.01)
    assert budget.latency_ms is None
    assert budget.energy_mj is None


def test_an_empty_budget_leaves_everything_open() -> None:
    assert str(Budget()) == "no bounds"
    assert Budget().flash_bytes is None


@pytest.mark.parametrize(
    ("text", "expected_bytes"),
    [
        ("32kB", 32768),
        ("32 KB", 32768),
        ("32KiB", 32768),
        ("32k", 32768),
        ("1MB", 1048576),
        ("1.5 kB", 1536),
        ("0.1MB", 104857),
        ("500 B", 500),
        ("500", 500),
        ("1e4", 10000),
        ("32_768", 32768),
        (4096, 4096),
        (np.int64(4096), 4096),
        (2.0, 2),
    ],
)
def test_sizes(text: str | float, expected_bytes: int) -> None:
    budget = Budget(flash=text, ram=text)
    assert budget.flash_bytes == budget.ram_bytes == expected_bytes
    assert isinstance(budget.flash_bytes, int)


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [("20ms", 20.0), ("0.5s", 500.0), ("0.5 S", 500.0), ("250us", 0.25), (0.02, 20.0)],
)
def test_latencies(text: str | float, expected_ms: float) -> None:
    assert Budget(latency=text).latency_ms == expected_ms


@pytest.mark.parametrize(
    ("text", "expected_mj"),
    [("0.2mJ", 0.2), ("150uJ", 0.15), ("150 µJ", 0.15), ("1J", 1000.0), (0.0002, 0.2)],
)
def test_energies(text: str | float, expected_mj: float) -> None:
    assert Budget(energy=text).energy_mj == pytest.approx(expected_mj)


@pytest.mark.parametrize(
    ("text", "expected"), [("1%", 0.01), ("0.5 %", 0.005), (0.01, 0.01), ("0.01", 0.01), (0, 0.0)]
)
def test_drops(text: str | float, expected: float) -> None:
    assert Budget(max_drop=text).max_drop == pytest.approx(expected)


@pytest.mark.parametrize("option", ["flash", "ram", "latency", "energy", "max_drop"])
@pytest.mark.parametrize(
    "amount",
    [
        "32 potatoes",
        "",
        "kB",
        "-1",
        -1,
        "nan",
        float("nan"),
        "inf",
        float("inf"),
        True,
        [1],
        "1e999",
        10**400,
    ],
)
def test_what_cannot_be_a_bound_is_refused_by_name(option: str, amount: object) -> None:
    with pytest.raises(BudgetError) as caught:
        Budget(**{option: amount})  # pyright: ignore[reportArgumentType]
    message = str(caught.value)
    assert message.startswith(f"{option} is {amount!r}")
    assert "such as" in message


@pytest.mark.parametrize("option", ["flash", "ram", "latency", "energy"])
@pytest.mark.parametrize("amount", [0, "0", 0.0])
def test_nothing_fits_into_zero(option: str, amount: str | float) -> None:
    with pytest.raises(BudgetError, match="above zero"):
        Budget(**{option: amount})


@pytest.mark.parametrize("amount", [1, 1.0, "100%", "250 %", -0.01, "-1%"])
def test_a_drop_of_everything_is_no_bound(amount: str | float) -> None:
    with pytest.raises(BudgetError, match="below 100 %"):
        Budget(max_drop=amount)


@pytest.mark.parametrize(
    ("option", "text"),
    [("flash", "20ms"), ("latency", "32kB"), ("energy", "1MJ"), ("flash", "1%"), ("max_drop", "1kB")],
)
def test_a_unit_of_another_kind_is_refused(option: str, text: str) -> None:
    with pytest.raises(BudgetError, match=option):
        Budget(**{option: text})  # pyright: ignore[reportArgumentType]


def test_budgets_compare_by_what_they_allow() -> None:
    assert Budget(flash="1kB") == Budget(flash=1024)
    assert Budget(flash="1kB") != Budget(flash=1025)


def test_a_budget_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Budget().flash_bytes = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_it_can_be_read_aloud() -> None:
    said = str(Budget(flash="32kB", latency="20ms", max_drop="1%"))
    assert said == "flash ≤ 32,768 B, latency ≤ 20 ms, accuracy drop ≤ 0.01"


@given(st.integers(min_value=1, max_value=2**40))
def test_every_whole_size_is_itself(size_bytes: int) -> None:
    assert Budget(flash=size_bytes).flash_bytes == size_bytes
    assert Budget(flash=f"{size_bytes} B").flash_bytes == size_bytes
    assert Budget(flash=f"{size_bytes}kB").flash_bytes == size_bytes * 1024


@given(st.text(max_size=12))
def test_no_text_escapes_as_anything_but_a_budget_error(text: str) -> None:
    try:
        size_bytes = Budget(flash=text).flash_bytes
    except BudgetError:
        return
    assert size_bytes is not None
    assert size_bytes >= 1
