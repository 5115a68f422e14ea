/* A softmax in integers: probabilities as multiples of 2^-15. */
#ifndef CHANCES_H
#define CHANCES_H

#include <stdint.h>

/* powers: 2^16 * exp(-d * scale / temperature) of d codes below the largest, the last entry for all beyond. */
void chances_of(const int8_t *codes, int32_t labels, const uint32_t *powers, int32_t entries, int32_t *chances);

#endif
