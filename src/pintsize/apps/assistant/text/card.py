"""The cards that lie beside the weights. Their numbers are those of the shipped manifests and of the evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pintsize.apps.assistant.text.intents import Intents
from pintsize.apps.assistant.text.slots import Slots

COMMAND = "python -m pintsize.apps.assistant.text.training DATA --seed"

_DATA = """| data set | licence | source |
|---|---|---|
| CLINC150 | CC BY 3.0 | Larson et al., "An Evaluation Dataset for Intent Classification …", 2019 |
| HWU64, home assistant | CC BY 4.0 | Liu et al., "Benchmarking Natural Language Understanding Services", 2019 |
| SNIPS | CC0 1.0 | Coucke et al., "Snips Voice Platform", 2018 |
"""


def intents_card(intents: Intents, measured: Mapping[str, float], seed: int) -> str:
    """Markdown. measured: what `evaluate` found."""
    figures = intents.artifact.manifest.content["figures"]
    known = {group: len(names) for group, names in intents.groups.items()}
    rows = {
        "in scope, told with the right intent (measured, test half)": measured["intents_in_scope_accuracy"],
        "out of scope, refused, at the same threshold (measured, test half)": measured[
            "intents_out_of_scope_recall"
        ],
        "the same two on the half that chose the threshold (measured)": _both(figures),
        "HWU, right intent of 64 (measured, val)": measured["hwu_intent_accuracy"],
        "HWU, orders for the home told right by `Understanding` (measured, val)": measured[
            "home_intent_accuracy"
        ],
        "CLINC150, orders wrongly taken for one for the home (measured, test half)": measured[
            "home_wrongly_taken"
        ],
        "SNIPS, right intent of 7 (measured, val)": measured["snips_intent_accuracy"],
        **_taken(figures),
    }
    return f"""# Intents of typed or recognised English orders

From the hashes of words and of their parts (4-bit table, 8-bit convolutions, integers throughout) to logits of
{" + ".join(f"{n} ({group})" for group, n in known.items())} outputs, one of them "out of scope".

{_DATA}
Learnt from the data sets' `train` files (3,000 sentences of SNIPS) and CLINC150's `oos_train`; HWU's and SNIPS'
intents that mean none of CLINC150's also serve as out of scope. CLINC150's `val` and `oos_val` are
divided by a hash of the sentence: one half chose threshold and temperature, the other is the test.

| figure | |
|---|---|
{_table(rows)}

The test has {measured["intents_out_of_scope_orders"]:.0f} orders out of scope, so one standard error of that share
is about {_error(measured["intents_out_of_scope_recall"], measured["intents_out_of_scope_orders"]):.2f}.

Limits: English; the first {intents.features.tokens} words count; names, slang and speech recognition's mistakes
were not measured. An order near a known intent in words but not in meaning is told as that intent. HWU's intents
are told whatever is asked, so `Understanding` takes them for orders in the home alone, and where CLINC150's
intents hardly contradict.

`{COMMAND} {seed}`
"""


def slots_card(slots: Slots, measured: Mapping[str, float], seed: int) -> str:
    """Markdown. measured: what `evaluate` found."""
    figures = slots.artifact.manifest.content["figures"]
    known = {corpus: len(names) for corpus, names in slots.names.items()}
    rows = {
        "SNIPS, F1 of exact spans (measured, val)": measured["slots_f1"],
        "HWU, F1 of exact spans (measured, val)": measured["hwu_slots_f1"],
        **_taken(figures),
    }
    return f"""# Slots of typed or recognised English orders

Tags (begins, goes on, none) for each of {slots.features.tokens} tokens, from the hashes of words, of their parts
and of how they are written; {" and ".join(f"{n} slots of {corpus}" for corpus, n in known.items())}. A row of tags
is decoded to the likeliest legal one.

{_DATA}
Learnt from the `train` files of SNIPS and HWU, as written and in small letters; nothing was chosen on the `val`
files, which are the test. CLINC150 has no slots.

| figure | |
|---|---|
{_table(rows)}

Limits: English; tokens behind the first {slots.features.tokens} get no slot. HWU has 54 slots with few sentences
each. Names in small letters are found less often than as written.

`{COMMAND} {seed}`
"""


def _both(figures: Mapping[str, Any]) -> str:
    return f"{figures['choosing_in_scope_accuracy']:.4f} / {figures['choosing_out_of_scope_recall']:.4f}"


def _taken(figures: Mapping[str, Any]) -> dict[str, object]:
    return {
        f"flash of {figures['flash_device']}, B (measured)": f"{figures['flash_bytes']:,}",
        "RAM, B (measured)": f"{figures['ram_bytes']:,}",
        "instructions of a run (counted)": f"{figures['instructions']:,}",
        "latency, ms (estimated)": f"{figures['latency_ms']:.1f}",
    }


def _table(rows: Mapping[str, object]) -> str:
    return "\n".join(f"| {name} | {f'{x:.4f}' if isinstance(x, float) else x} |" for name, x in rows.items())


def _error(share: float, count: float) -> float:
    return (share * (1 - share) / max(count, 1.0)) ** 0.5
