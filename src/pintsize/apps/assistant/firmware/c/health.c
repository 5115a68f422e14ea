#include "health.h"

#include <string.h>

#include "assistant.h"

static struct {
    int32_t run; /* how many samples the last value has lasted */
    int16_t last;
    int32_t limited;                 /* how many of the last samples were at a limit: 2 are enough */
    int32_t clipped[CLIPPING_HOPS]; /* samples of each hop, a ring */
    int32_t next, count;
} seen;

void health_reset(void)
{
    memset(&seen, 0, sizeof seen);
}

static uint8_t line_in(const int16_t *hop)
{
    int32_t longest = 0;
    for (int32_t i = 0; i < ASSISTANT_HOP; i++) {
        if (seen.run == 0 || hop[i] != seen.last) {
            seen.run = 0;
        }
        seen.run += seen.run < FLAT_SAMPLES;
        seen.last = hop[i];
        longest = seen.run > longest ? seen.run : longest;
    }
    if (longest < FLAT_SAMPLES) {
        return 0;
    }
    return seen.last <= FLAT_NEAR_ZERO && seen.last >= -FLAT_NEAR_ZERO ? ASSISTANT_FLAT : ASSISTANT_STUCK;
}

static int at_limit(int16_t sample)
{
    return sample <= CLIPPING_LOW || sample >= CLIPPING_HIGH;
}

/* Samples of the hop that stand in runs of three or more at a limit, the two samples before it counted in. */
static int32_t clipped_in(const int16_t *hop)
{
    int32_t run = seen.limited, clipped = 0;
    for (int32_t i = 0; i < ASSISTANT_HOP; i++) {
        run = at_limit(hop[i]) ? run + 1 : 0;
        if (run == 3) { /* those before it were not known to be of one */
            clipped += i < 2 ? i + 1 : 3;
        } else if (run > 3) {
            clipped++;
        }
    }
    seen.limited = run < 2 ? run : 2;
    return clipped;
}

static uint8_t clipping_in(const int16_t *hop)
{
    int32_t clipped = 0;
    seen.clipped[seen.next] = clipped_in(hop);
    seen.next = (seen.next + 1) % CLIPPING_HOPS;
    seen.count += seen.count < CLIPPING_HOPS;
    for (int32_t i = 0; i < seen.count; i++) {
        clipped += seen.clipped[i];
    }
    const int32_t held = seen.count * ASSISTANT_HOP;
    return held >= CLIPPING_LEAST && (double)clipped / (double)held > CLIPPING_SHARE ? ASSISTANT_CLIPPED : 0;
}

uint8_t health_see(const int16_t *hop)
{
    const uint8_t line = line_in(hop);
    return (uint8_t)(line | clipping_in(hop));
}
