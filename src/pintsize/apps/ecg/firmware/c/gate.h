/* Whether anything may be said about the signal (quality.py). */
#ifndef GATE_H
#define GATE_H

#include <stdint.h>

void gate_reset(void);

/* One sample more. */
void gate_see(int16_t sample);

/* enum ecg_fault: of the last two seconds. */
uint8_t gate_verdict(void);

#endif
