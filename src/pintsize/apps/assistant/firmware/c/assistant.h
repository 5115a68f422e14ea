/* The voice assistant: raw samples in, decisions out. No heap, no clock: time is counted in samples. */
#ifndef ASSISTANT_H
#define ASSISTANT_H

#include <stdint.h>

#include "parameters.h"

enum assistant_kind {
    ASSISTANT_NOTHING,
    ASSISTANT_DETECTED, /* a wake word: label is one of assistant_words */
    ASSISTANT_DIGIT,    /* label is one of assistant_digits */
    ASSISTANT_ORDER,    /* slots are filled: slots[i] is a value of assistant_slots[i], or -1 */
    ASSISTANT_UNKNOWN,  /* reason says why there is no answer */
    ASSISTANT_LOST      /* the signal broke within a phrase, or while one was waited for */
};

enum assistant_reason {
    ASSISTANT_SURE,
    ASSISTANT_SILENCE, /* nothing was said after the wake word */
    ASSISTANT_TIMEOUT, /* the phrase did not end in time: half of it is not acted on */
    ASSISTANT_UNSURE,  /* no model knows the phrase */
    ASSISTANT_ENDED,   /* the signal ended */
    ASSISTANT_BROKEN   /* the signal broke, or was not fit for a decision */
};

/* What is wrong with the signal, added up. While anything is, nothing is decided, and what was open is lost. */
enum assistant_health {
    ASSISTANT_FIT = 0,
    ASSISTANT_FLAT = 1,   /* a line at or near 0 */
    ASSISTANT_STUCK = 2,  /* a line at another value */
    ASSISTANT_CLIPPED = 4 /* too much at the limits */
};

typedef struct {
    enum assistant_kind kind;
    enum assistant_reason reason;
    int32_t label;
    uint64_t time;     /* in samples since the last init or break */
    uint64_t start;    /* when what was decided about began */
    double confidence; /* 0 to 1, below 0 where there is none */
    uint8_t health;    /* of the hop, told or not: 0, or what is wrong */
#if ASSISTANT_SLOTS > 0
    int16_t slots[ASSISTANT_SLOTS];
#endif
} assistant_decision;

/* Call once before the first samples. */
void assistant_init(void);

/* The next ASSISTANT_HOP samples, int16, one channel, 16 kHz. Gives what is decided; ASSISTANT_NOTHING for most hops. */
assistant_decision assistant_push(const int16_t *hop);

/* Samples are missing, or must not be used: all that was begun is lost, and what comes next begins anew. */
assistant_decision assistant_broken(void);

/* The signal is at its end: a phrase that was open is decided on. */
assistant_decision assistant_finish(void);

#endif
