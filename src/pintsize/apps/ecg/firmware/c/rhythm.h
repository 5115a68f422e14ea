/* From beats to rhythm: intervals, pauses, runs, patterns (rhythm.py). Times in samples since the signal broke. */
#ifndef RHYTHM_H
#define RHYTHM_H

#include <stdint.h>

#include "ecg.h"

typedef struct {
    uint8_t finding; /* enum ecg_finding */
    int32_t start, length, beats;
} rhythm_event;

/* The most that one beat makes known. */
#define RHYTHM_EVENTS 5

void rhythm_break(void);

/* label: enum ecg_class, -1 for none. Gives how many events there are. */
int32_t rhythm_beat(int32_t at, int32_t label, rhythm_event *events);

/* No beat is to come any more before this time. */
int32_t rhythm_wait(int32_t now, rhythm_event *events);

/* Of the recording; ecg.c has it. */
extern ecg_counts counted;

#endif
