#include "gate.h"

#if defined(__GNUC__)
#define SHARED static __attribute__((noinline)) /* once in flash: a picture is looked at once in a while */
#else
#define SHARED static
#endif

SHARED int32_t grey_at(const uint8_t *rgb, int32_t pixel)
{
    const uint8_t *p = rgb + 3 * pixel;
    return (299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000;
}

static int32_t distance(int32_t a, int32_t b)
{
    return a > b ? a - b : b - a;
}

/* The mean of a square block of pixels. */
SHARED int32_t block_at(const uint8_t *rgb, int32_t width, int32_t side, int32_t x, int32_t y)
{
    int32_t total = 0;
    for (int32_t down = 0; down < side; down++) {
        for (int32_t right = 0; right < side; right++) {
            total += grey_at(rgb, (y * side + down) * width + x * side + right);
        }
    }
    return total / (side * side);
}

/* Of blocks: steps to the right and down, summed; and how far inner ones lie from their four neighbours. */
static void edges(const uint8_t *rgb, int32_t width, int32_t height, int32_t *steps, int32_t *bends)
{
    const int32_t side = width / GATE_COARSE_WIDTH > 1 ? width / GATE_COARSE_WIDTH : 1;
    const int32_t columns = width / side, rows = height / side;
    *steps = *bends = 0;
    for (int32_t y = 0; y < rows; y++) {
        for (int32_t x = 0; x < columns; x++) {
            const int32_t grey = block_at(rgb, width, side, x, y);
            const int32_t right = x + 1 < columns ? block_at(rgb, width, side, x + 1, y) : grey;
            const int32_t below = y + 1 < rows ? block_at(rgb, width, side, x, y + 1) : grey;
            *steps += distance(grey, right) + distance(grey, below);
            if (x > 0 && y > 0 && x + 1 < columns && y + 1 < rows) {
                const int32_t left = block_at(rgb, width, side, x - 1, y);
                const int32_t above = block_at(rgb, width, side, x, y - 1);
                *bends += distance(4 * grey, right + below + left + above);
            }
        }
    }
}

/* As Python divides: down, also below zero. */
static int32_t floor_of(int32_t number, int32_t divisor)
{
    return number / divisor - (number % divisor < 0);
}

void gate_statistics(const uint8_t *rgb, int32_t width, int32_t height, int32_t *found)
{
    const int32_t count = width * height;
    int32_t total = 0, spread = 0, colour = 0, reddish = 0, bluish = 0, clipped = 0, steps, bends;
    for (int32_t i = 0; i < count; i++) {
        const uint8_t *p = rgb + 3 * i;
        const int32_t grey = grey_at(rgb, i);
        const int32_t high = p[0] > p[1] ? p[0] : p[1], low = p[0] < p[1] ? p[0] : p[1];
        total += grey;
        colour += (high > p[2] ? high : p[2]) - (low < p[2] ? low : p[2]);
        reddish += p[0] - p[1];
        bluish += p[2] - p[1];
        clipped += grey <= GATE_CLIPPED_WITHIN || grey >= 255 - GATE_CLIPPED_WITHIN;
    }
    found[GATE_BRIGHTNESS] = total / count;
    for (int32_t i = 0; i < count; i++) {
        spread += distance(grey_at(rgb, i), found[GATE_BRIGHTNESS]);
    }
    edges(rgb, width, height, &steps, &bends);
    found[GATE_CONTRAST] = 16 * spread / count;
    found[GATE_SHARPNESS] = (int32_t)(1024 * (int64_t)bends / (steps > 1 ? steps : 1));
    found[GATE_COLOUR] = 16 * colour / count;
    found[GATE_REDDISH] = GATE_COLOURLESS + floor_of(16 * reddish, count);
    found[GATE_BLUISH] = GATE_COLOURLESS + floor_of(16 * bluish, count);
    found[GATE_CLIPPED] = 1000 * clipped / count;
}

int32_t gate_refuses(const int32_t *found, const gate_range *ranges)
{
    static const int8_t order[GATE_NAMES] = {
        GATE_BRIGHTNESS, GATE_CONTRAST, GATE_CLIPPED, GATE_COLOUR, GATE_REDDISH, GATE_BLUISH, GATE_SHARPNESS,
    };
    for (int32_t i = 0; i < GATE_NAMES; i++) {
        const int32_t name = order[i];
        if (found[name] < ranges[name].least || found[name] > ranges[name].most) {
            return 2 * name + (found[name] > ranges[name].most);
        }
    }
    return -1;
}
