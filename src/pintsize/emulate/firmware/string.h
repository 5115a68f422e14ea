/* What a freestanding compiler leaves out of the C library and the model needs: memcpy and its kin. */
#ifndef PINTSIZE_STRING_H
#define PINTSIZE_STRING_H
#include <stddef.h>
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
#endif
