#include "read.h"

#include "listen.h"

#if ASSISTANT_DIGITS > 0
#include "digits_read.h"
#endif
#if ASSISTANT_INTENTS > 0
#include "orders_read.h"
#endif

#if ASSISTANT_DIGITS > 0 || ASSISTANT_INTENTS > 0
/* Of two answers the surer one; the first where both are as sure. Without an answer the higher confidence is told. */
static void take_surer(const assistant_decision *answer, assistant_decision *decided)
{
    const int known = answer->kind != ASSISTANT_UNKNOWN, was_known = decided->kind != ASSISTANT_UNKNOWN;
    const uint64_t time = decided->time, start = decided->start;
    if (known < was_known || (known == was_known && answer->confidence <= decided->confidence)) {
        return;
    }
    *decided = *answer;
    decided->time = time;
    decided->start = start;
}

static void ask(
    void (*read)(const int16_t *, int32_t, assistant_decision *), const int16_t *samples, int32_t count,
    assistant_decision *decided)
{
    assistant_decision answer = *decided;
    answer.kind = ASSISTANT_UNKNOWN;
    answer.reason = ASSISTANT_UNSURE;
    answer.confidence = -1.0;
    answer.label = -1;
    read(samples, count, &answer);
    take_surer(&answer, decided);
}
#endif

void read_phrase(const int16_t *samples, int32_t count, assistant_decision *decided)
{
    decided->kind = ASSISTANT_UNKNOWN;
    decided->reason = ASSISTANT_UNSURE;
#if ASSISTANT_DIGITS > 0
    if (count <= LONGEST_DIGIT) {
        ask(digits_read, samples, count, decided);
    }
#endif
#if ASSISTANT_INTENTS > 0
    ask(orders_read, samples, count, decided);
#endif
    (void)samples;
    (void)count;
}
