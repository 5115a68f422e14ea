"""Prices of narrower weights, and the order of narrowing that follows from them."""

from __future__ import annotations

import numpy as np

from pintsize.compress.sensitivity import bit_prices, narrowing_steps
from tests.compress.test_post_training import network
from tests.examples import constant


def test_narrower_costs_more_and_8_bits_nothing() -> None:
    graph, x = network()
    found = bit_prices(graph, x, "classes")
    assert {name for name, _ in found} == {"stem", "depth", "point", "head"}
    for name in ("stem", "depth", "point", "head"):
        assert found[name, 8] == 0.0
        assert 0.0 <= found[name, 4] < found[name, 2]


def test_a_layer_whose_answers_nobody_hears_is_cheap() -> None:
    graph, x = network()
    graph = graph.with_tensors(constant("head.w", 1e-3 * graph.constant("head.w")))
    quiet, loud = bit_prices(graph, x, "classes"), bit_prices(network()[0], x, "classes")
    assert quiet["point", 2] < loud["point", 2] / 10


def test_prices_of_values_are_shares_of_the_variance() -> None:
    graph, x = network()
    scaled = graph.with_tensors(
        constant("head.w", 100 * graph.constant("head.w")), constant("head.b", 100 * graph.constant("head.b"))
    )
    plain, large = bit_prices(graph, x, "values"), bit_prices(scaled, x, "values")
    assert np.isclose(plain["point", 2], large["point", 2], rtol=1e-2)


def test_the_cheapest_layer_per_byte_goes_first() -> None:
    prices = {("a", 8): 0.0, ("a", 4): 0.1, ("a", 2): 0.9, ("b", 8): 0.0, ("b", 4): 0.2, ("b", 2): 0.3}
    sizes = {
        ("a", 8): 80.0,
        ("a", 4): 40.0,
        ("a", 2): 20.0,
        ("b", 8): 400.0,
        ("b", 4): 200.0,
        ("b", 2): 100.0,
    }
    steps = narrowing_steps(prices, sizes)  # type: ignore[arg-type]
    assert steps == [{"a": 8, "b": 8}, {"a": 8, "b": 4}, {"a": 8, "b": 2}, {"a": 4, "b": 2}, {"a": 2, "b": 2}]


def test_what_saves_no_byte_is_not_narrowed() -> None:
    prices = {("a", 8): 0.0, ("a", 4): 0.0, ("a", 2): 0.0}
    sizes = {("a", 8): 12.0, ("a", 4): 8.0, ("a", 2): 8.0}
    assert narrowing_steps(prices, sizes)[-1] == {"a": 4}  # type: ignore[arg-type]
