/* One of several labels; in `picture_look` everything is decided. */
#include "chances.h"
#include "gate.h"
#include "net.h"
#include "picture.h"

enum { ONE = 1 << 15 };

static void judge(const int32_t *chances, picture_decision *told)
{
    int32_t best = 0, confidence;
#if PICTURE_ODD > 0 /* the last labels are never told: they say what is wrong with the picture */
    const int32_t whole = chances[0] + chances[1];
    int32_t odd = 0, oddest = PICTURE_LABELS - PICTURE_ODD;
    for (int32_t i = PICTURE_LABELS - PICTURE_ODD; i < PICTURE_LABELS; i++) {
        odd += chances[i];
        oddest = chances[i] > chances[oddest] ? i : oddest;
    }
    if (odd > PICTURE_MOST_ODD) {
        told->kind = PICTURE_UNGRADABLE;
        told->reason = (int8_t)(2 * GATE_NAMES + oddest);
        return;
    }
    const int32_t second = whole > 0 ? (int32_t)(((int64_t)chances[1] << 15) / whole) : ONE / 2;
    best = 2 * second >= ONE;
    confidence = best ? second : ONE - second;
#else
    for (int32_t i = 1; i < PICTURE_LABELS; i++) {
        best = chances[i] > chances[best] ? i : best;
    }
    confidence = chances[best];
#endif
    told->confidence = (uint16_t)confidence;
    told->kind = confidence < PICTURE_LEAST ? PICTURE_UNSURE : PICTURE_LABEL;
    told->label = told->kind == PICTURE_LABEL ? (int8_t)best : -1;
}

picture_decision picture_look(const uint8_t *rgb)
{
    static int8_t codes[NET_INPUT_BYTES];
    picture_decision told = {PICTURE_UNGRADABLE, -1, -1, 0};
    int32_t found[GATE_NAMES], chances[PICTURE_LABELS];
    int8_t outputs[NET_OUTPUT_BYTES];
    gate_statistics(rgb, PICTURE_WIDTH, PICTURE_HEIGHT, found);
    told.reason = (int8_t)gate_refuses(found, picture_ranges);
    if (told.reason >= 0) {
        return told;
    }
    picture_codes(rgb, codes);
    net_init();
    net_run(codes, outputs);
    chances_of(outputs, PICTURE_LABELS, picture_powers, PICTURE_POWERS, chances);
    judge(chances, &told);
    return told;
}

void picture_run(const int8_t *in, int8_t *out)
{
    const picture_decision told = picture_look((const uint8_t *)in);
    out[0] = told.kind;
    out[1] = told.label;
    out[2] = told.reason;
    out[3] = (int8_t)(told.confidence & 0xff);
    out[4] = (int8_t)(told.confidence >> 8);
}
