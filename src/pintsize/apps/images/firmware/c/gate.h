/* Whether a picture can be looked at at all: whole numbers, the same as in gate.py of pintsize. */
#ifndef GATE_H
#define GATE_H

#include <stdint.h>

enum { GATE_BRIGHTNESS, GATE_CONTRAST, GATE_SHARPNESS, GATE_COLOUR, GATE_REDDISH, GATE_BLUISH, GATE_CLIPPED, GATE_NAMES };
enum { GATE_CLIPPED_WITHIN = 4, GATE_COLOURLESS = 4096, GATE_COARSE_WIDTH = 80 };

typedef struct {
    int32_t least, most;
} gate_range;

/* rgb: height rows of width pixels, red, green, blue, at most 2^18 of them. found: GATE_NAMES numbers. */
void gate_statistics(const uint8_t *rgb, int32_t width, int32_t height, int32_t *found);

/* Which statistic is out of its range: 2 * its number, and 1 more where it is above; -1 for none. */
int32_t gate_refuses(const int32_t *found, const gate_range *ranges);

#endif
