/* What somebody does, from raw samples of acceleration and turning at 50 Hz; written by pintsize.

   A screening aid, not a diagnosis. No heap and no clock: time is counted in samples. The heart rate is asked beside it,
   a second at a time: see heart_rate_ppg.h and heart_rate_ecg.h. */
#ifndef WEARABLE_H
#define WEARABLE_H

#include <stdint.h>

#include "parameters.h"

enum { WEARABLE_TOLD = 0, WEARABLE_TOO_SOON = 1, WEARABLE_UNSURE = 2 };

typedef struct {
    int16_t label;  /* index of wearable_labels; -1: none, and `reason` says why */
    int16_t reason; /* TOO_SOON: fewer than WEARABLE_WARM steps since the signal began; UNSURE: two labels are close */
    int32_t margin; /* how far the best label is ahead, in codes of WEARABLE_DECISIONS outputs together */
    int32_t about;  /* the sample since the signal began that it is about */
} wearable_told;

/* Before the first sample, and after a gap in the signal: nothing from before it counts. */
void wearable_init(void);

/* The next WEARABLE_HOP samples: acceleration x, y, z in 1/500 m/s2, turning x, y, z in 1/2000 rad/s. */
wearable_told wearable_move(const int16_t samples[WEARABLE_HOP][6]);

#endif
