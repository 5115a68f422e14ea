"""How C asks a model of orders: groups of outputs, each against a logit of 0 for "not said"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pintsize.apps.assistant.firmware.classified import HEADER, window_defines
from pintsize.apps.assistant.firmware.phrases import PhraseProgram
from pintsize.apps.assistant.orders.orders import Menu
from pintsize.apps.chances import Chances
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact

SOURCE = """\
#include "orders_read.h"

#include "listen.h"
#include "orders.h"
#include "window.h"

/* Which value of a group was said, from 1 on; 0: none. *chance: how sure that is, in 2^-15. */
static int32_t value_of(const int8_t *codes, int32_t count, int32_t *chance)
{
    int8_t against[1 + ORDERS_LARGEST_GROUP];
    int32_t chances[1 + ORDERS_LARGEST_GROUP];
    int32_t best = 0;
    against[0] = ORDERS_OUTPUT_ZERO_POINT;
    for (int32_t i = 0; i < count; i++) {
        against[1 + i] = codes[i];
        best = codes[i] > against[best] ? 1 + i : best;
    }
    chances_of(against, 1 + count, orders_powers, ORDERS_POWERS, chances);
    *chance = chances[best];
    return best;
}

void orders_read(const int16_t *samples, int32_t count, assistant_decision *answer)
{
    static int16_t window[ORDERS_INPUT_BYTES / 2];
    int8_t codes[ORDERS_OUTPUT_BYTES];
    int32_t values[ORDERS_GROUPS];
    double sure = 1.0;
    int32_t first = 0;
    answer->confidence = 0.0;
    if (!window_of(samples, count, window, ORDERS_INPUT_BYTES / 2)) {
        return;
    }
    orders_init();
    orders_run(window, codes);
    for (int32_t group = 0; group < ORDERS_GROUPS; group++) {
        int32_t chance;
        values[group] = value_of(codes + first, orders_values[group], &chance);
        sure *= chance / 32768.0;
        first += orders_values[group];
    }
    answer->confidence = sure;
    if (values[ORDERS_NEEDED] == 0 || sure < ORDERS_LEAST) {
        return;
    }
    answer->kind = ASSISTANT_ORDER;
    answer->label = 0;
    for (int32_t slot = 0; slot < ASSISTANT_SLOTS; slot++) {
        const int32_t group = orders_group_of_slot[slot], amount = orders_amount_of_slot[slot];
        const int32_t more = amount < 0 ? 0 : values[amount];
        answer->slots[slot] = (int16_t)(values[group] == 0 ? -1 : more * orders_values[group] + values[group] - 1);
    }
}
"""
_AMOUNT = ".amount"


def ordered(artifact: Artifact, menu: Menu) -> PhraseProgram:
    """The program of a menu's model. Raises UserError for one whose outputs are not of 8 bits."""
    if artifact.output.dtype != "int8":
        raise UserError(f"{artifact.manifest.name} gives {artifact.output.dtype}: int8 is needed for C")
    table = Chances(artifact.output, artifact.manifest.calibration).table
    groups = list(menu.groups)
    slots = [group for group in groups if not group.endswith(_AMOUNT)]
    amounts = [groups.index(slot + _AMOUNT) if slot + _AMOUNT in groups else -1 for slot in slots]
    counts = [len(values) for values in menu.groups.values()]
    defines = {
        "ORDERS_POWERS": str(len(table)),
        "ORDERS_GROUPS": str(len(groups)),
        "ORDERS_LARGEST_GROUP": str(max(counts)),
        "ORDERS_NEEDED": str(groups.index(menu.needed)),
        "ORDERS_LEAST": repr(menu.least),
        **window_defines(),
    }
    numbers = {
        "orders_powers": ("uint32_t", table.tolist()),
        "orders_values": ("int16_t", counts),
        "orders_group_of_slot": ("int16_t", [groups.index(slot) for slot in slots]),
        "orders_amount_of_slot": ("int16_t", amounts),
    }
    files = {
        "orders_read.h": HEADER.substitute(piece="orders", PIECE="ORDERS"),
        "orders_read.c": SOURCE,
    }
    said = {slot: values_of(slot, menu.groups) for slot in slots}
    return PhraseProgram("orders", files, (menu.intent,), said, defines, numbers)


def values_of(slot: str, groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Everything that a slot may be filled with: each kind alone, then with each amount."""
    amounts = ("", *groups.get(slot + _AMOUNT, ()))
    return tuple(f"{amount} {kind}".strip() for amount in amounts for kind in groups[slot])
