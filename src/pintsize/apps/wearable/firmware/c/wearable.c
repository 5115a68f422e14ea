/* The decision behind the network; the same as pintsize's Python (smoothing.py), code for code. */
#include "wearable.h"

#include "activity.h"

static int8_t kept[WEARABLE_DECISIONS][WEARABLE_LABELS];
static int32_t kept_count, kept_at, heard;

void wearable_init(void)
{
    activity_init();
    kept_count = 0;
    kept_at = 0;
    heard = 0;
}

static int32_t sum_of(int32_t label)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < kept_count; i++) {
        sum += kept[i][label];
    }
    return sum;
}

wearable_told wearable_move(const int16_t samples[WEARABLE_HOP][6])
{
    wearable_told told = {-1, WEARABLE_TOLD, 0, 0};
    int32_t best = 0, most = 0, second = INT32_MIN;
    activity_run(&samples[0][0], kept[kept_at]);
    kept_at = (kept_at + 1) % WEARABLE_DECISIONS;
    kept_count += kept_count < WEARABLE_DECISIONS;
    heard += heard < WEARABLE_LONGEST;
    most = sum_of(0);
    for (int32_t label = 1; label < WEARABLE_LABELS; label++) {
        const int32_t sum = sum_of(label);
        if (sum > most) {
            second = most;
            most = sum;
            best = label;
        } else if (sum > second) {
            second = sum;
        }
    }
    told.margin = most - second;
    told.about = heard * WEARABLE_HOP - WEARABLE_DELAY;
    if (heard < WEARABLE_WARM) {
        told.reason = WEARABLE_TOO_SOON;
    } else if (told.margin < WEARABLE_LEAST * kept_count) {
        told.reason = WEARABLE_UNSURE;
    } else {
        told.label = (int16_t)best;
    }
    return told;
}
