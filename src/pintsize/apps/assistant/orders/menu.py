"""What can be ordered: which values each slot has, how they are put together, and how an order is said.

A slot whose value is "a bit of brown sugar" is two groups: the kind and the amount. The model has an output for each
value of each group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

INTENT = "orderDrink"
DRINKS = ("coffee", "iced coffee", "drip coffee", "house coffee", "mocha", "iced mocha", "espresso", "americano",
          "cappuccino", "latte")  # fmt: skip
SIZES = ("small", "medium", "large", "eight ounce", "twelve ounce", "sixteen ounce", "twenty ounce")
ROASTS = ("light roast", "medium roast", "dark roast")
SHOTS = ("single shot", "double shot", "triple shot")
MILKS = ("milk", "cream", "soy milk", "whole milk", "skim milk", "almond milk")
SUGARS = ("sugar", "brown sugar", "sweetener")
AMOUNTS = ("some", "a bit of", "a little bit of", "a lot of", "lots of")
#: group → its values; what fills a slot of two groups is "amount kind", or the kind alone
GROUPS: Mapping[str, tuple[str, ...]] = {
    "coffeeDrink": DRINKS, "size": SIZES, "roast": ROASTS, "numberOfShots": SHOTS, "milkAmount": MILKS,
    "milkAmount.amount": AMOUNTS, "sugarAmount": SUGARS, "sugarAmount.amount": AMOUNTS,
}  # fmt: skip
NEEDED = "coffeeDrink"
_AMOUNT = ".amount"
_BEGINNINGS = (
    "brew",
    "can i get",
    "can i have",
    "i want",
    "get me",
    "give me",
    "i'd like",
    "make me",
    "may i have",
)
#: how often a synthesized order has a size, a roast or shots, milk, sugar
_SHARES = (0.55, 0.5, 0.5, 0.55, 0.6)
_PLAIN_SHARE = 0.35


def labels_of(groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """One name for each output."""
    return tuple(f"{group}={value}" for group, values in groups.items() for value in values)


def normal(value: str) -> str:
    """Without spaces around it or doubled."""
    return " ".join(value.split())


def chosen_of(slots: Mapping[str, str], groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Group → value of an order's slots; groups that it leaves open are left out."""
    found: dict[str, str] = {}
    for slot, raw in slots.items():
        value = normal(raw)
        kinds = [kind for kind in groups.get(slot, ()) if value == kind or value.endswith(f" {kind}")]
        if not kinds:
            continue
        found[slot] = max(kinds, key=len)
        amount = value.removesuffix(found[slot]).strip()
        if amount:
            found[slot + _AMOUNT] = amount
    return found


def slots_of(chosen: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The slots of groups and their values, in the order of the menu."""
    return tuple(
        (group, normal(f"{chosen.get(group + _AMOUNT, '')} {value}"))
        for group, value in chosen.items()
        if not group.endswith(_AMOUNT)
    )


def order(random: np.random.Generator) -> tuple[str, dict[str, str]]:
    """An order as it might be said, and its slots."""
    size, roast, shots, milk, sugar = random.random(5) < _SHARES
    if roast and shots and random.random() < 0.5:
        roast = False
    slots: dict[str, str] = {}
    before = [name for name, there in (("size", size), ("roast", roast), ("numberOfShots", shots)) if there]
    random.shuffle(before)
    for name in before:
        slots[name] = str(random.choice(GROUPS[name]))
    slots["coffeeDrink"] = str(random.choice(DRINKS))
    after = [name for name, there in (("milkAmount", milk), ("sugarAmount", sugar)) if there]
    random.shuffle(after)
    for name in after:
        slots[name] = _with_amount(str(random.choice(GROUPS[name])), random)
    article = "an" if slots[[*before, "coffeeDrink"][0]][0] in "aei" else "a"
    words = [str(random.choice(_BEGINNINGS)), article, *(slots[n] for n in before), slots["coffeeDrink"]]
    if after:
        words += ["with", " and ".join(slots[n] for n in after)]
    return " ".join(words), slots


def _with_amount(kind: str, random: np.random.Generator) -> str:
    return kind if random.random() < _PLAIN_SHARE else f"{random.choice(AMOUNTS)} {kind}"
