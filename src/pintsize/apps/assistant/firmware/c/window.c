#include "window.h"

#include <string.h>

#include "parameters.h"

/* Of the standard library; boards that have nothing else of math.h have these. */
double rint(double x);
double sqrt(double x);

/* Sums of squares are integers, so every mean is one exact division; floats are rounded as phrases/window.py rounds. */

static int64_t squares_of(const int16_t *samples, int32_t count)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += (int32_t)samples[i] * samples[i];
    }
    return sum;
}

/* Mean power of a block, ±1 being full scale. */
static double power_of(const int16_t *samples, int32_t block, int32_t blocks)
{
    if (block < 0 || block >= blocks) {
        return 0.0;
    }
    return (double)squares_of(samples + block * WINDOW_BLOCK, WINDOW_BLOCK) / 1073741824.0 / WINDOW_BLOCK;
}

static double smooth_power(const int16_t *samples, int32_t block, int32_t blocks)
{
    const double third = 1.0 / 3.0;
    return power_of(samples, block - 1, blocks) * third + power_of(samples, block, blocks) * third +
           power_of(samples, block + 1, blocks) * third;
}

/* The first and the last loud block. Gives 0 for silence. */
static int loud_blocks(const int16_t *samples, int32_t blocks, int32_t *first, int32_t *last)
{
    double largest = 0.0;
    for (int32_t b = 0; b < blocks; b++) {
        const double power = smooth_power(samples, b, blocks);
        largest = power > largest ? power : largest;
    }
    if (largest < WINDOW_SILENT_POWER) {
        return 0;
    }
    *first = -1;
    for (int32_t b = 0; b < blocks; b++) {
        if (smooth_power(samples, b, blocks) > largest * WINDOW_SOUND_SHARE) {
            *first = *first < 0 ? b : *first;
            *last = b;
        }
    }
    return *first >= 0;
}

static float scaled(int16_t sample, float gain)
{
    const float real = (float)sample / 32768.0f;
    return real * gain;
}

static int16_t code_of(float real)
{
    const double code = rint((double)real * 32768.0);
    return (int16_t)(code < -32768.0 ? -32768.0 : code > 32767.0 ? 32767.0 : code);
}

/* Where the loudest run of `length` begins: both sums go on from the first sample, as a running sum does. */
static int32_t loudest_run(const int16_t *samples, int32_t count, int32_t length, float gain)
{
    double ahead = 0.0, behind = 0.0, best = -1.0;
    int32_t at = 0;
    for (int32_t i = 0; i < count; i++) {
        const double newest = scaled(samples[i], gain);
        ahead += newest * newest;
        if (i + 1 < length) {
            continue;
        }
        if (i >= length) {
            const double oldest = scaled(samples[i - length], gain);
            behind += oldest * oldest;
        }
        if (ahead - behind > best) {
            best = ahead - behind;
            at = i + 1 - length;
        }
    }
    return at;
}

int window_of(const int16_t *samples, int32_t count, int16_t *window, int32_t length)
{
    int32_t first = 0, last = 0;
    const int32_t blocks = count / WINDOW_BLOCK;
    if (blocks < 3 || !loud_blocks(samples, blocks, &first, &last)) {
        return 0;
    }
    const int16_t *kept = samples + first * WINDOW_BLOCK;
    int32_t held = (last + 1 - first) * WINDOW_BLOCK;
    const double mean = (double)squares_of(kept, held) / 1073741824.0 / held;
    const float gain = (float)(WINDOW_LOUDNESS / sqrt(mean));
    int32_t before = (length - held) / 2;
    if (held > length) {
        kept += loudest_run(kept, held, length, gain);
        held = length;
        before = 0;
    }
    memset(window, 0, (size_t)length * sizeof window[0]);
    for (int32_t i = 0; i < held; i++) {
        window[before + i] = code_of(scaled(kept[i], gain));
    }
    return 1;
}
