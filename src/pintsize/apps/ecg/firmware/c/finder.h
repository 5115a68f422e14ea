/* R peaks in the band-passed signal: energy, two levels, a refractory time, a search back (beats/finder.py). */
#ifndef FINDER_H
#define FINDER_H

#include <stdint.h>

/* The most beats that one call may make known. */
#define FINDER_BEATS 20

void finder_reset(void);

/* One code of the band-passed signal. Gives how many beats are certain by it; beats: their R peaks, in samples. */
int32_t finder_take(int16_t code, int32_t *beats);

/* The signal ends: what nothing larger followed so far. */
int32_t finder_finish(int32_t *beats);

#endif
