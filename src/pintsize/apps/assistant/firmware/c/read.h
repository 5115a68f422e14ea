/* What was said in a phrase: a digit, an order, or neither. */
#ifndef READ_H
#define READ_H

#include "assistant.h"

/* Fills kind, reason, label, slots and confidence; the times are the caller's. */
void read_phrase(const int16_t *samples, int32_t count, assistant_decision *decided);

#endif
