#include "naming.h"

#include <string.h>

#include "classes.h"
#include "ecg.h"

#define MOST 127

static struct {
    int has_last;
    int32_t last;
    int32_t intervals[CONTEXT_INTERVALS], count;
    int8_t rhythm[CONTEXT_RHYTHM];
    int32_t typical[WINDOW_SAMPLES];
    int32_t beats;
} patient;

void naming_reset(void)
{
    memset(&patient, 0, sizeof patient);
}

static int8_t within(int32_t number)
{
    return (int8_t)(number > MOST ? MOST : number < -MOST ? -MOST : number);
}

/* 0 where both are the same. */
static int8_t ratio(int32_t one, int32_t other)
{
    return within(CONTEXT_ONE * one / other - CONTEXT_ONE);
}

static int32_t in_order(int32_t place)
{
    int32_t sorted[CONTEXT_INTERVALS];
    for (int32_t i = 0; i < patient.count; i++) {
        int32_t at = i;
        while (at > 0 && sorted[at - 1] > patient.intervals[i]) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        sorted[at] = patient.intervals[i];
    }
    return sorted[place];
}

static void compare(int32_t interval)
{
    const int32_t count = patient.count;
    int32_t sum = 0, uneven = 0;
    if (count == 0) {
        memset(patient.rhythm, 0, sizeof patient.rhythm);
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        sum += patient.intervals[i];
    }
    const int32_t mean = sum / count, before = patient.intervals[count - 1];
    const int32_t second = count > 1 ? patient.intervals[count - 2] : before;
    const int32_t longer = in_order(count * CONTEXT_LONG / CONTEXT_INTERVALS);
    for (int32_t i = 0; i < count; i++) {
        const int32_t off = patient.intervals[i] - mean;
        uneven += off < 0 ? -off : off;
    }
    uneven /= count;
    patient.rhythm[0] = ratio(interval, mean);
    patient.rhythm[1] = ratio(interval, longer);
    patient.rhythm[2] = ratio(before, mean);
    patient.rhythm[3] = ratio(interval, before);
    patient.rhythm[4] = ratio(second, mean);
    patient.rhythm[5] = within(2 * CONTEXT_ONE * uneven / mean);
    patient.rhythm[6] = ratio(interval, 180);
    patient.rhythm[7] = ratio(longer, 180);
}

void naming_beat(int32_t at)
{
    if (patient.has_last && at > patient.last) {
        const int32_t interval = at - patient.last;
        compare(interval);
        if (patient.count == CONTEXT_INTERVALS) {
            memmove(patient.intervals, patient.intervals + 1, (CONTEXT_INTERVALS - 1) * sizeof patient.intervals[0]);
            patient.count--;
        }
        patient.intervals[patient.count++] = interval;
    }
    patient.has_last = 1;
    patient.last = at;
}

static int32_t span_of(const int32_t *row)
{
    int32_t least = row[0], largest = row[0];
    for (int32_t i = 1; i < WINDOW_SAMPLES; i++) {
        least = row[i] < least ? row[i] : least;
        largest = row[i] > largest ? row[i] : largest;
    }
    return largest - least;
}

static void centre(const int16_t *window, int32_t *beat)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < WINDOW_SAMPLES; i++) {
        sum += window[i];
    }
    const int32_t mean = sum / WINDOW_SAMPLES; /* towards zero */
    for (int32_t i = 0; i < WINDOW_SAMPLES; i++) {
        beat[i] = (window[i] - mean) * (1 << CONTEXT_BITS);
    }
}

/* On the grid of the classifier's input. */
static int8_t code_of(int32_t number)
{
    const int32_t half = 1 << (CLASS_MULTIPLIER_BITS - 1);
    const int32_t code = ((number * CLASS_MULTIPLIER + half) >> CLASS_MULTIPLIER_BITS) + CLASSES_INPUT_ZERO_POINT;
    return (int8_t)(code < -128 ? -128 : code > 127 ? 127 : code);
}

static void fill(const int32_t *beat, int8_t *codes)
{
    const int32_t *typical = patient.beats > 0 ? patient.typical : beat;
    const int32_t span = span_of(typical);
    const int32_t amplitude = span > CONTEXT_LEAST << CONTEXT_BITS ? span : CONTEXT_LEAST << CONTEXT_BITS;
    for (int32_t i = 0; i < WINDOW_SAMPLES; i++) {
        const int32_t mine = within(CONTEXT_PEAK * beat[i] / amplitude);
        codes[2 * i] = code_of(mine);
        codes[2 * i + 1] = code_of(within(mine - within(CONTEXT_PEAK * typical[i] / amplitude)));
    }
    for (int32_t i = 0; i < CONTEXT_RHYTHM; i++) {
        codes[2 * (WINDOW_SAMPLES + i)] = code_of(patient.rhythm[i]);
        codes[2 * (WINDOW_SAMPLES + i) + 1] = code_of(0);
    }
}

/* Lets the typical beat follow this one, but no single one far. */
static void learn(const int32_t *beat)
{
    const int first = patient.beats < CONTEXT_FIRST;
    const int32_t furthest = first ? 0 : span_of(patient.typical) / CONTEXT_FURTHEST;
    patient.beats += first;
    for (int32_t i = 0; i < WINDOW_SAMPLES; i++) {
        int32_t off = beat[i] - patient.typical[i];
        if (!first) {
            off = off > furthest ? furthest : off < -furthest ? -furthest : off;
        }
        patient.typical[i] += off / (first ? patient.beats : CONTEXT_FOLLOWING);
    }
}

static int32_t most_likely(const int8_t *codes, uint16_t *chance)
{
    int32_t best = 0;
    uint32_t sum = 0;
    for (int32_t i = 1; i < CLASSES_OUTPUT_BYTES; i++) {
        best = codes[i] > codes[best] ? i : best;
    }
    for (int32_t i = 0; i < CLASSES_OUTPUT_BYTES; i++) {
        const int32_t below = codes[best] - codes[i];
        sum += class_powers[below < CLASS_POWERS ? below : CLASS_POWERS - 1];
    }
    *chance = (uint16_t)((class_powers[0] << 15) / sum);
    return best;
}

naming_name naming_ask(const int16_t *window)
{
    int32_t beat[WINDOW_SAMPLES];
    int8_t given[CLASSES_INPUT_BYTES], outputs[CLASSES_OUTPUT_BYTES];
    const int ready = patient.beats >= CONTEXT_FIRST && patient.count >= CONTEXT_FIRST;
    naming_name name = {-1, -1, ECG_NAMED, 0};
    centre(window, beat);
    fill(beat, given);
    classes_run(given, outputs);
    learn(beat);
    name.likely = class_of_label[most_likely(outputs, &name.chance)];
    if (!ready) {
        name.reason = ECG_LEARNING;
    } else if (name.chance < CLASS_LEAST) {
        name.reason = ECG_UNSURE;
    } else {
        name.label = name.likely;
    }
    return name;
}
