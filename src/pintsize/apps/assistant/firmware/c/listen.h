/* The parts of the assistant that remember something from hop to hop. Times are counted in hops since the last break. */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdint.h>

#include "parameters.h"

/* Probabilities of logits, in 2^-15: the softmax of the model's codes through a table of exponentials. */
void chances_of(const int8_t *codes, int32_t count, const uint32_t *table, int32_t table_size, int32_t *chances);

/* One event, one wake word: mean of the last probabilities, hysteresis with a timeout, a refractory time. */
typedef struct {
    int32_t word; /* -1: nothing new */
    double chance;
    uint64_t start;
} detection;

void detector_reset(void);
detection detector_update(uint64_t now, const int32_t *chances);
void detector_interrupt(void); /* a hop without chances */

/* How much a hop stands out of the room: 256 is 3 dB. */
void loudness_reset(void);
int32_t loudness_see(const int16_t *hop, int speaking);

/* The score that the loudest hop of the phrase has in the room as it is known now. */
int32_t loudness_loudest(void);

#endif
