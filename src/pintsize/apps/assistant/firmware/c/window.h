/* A phrase in a window of fixed length: silence cut off, loudness evened out, the rest in the middle. */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdint.h>

/* Fills `length` codes. Gives 0 where there is nothing to hear in the `count` samples. */
int window_of(const int16_t *samples, int32_t count, int16_t *window, int32_t length);

#endif
