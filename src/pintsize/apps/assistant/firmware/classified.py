"""How C asks a classifier of phrases: one probability for each label, `other` among them."""

from __future__ import annotations

from math import ceil
from string import Template
from typing import Literal

from pintsize.apps.assistant.firmware.phrases import PhraseProgram
from pintsize.apps.assistant.phrases import window
from pintsize.apps.assistant.phrases.classifier import OTHER, Classifier
from pintsize.apps.chances import CHANCE_BITS, Chances
from pintsize.errors import UserError

HEADER = Template("""\
/* What the model of $piece makes of a phrase; the times in `answer` are left as they are. */
#ifndef ${PIECE}_READ_H
#define ${PIECE}_READ_H

#include "assistant.h"

void ${piece}_read(const int16_t *samples, int32_t count, assistant_decision *answer);

#endif
""")
SOURCE = Template("""\
#include "${piece}_read.h"

#include "${piece}.h"
#include "listen.h"
#include "window.h"

void ${piece}_read(const int16_t *samples, int32_t count, assistant_decision *answer)
{
    static int16_t window[${PIECE}_INPUT_BYTES / 2];
    int8_t codes[${PIECE}_OUTPUT_BYTES];
    int32_t chances[${PIECE}_OUTPUT_BYTES];
    int32_t best = 0;
    answer->confidence = 0.0;
    if (!window_of(samples, count, window, ${PIECE}_INPUT_BYTES / 2)) {
        return;
    }
    ${piece}_init();
    ${piece}_run(window, codes);
    chances_of(codes, ${PIECE}_OUTPUT_BYTES, ${piece}_powers, ${PIECE}_POWERS, chances);
    for (int32_t label = 1; label < ${PIECE}_OUTPUT_BYTES; label++) {
        best = chances[label] > chances[best] ? label : best;
    }
    answer->confidence = chances[best] / 32768.0;
    if (best != ${PIECE}_OTHER && chances[best] >= ${PIECE}_LEAST) {
        answer->kind = $kind;
        answer->label = best;
    }
}
""")
KINDS = {"digits": "ASSISTANT_DIGIT", "orders": "ASSISTANT_ORDER"}


def classified(piece: Literal["digits", "orders"], classifier: Classifier) -> PhraseProgram:
    """The program of a classifier. Raises UserError for one whose outputs are not of 8 bits."""
    artifact = classifier.artifact
    if artifact.output.dtype != "int8":
        raise UserError(f"{artifact.manifest.name} gives {artifact.output.dtype}: int8 is needed for C")
    table = Chances(artifact.output, artifact.manifest.calibration).table
    names = {"piece": piece, "PIECE": piece.upper(), "kind": KINDS[piece]}
    defines = {
        f"{piece.upper()}_POWERS": str(len(table)),
        f"{piece.upper()}_OTHER": str(artifact.labels.index(OTHER)),
        f"{piece.upper()}_LEAST": f"{ceil(classifier.least * (1 << CHANCE_BITS))} /* of 32768 */",
        **window_defines(),
    }
    files = {f"{piece}_read.h": HEADER.substitute(names), f"{piece}_read.c": SOURCE.substitute(names)}
    return PhraseProgram(
        piece,
        files,
        artifact.labels,
        defines=defines,
        numbers={f"{piece}_powers": ("uint32_t", table.tolist())},
    )


def window_defines() -> dict[str, str]:
    """Of how a phrase is put into a window, bit for bit as `phrases/window.py` has it."""
    return {
        "WINDOW_BLOCK": str(window.BLOCK),
        "WINDOW_SILENT_POWER": float(window.SILENT**2).hex(),
        "WINDOW_SOUND_SHARE": float(10 ** (-window.SOUND_DB / 10)).hex(),
        "WINDOW_LOUDNESS": float(window.LOUDNESS).hex(),
    }
