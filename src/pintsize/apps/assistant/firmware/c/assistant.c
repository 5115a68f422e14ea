#include "assistant.h"

#include <string.h>

#include "health.h"
#include "listen.h"
#include "read.h"
#include "wake.h"

static struct {
    uint64_t now; /* hops since the last break */
    int woken, in_tail;
    uint64_t woken_at;
    int open; /* a phrase */
    uint64_t open_at, heard_at;
    uint8_t health;
} ear;

/* A phrase with a little of what came before it; while none is open, the last samples alone. */
static int16_t kept[PHRASE_SAMPLES];
static int32_t held;

static void keep_last(int32_t samples)
{
    if (held > samples) {
        memmove(kept, kept + (held - samples), (size_t)samples * sizeof kept[0]);
        held = samples;
    }
}

static void add(const int16_t *hop)
{
    if (!ear.open) {
        keep_last(PHRASE_BEFORE);
    }
    if (held <= PHRASE_SAMPLES - ASSISTANT_HOP) {
        memcpy(kept + held, hop, ASSISTANT_HOP * sizeof kept[0]);
        held += ASSISTANT_HOP;
    }
}

static void begin_anew(void)
{
    memset(&ear, 0, sizeof ear);
    held = 0;
    wake_init();
    detector_reset();
    loudness_reset();
    health_reset();
}

void assistant_init(void)
{
    begin_anew();
}

static assistant_decision nothing(void)
{
    assistant_decision none;
    memset(&none, 0, sizeof none);
    none.confidence = -1.0;
    none.label = -1;
    none.time = ear.now * ASSISTANT_HOP;
    none.health = ear.health;
    return none;
}

/* There is no answer: about what began at `start`, in hops. */
static assistant_decision unheard(enum assistant_reason reason, uint64_t start)
{
    assistant_decision told = nothing();
    told.kind = ASSISTANT_UNKNOWN;
    told.reason = reason;
    told.start = start * ASSISTANT_HOP;
    ear.woken = ear.in_tail = ear.open = 0;
    keep_last(PHRASE_BEFORE);
    return told;
}

static assistant_decision understood(int32_t cut)
{
    assistant_decision told = nothing();
    told.start = ear.open_at * ASSISTANT_HOP;
    read_phrase(kept, held > cut ? held - cut : 0, &told);
    ear.woken = ear.in_tail = ear.open = 0;
    keep_last(PHRASE_BEFORE);
    return told;
}

static int too_short(void)
{
    return ear.heard_at - ear.open_at < PHRASE_LEAST_HOPS;
}

/* Whether nothing of the phrase stands out of what the room turned out to be. */
static int was_the_room(void)
{
    return loudness_loudest() < PHRASE_ON;
}

static assistant_decision wait(void)
{
    return ear.now - ear.woken_at >= WAIT_HOPS ? unheard(ASSISTANT_SILENCE, ear.woken_at) : nothing();
}

static assistant_decision follow_phrase(int32_t score)
{
    if (score >= PHRASE_OFF) {
        ear.heard_at = ear.now;
    }
    const int late = ear.now - ear.open_at >= PHRASE_LONGEST_HOPS;
    if (!late && ear.now - ear.heard_at < PHRASE_SILENCE_HOPS) {
        return nothing();
    }
    if (was_the_room() || (!late && too_short())) { /* a fan, a click: what is meant may still come */
        ear.open = 0;
        keep_last(PHRASE_BEFORE);
        return wait();
    }
    return late ? unheard(ASSISTANT_TIMEOUT, ear.open_at) : understood(PHRASE_CUT);
}

/* Whether what sounds is still the wake word. */
static int still_in_tail(int32_t score)
{
    if (!ear.in_tail) {
        return 0;
    }
    ear.in_tail = score >= PHRASE_OFF && ear.now - ear.woken_at < TAIL_HOPS;
    if (!ear.in_tail) {
        keep_last(PHRASE_OVERLAP);
    }
    return ear.in_tail;
}

static assistant_decision follow(int32_t score)
{
    if (ear.open) {
        return follow_phrase(score);
    }
    if (!ear.woken || still_in_tail(score)) {
        return nothing();
    }
    if (score >= PHRASE_ON) {
        ear.open = 1;
        ear.open_at = ear.heard_at = ear.now;
        return nothing();
    }
    return wait();
}

/* What was open is lost: half of it is never acted on. */
static assistant_decision lose(void)
{
    assistant_decision told = nothing();
    if (ear.open || ear.woken) {
        told.kind = ASSISTANT_LOST;
        told.reason = ASSISTANT_BROKEN;
        told.start = (ear.open ? ear.open_at : ear.woken_at) * ASSISTANT_HOP;
    }
    ear.woken = ear.in_tail = ear.open = 0;
    held = 0;
    return told;
}

assistant_decision assistant_push(const int16_t *hop)
{
    int8_t codes[WAKE_OUTPUT_BYTES];
    int32_t chances[WAKE_LABELS];
    ear.now++;
    ear.health = health_see(hop);
    wake_run(hop, codes);
    if (ear.health != ASSISTANT_FIT) {
        detector_interrupt();
        return lose();
    }
    chances_of(codes, WAKE_LABELS, wake_powers, WAKE_POWERS, chances);
    const detection word = detector_update(ear.now, chances);
    const int32_t score = loudness_see(hop, ear.open);
    add(hop);
    if (word.word < 0 || ear.open) {
        return follow(score);
    }
    ear.woken = ear.in_tail = 1;
    ear.woken_at = ear.now;
    assistant_decision told = nothing();
    told.kind = ASSISTANT_DETECTED;
    told.label = word.word;
    told.confidence = word.chance;
    told.start = word.start * ASSISTANT_HOP;
    return told;
}

assistant_decision assistant_broken(void)
{
    const assistant_decision told = lose();
    begin_anew();
    return told;
}

assistant_decision assistant_finish(void)
{
    assistant_decision told = nothing();
    if (ear.open && !too_short() && !was_the_room()) {
        told = understood(0);
    } else if (ear.woken) {
        told = unheard(ASSISTANT_ENDED, ear.woken_at);
    }
    begin_anew();
    return told;
}
