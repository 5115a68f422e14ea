/* Whether a hop is fit for a decision: a line at one value, and clipping, are not. */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdint.h>

#include "parameters.h"

void health_reset(void);

/* What is wrong with the signal up to this hop: of enum assistant_health, added up; 0 where nothing is. */
uint8_t health_see(const int16_t *hop);

#endif
