from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.errors import UserError
from pintsize.stream.decision import Decision, Grammar, Listening, Order, OrderMatcher

COFFEE = Grammar(
    {
        "orderDrink": ["[make | get] (me) (a) (an) ({size}) ({roast}) {drink} (with {milk} (and {sugar}))"],
        "stop": ["stop", "never mind"],
        "move": ["move from {room:start} to {room:end}"],
    },
    {
        "size": ["small", "large", "twelve ounce"],
        "roast": {"dark": ["dark roast", "dark"], "light": ["light roast"]},
        "drink": {"latte": ["latte", "cafe latte"], "coffee": ["coffee"], "drip coffee": ["drip coffee"]},
        "milk": [" soy milk", "a lot of cream"],
        "sugar": ["sugar"],
        "room": ["kitchen", "hall"],
    },
)


def drink(**slots: str) -> Order:
    return Order("orderDrink", tuple(slots.items()))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Make me a large latte!", drink(size="large", drink="latte")),
        ("get a twelve ounce dark roast cafe latte", drink(size="twelve ounce", roast="dark", drink="latte")),
        (
            "make a drip coffee with a lot of cream and sugar",
            drink(drink="drip coffee", milk="a lot of cream", sugar="sugar"),
        ),
        ("make coffee with soy milk", drink(drink="coffee", milk="soy milk")),
        ("never mind", Order("stop")),
        ("move from hall to kitchen", Order("move", (("start", "hall"), ("end", "kitchen")))),
    ],
)  # fmt: skip
def test_a_whole_sentence_is_an_order(text: str, order: Order) -> None:
    assert COFFEE.parse(text) == order


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("make me a dog", "after 'make me a' 'dog' does not fit; expected: an, cafe, coffee, dark"),
        ("make me a large", "after 'make me a large' nothing more was heard"),
        ("stop it", "after 'stop' 'it' does not fit; expected: the end"),
        ("", "at the beginning nothing more was heard; expected: get, make, move, never, stop"),
    ],
)
def test_what_is_no_sentence_says_where_it_went_wrong(text: str, reason: str) -> None:
    told = COFFEE.parse(text)
    assert isinstance(told, str)
    assert told.startswith(reason)


def test_of_two_readings_the_first_is_taken() -> None:
    grammar = Grammar({"a": ["{x} end"], "b": ["go end"]}, {"x": {"one": ["go"], "two": ["go"]}})
    assert grammar.parse("go end") == Order("a", (("x", "one"),))


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("make [a | b", "not closed"),
        ("make a)", "closes nothing"),
        ("make (a]", "closed by"),
        ("make {size", "a slot is written"),
        ("make {colour}", "no slot type 'colour'"),
        ("a: b", "within"),
        ("(please)", "no word is needed"),
        ("(" * 30 + "a" + ")" * 30, "more than 20"),
    ],
)
def test_a_grammar_that_cannot_be_read_names_the_sentence(sentence: str, told: str) -> None:
    with pytest.raises(UserError, match=r"grammar '") as caught:
        Grammar({"x": [sentence]}, {"size": ["large"]})
    assert told in str(caught.value)


def test_a_slot_without_words_and_a_grammar_without_sentences_are_refused() -> None:
    with pytest.raises(UserError, match="'size'"):
        Grammar({"x": ["{size}"]}, {"size": ["..."]})
    with pytest.raises(UserError, match="without a sentence"):
        Grammar({"x": []})


@given(st.text(alphabet="ab[](){}|: ", max_size=25))
def test_any_text_is_a_sentence_or_is_refused(text: str) -> None:
    try:
        grammar = Grammar({"x": [text]}, {"a": ["a"]})
    except UserError:
        return
    assert grammar.words
    assert grammar.expected(grammar.start())


def hear(matcher: OrderMatcher, *told: tuple[float, str | None]) -> list[Decision]:
    said = [matcher.update(time_s, word) for time_s, word in told]
    return [decision for decision in said if decision is not None]


def test_no_half_of_an_order_is_acted_on() -> None:
    matcher = OrderMatcher(COFFEE, Listening(pause_s=1.0))
    begun = hear(matcher, (0.0, "make"), (0.4, "a"), (0.8, "coffee"), (1.5, None))
    assert begun == []
    (order,) = hear(matcher, (1.6, "with"), (1.9, "soy"), (2.2, "milk"), (2.9, None), (3.2, None))
    assert order == Decision(
        3.2, "order", "orderDrink", start_s=0.0, slots=(("drink", "coffee"), ("milk", "soy milk"))
    )


def test_an_order_that_cannot_go_on_is_told_at_once() -> None:
    assert hear(OrderMatcher(COFFEE), (0.5, "stop")) == [Decision(0.5, "order", "stop", start_s=0.5)]


def test_an_order_that_breaks_off_is_told_as_misunderstood() -> None:
    matcher = OrderMatcher(COFFEE, Listening(pause_s=1.0))
    (told,) = hear(matcher, (0.0, "make"), (0.3, "me"), (1.4, None), (9.0, None))
    assert (told.kind, told.value, told.time_s) == ("misunderstood", None, 1.4)
    assert "after 'make me' nothing more was heard" in str(told.reason)
    assert matcher.idle


def test_an_order_said_too_slowly_meets_the_hard_timeout() -> None:
    matcher = OrderMatcher(COFFEE, Listening(pause_s=1.0, timeout_s=2.0))
    (told,) = hear(matcher, (0.0, "make"), (0.9, "me"), (1.8, "a"), (2.1, "large"), (2.2, None))
    assert told.kind == "misunderstood"
    assert told.time_s == 2.1


def test_a_wrong_word_may_begin_the_next_order() -> None:
    matcher = OrderMatcher(COFFEE)
    told = hear(matcher, (0.0, "make"), (0.3, "me"), (0.6, "never"), (0.9, "mind"))
    assert [(d.kind, d.value) for d in told] == [("misunderstood", None), ("order", "stop")]


def test_an_order_whose_last_word_comes_after_a_mistake_is_not_lost() -> None:
    told = hear(OrderMatcher(COFFEE), (0.0, "make"), (0.3, "stop"), (0.6, "make"), (0.9, None))
    assert [(d.kind, d.value) for d in told] == [("misunderstood", None), ("order", "stop")]


def test_fillers_may_stand_anywhere_and_a_phrase_may_come_as_one() -> None:
    matcher = OrderMatcher(COFFEE, Listening(fillers=frozenset({"please", "um"})))
    told = hear(
        matcher, (0.0, "please"), (0.1, "make me"), (0.5, "um"), (0.7, "twelve ounce"), (0.9, "latte")
    )
    assert told == []
    order = matcher.finish(1.0)
    assert order is not None
    assert order.slots == (("size", "twelve ounce"), ("drink", "latte"))


def test_a_gap_in_the_middle_loses_the_order_and_says_so() -> None:
    matcher = OrderMatcher(COFFEE)
    hear(matcher, (0.0, "make"))
    lost = matcher.reset("1.2 s are missing")
    assert lost is not None
    assert lost.value is None
    assert lost.reason == "the order 'make' was cut short: 1.2 s are missing"
    assert matcher.finish(3.0) is None
