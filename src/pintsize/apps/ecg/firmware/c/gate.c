#include "gate.h"

#include <string.h>

#include "ecg.h"

typedef struct {
    int32_t least, largest, total;
    uint8_t rough, hum_50, hum_60;
} block;

static struct {
    int16_t window[GATE_BLOCKS * GATE_BLOCK]; /* whole blocks, the oldest first */
    int16_t next[GATE_BLOCK];
    block blocks[GATE_BLOCKS];
    int32_t filled, count, small;
    uint8_t verdict;
} gate;

void gate_reset(void)
{
    gate.filled = gate.count = gate.small = 0;
    gate.verdict = ECG_BEGUN;
}

uint8_t gate_verdict(void)
{
    return gate.verdict;
}

static uint8_t hums(int32_t turns)
{
    int64_t real = 0, imaginary = 0;
    int32_t at = 0;
    for (int32_t i = 0; i < GATE_BLOCK; i++) {
        real += (int32_t)gate.next[i] * gate_cosines[at];
        imaginary += (int32_t)gate.next[i] * gate_cosines[(at + 3 * GATE_BLOCK / 4) % GATE_BLOCK];
        at = (at + turns) % GATE_BLOCK;
    }
    real >>= GATE_COSINE_BITS;
    imaginary >>= GATE_COSINE_BITS;
    return real * real + imaginary * imaginary >= (int64_t)(GATE_HUM * GATE_BLOCK / 2) * (GATE_HUM * GATE_BLOCK / 2);
}

static block block_of_next(void)
{
    const int16_t *x = gate.next;
    block made = {x[0], x[0], 0, 0, 0, 0};
    int32_t roughness = 0;
    for (int32_t i = 0; i < GATE_BLOCK; i++) {
        made.least = x[i] < made.least ? x[i] : made.least;
        made.largest = x[i] > made.largest ? x[i] : made.largest;
        made.total += x[i];
    }
    for (int32_t i = 2; i < GATE_BLOCK; i++) {
        const int32_t bend = x[i] - 2 * x[i - 1] + x[i - 2];
        roughness += bend < 0 ? -bend : bend;
    }
    made.rough = roughness >= GATE_NOISE * (GATE_BLOCK - 2);
    made.hum_50 = hums(10);
    made.hum_60 = hums(12);
    return made;
}

static int near_extreme(int32_t x, int32_t extreme, int32_t near, int upper)
{
    return upper ? x >= extreme - near : x <= extreme + near;
}

/* Samples in flat tops at the extreme: four and more, entered and left in a step. */
static int32_t tops(int32_t extreme, int32_t span, int upper)
{
    const int32_t near = span >> GATE_TOP_WITHIN, step = span >> GATE_TOP_STEP, n = gate.count * GATE_BLOCK;
    int32_t found = 0, start = -1;
    for (int32_t i = 1; i < n; i++) {
        const int32_t rise = gate.window[i] - gate.window[i - 1];
        const int steep = (rise < 0 ? -rise : rise) >= step;
        const int was = near_extreme(gate.window[i - 1], extreme, near, upper);
        const int is = near_extreme(gate.window[i], extreme, near, upper);
        if (!was && is) {
            start = steep ? i : -1;
        } else if (was && !is) {
            found += start >= 0 && steep && i - start >= GATE_TOP_SAMPLES ? i - start : 0;
            start = -1;
        }
    }
    return found;
}

/* Whether a line of a second is in the window. */
static int is_flat(void)
{
    for (int32_t first = 0; first + GATE_FLAT_BLOCKS <= gate.count; first++) {
        int32_t least = gate.blocks[first].least, largest = gate.blocks[first].largest;
        for (int32_t i = first + 1; i < first + GATE_FLAT_BLOCKS; i++) {
            least = gate.blocks[i].least < least ? gate.blocks[i].least : least;
            largest = gate.blocks[i].largest > largest ? gate.blocks[i].largest : largest;
        }
        if (largest - least <= GATE_FLAT) {
            return 1;
        }
    }
    return 0;
}

static uint8_t judge(void)
{
    const int32_t many = gate.count - GATE_SPARED;
    int32_t least = gate.blocks[0].least, largest = gate.blocks[0].largest;
    int32_t lowest = gate.blocks[0].total, highest = gate.blocks[0].total;
    int32_t hum_50 = 0, hum_60 = 0, rough = 0;
    if (gate.count < GATE_LEAST_BLOCKS) {
        return ECG_BEGUN;
    }
    for (int32_t i = 0; i < gate.count; i++) {
        const block *b = &gate.blocks[i];
        least = b->least < least ? b->least : least;
        largest = b->largest > largest ? b->largest : largest;
        lowest = b->total < lowest ? b->total : lowest;
        highest = b->total > highest ? b->total : highest;
        hum_50 += b->hum_50;
        hum_60 += b->hum_60;
        rough += b->rough;
    }
    const int32_t span = largest - least;
    if (is_flat()) {
        return ECG_FLAT;
    }
    if (span > GATE_LARGEST) {
        return ECG_SCALE;
    }
    if (span >= GATE_LEAST_RANGE && tops(largest, span, 1) + tops(least, span, 0) >= GATE_CLIPPED) {
        return ECG_CLIPPED;
    }
    if (hum_50 >= many || hum_60 >= many) {
        return hum_50 >= many ? ECG_HUM_50 : ECG_HUM_60;
    }
    if (rough >= many) {
        return ECG_NOISE;
    }
    if (highest - lowest > GATE_MOTION * GATE_BLOCK) {
        return ECG_MOTION;
    }
    return gate.small >= GATE_SMALL_BLOCKS ? ECG_SMALL : ECG_OK;
}

static void take_block(void)
{
    if (gate.count == GATE_BLOCKS) {
        memmove(gate.blocks, gate.blocks + 1, (GATE_BLOCKS - 1) * sizeof gate.blocks[0]);
        memmove(gate.window, gate.window + GATE_BLOCK, (GATE_BLOCKS - 1) * sizeof gate.next);
        gate.count--;
    }
    const block made = block_of_next();
    gate.blocks[gate.count] = made;
    memcpy(gate.window + gate.count * GATE_BLOCK, gate.next, sizeof gate.next);
    gate.count++;
    gate.small = made.largest - made.least < GATE_SMALL ? gate.small + 1 : 0;
    gate.verdict = judge();
}

void gate_see(int16_t sample)
{
    gate.next[gate.filled++] = sample;
    if (gate.filled == GATE_BLOCK) {
        gate.filled = 0;
        take_block();
    }
}
