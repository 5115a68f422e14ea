/* What a beat is called: the patient's own rhythm and typical beat, and the classifier (classes/context.py, naming.py). */
#ifndef NAMING_H
#define NAMING_H

#include <stdint.h>

typedef struct {
    int8_t label, likely; /* enum ecg_class; label -1: none, and then the reason */
    uint8_t reason;       /* enum ecg_unnamed */
    uint16_t chance;      /* of the likely one, in 2^-15 */
} naming_name;

/* Another patient, or the signal broke. */
void naming_reset(void);

/* The next beat is there. */
void naming_beat(int32_t at);

/* window: WINDOW_SAMPLES around the beat that naming_beat was told of last. */
naming_name naming_ask(const int16_t *window);

#endif
