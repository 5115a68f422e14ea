#include "rhythm.h"

#include <string.h>

#define RATE 180
#define NONE INT32_MIN

static struct {
    int32_t last, label; /* last: of the beat before, NONE before the first */
    int still;
    int32_t recent[RHYTHM_RATE_BEATS], recents;
    int32_t even[RHYTHM_WINDOW], evens;
    int32_t since_window, irregular;
    int32_t ventricular, supraventricular, run_start, supraventricular_start, pairs, pairs_start;
} rhythm;

void rhythm_break(void)
{
    memset(&rhythm, 0, sizeof rhythm);
    rhythm.last = NONE;
    rhythm.label = -1;
}

static void tell(rhythm_event *events, int32_t *told, uint8_t finding, int32_t start, int32_t length, int32_t beats)
{
    const rhythm_event event = {finding, start, length, beats};
    events[(*told)++] = event;
}

static void push(int32_t *values, int32_t *count, int32_t most, int32_t value)
{
    if (*count == most) {
        memmove(values, values + 1, (size_t)(most - 1) * sizeof values[0]);
        (*count)--;
    }
    values[(*count)++] = value;
}

static int32_t sum_of(const int32_t *values, int32_t count)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return sum;
}

static int is_irregular(void)
{
    const int64_t total = sum_of(rhythm.even, rhythm.evens);
    for (int32_t lag = 1; lag <= RHYTHM_LAGS; lag++) {
        int32_t far = 0;
        for (int32_t i = lag; i < rhythm.evens; i++) {
            const int32_t step = rhythm.even[i] - rhythm.even[i - lag];
            const int64_t size = step < 0 ? -step : step;
            far += size * 1000 * rhythm.evens >= RHYTHM_PER_MILLE * total;
        }
        if (2 * far <= rhythm.evens - lag) {
            return 0;
        }
    }
    return 1;
}

static void take_even(int32_t interval, rhythm_event *events, int32_t *told)
{
    push(rhythm.even, &rhythm.evens, RHYTHM_WINDOW, interval);
    rhythm.since_window++;
    if (rhythm.evens < RHYTHM_WINDOW || rhythm.since_window < RHYTHM_STEP) {
        return;
    }
    rhythm.since_window = 0;
    if (!is_irregular()) {
        counted.regular_windows++;
        rhythm.irregular = 0;
        return;
    }
    counted.irregular_windows++;
    rhythm.irregular++;
    if (rhythm.irregular == RHYTHM_WINDOWS) {
        const int32_t total = sum_of(rhythm.even, rhythm.evens);
        counted.irregularities++;
        tell(events, told, ECG_IRREGULAR, rhythm.last + interval - total, total, RHYTHM_WINDOW);
    }
}

static void take_rate(int32_t interval)
{
    push(rhythm.recent, &rhythm.recents, RHYTHM_RATE_BEATS, interval);
    if (rhythm.recents == RHYTHM_RATE_BEATS) {
        const uint32_t total = (uint32_t)sum_of(rhythm.recent, rhythm.recents);
        counted.fastest = counted.fastest == 0 || total < counted.fastest ? total : counted.fastest;
        counted.slowest = total > counted.slowest ? total : counted.slowest;
    }
}

static int from_above(int32_t label)
{
    return label == ECG_N || label == ECG_S;
}

static void measure(int32_t interval, int32_t label, rhythm_event *events, int32_t *told)
{
    if (interval > RHYTHM_PAUSE) {
        counted.pauses++;
        counted.longest_pause = (uint32_t)interval > counted.longest_pause ? (uint32_t)interval : counted.longest_pause;
        tell(events, told, ECG_PAUSE, rhythm.last, interval, 0);
    }
    if (interval < RHYTHM_SHORTEST || interval > RHYTHM_LONGEST) {
        rhythm.recents = 0;
        return;
    }
    counted.intervals++;
    counted.interval_sum += (uint32_t)interval;
    take_rate(interval);
    if (from_above(label) && from_above(rhythm.label)) {
        take_even(interval, events, told);
    }
}

static void ventricular_beat(int32_t at, rhythm_event *events, int32_t *told)
{
    rhythm.ventricular++;
    if (rhythm.ventricular == 1) {
        rhythm.run_start = at;
    }
    const int32_t length = at - rhythm.run_start, beats = rhythm.ventricular;
    if (beats < RHYTHM_RUN) {
        return;
    }
    counted.longest_run = (uint32_t)beats > counted.longest_run ? (uint32_t)beats : counted.longest_run;
    if (beats > RHYTHM_RUN) {
        return;
    }
    counted.ventricular_runs++;
    const int fast = length <= RHYTHM_TACHYCARDIA * (beats - 1);
    if (fast) {
        counted.tachycardias++;
        counted.fastest_run =
            counted.fastest_run == 0 || (uint32_t)length < counted.fastest_run ? (uint32_t)length : counted.fastest_run;
    }
    tell(events, told, fast ? ECG_VENTRICULAR_TACHYCARDIA : ECG_VENTRICULAR_RUN, rhythm.run_start, length, beats);
}

static void other_beat(rhythm_event *events, int32_t *told)
{
    const int32_t beats = rhythm.ventricular;
    rhythm.ventricular = 0;
    if (beats < 2 || rhythm.last == NONE) {
        return;
    }
    counted.couplets += beats == 2;
    if (beats != RHYTHM_RUN) {
        tell(events, told, beats == 2 ? ECG_COUPLET : ECG_RUN_OVER, rhythm.run_start, rhythm.last - rhythm.run_start, beats);
    }
}

static void bigeminy(int32_t at, int32_t label, rhythm_event *events, int32_t *told)
{
    if (label == ECG_V && rhythm.label == ECG_N) {
        if (rhythm.pairs == 0) {
            rhythm.pairs_start = at;
        }
        rhythm.pairs++;
        if (rhythm.pairs == RHYTHM_PAIRS) {
            counted.bigeminies++;
            tell(events, told, ECG_BIGEMINY, rhythm.pairs_start, at - rhythm.pairs_start, 2 * RHYTHM_PAIRS);
        }
    } else if (!(label == ECG_N && rhythm.label == ECG_V)) {
        rhythm.pairs = 0;
    }
}

static void follow(int32_t at, int32_t label, rhythm_event *events, int32_t *told)
{
    if (label == ECG_V) {
        ventricular_beat(at, events, told);
    } else {
        other_beat(events, told);
    }
    rhythm.supraventricular = label == ECG_S ? rhythm.supraventricular + 1 : 0;
    if (rhythm.supraventricular == 1) {
        rhythm.supraventricular_start = at;
    }
    const int32_t start = rhythm.supraventricular_start;
    if (rhythm.supraventricular == RHYTHM_RUN && at - start <= RHYTHM_TACHYCARDIA * (RHYTHM_RUN - 1)) {
        counted.supraventricular_runs++;
        tell(events, told, ECG_SUPRAVENTRICULAR_RUN, start, at - start, RHYTHM_RUN);
    }
    bigeminy(at, label, events, told);
}

int32_t rhythm_beat(int32_t at, int32_t label, rhythm_event *events)
{
    int32_t told = 0;
    if (label < 0) {
        counted.abstained++;
    } else {
        counted.classes[label]++;
    }
    if (rhythm.last != NONE) {
        measure(at - rhythm.last, label, events, &told);
    }
    follow(at, label, events, &told);
    rhythm.last = at;
    rhythm.label = label;
    rhythm.still = 0;
    return told;
}

int32_t rhythm_wait(int32_t now, rhythm_event *events)
{
    int32_t told = 0;
    if (rhythm.last != NONE && !rhythm.still && now - rhythm.last >= RHYTHM_STANDSTILL) {
        rhythm.still = 1;
        counted.standstills++;
        tell(events, &told, ECG_STANDSTILL, rhythm.last, now - rhythm.last, 0);
    }
    return told;
}
