/* The assistant on this computer: raw int16 samples at 16 kHz from standard input, a line of JSON for each decision. */
#include <stdio.h>

#include "assistant.h"

static const char *const REASONS[] = {
    "", "nothing was said", "timeout", "no model knows the phrase", "the signal ended", "the signal broke",
};
static const char *const KINDS[] = {"", "detected", "digit", "order", "unknown", "lost"};

static const char *name_of(const assistant_decision *told)
{
    switch (told->kind) {
    case ASSISTANT_DETECTED:
        return assistant_words[told->label];
#if ASSISTANT_DIGITS > 0
    case ASSISTANT_DIGIT:
        return assistant_digits[told->label];
#endif
#if ASSISTANT_INTENTS > 0
    case ASSISTANT_ORDER:
        return assistant_intents[told->label];
#endif
    default:
        return NULL;
    }
}

static void print(const assistant_decision *told)
{
    const char *name = name_of(told);
    if (told->kind == ASSISTANT_NOTHING) {
        return;
    }
    printf("{\"time_s\": %.6f, \"kind\": \"%s\", ", (double)told->time / 16000.0, KINDS[told->kind]);
    if (name != NULL) {
        printf("\"value\": \"%s\"", name);
    } else {
        printf("\"value\": null, \"reason\": \"%s\"", REASONS[told->reason]);
    }
    if (told->confidence >= 0.0) {
        printf(", \"confidence\": %.6f", told->confidence);
    }
    printf(", \"start_s\": %.6f", (double)told->start / 16000.0);
#if ASSISTANT_SLOTS > 0
    const char *comma = "";
    printf(", \"slots\": {");
    for (int i = 0; told->kind == ASSISTANT_ORDER && i < ASSISTANT_SLOTS; i++) {
        if (told->slots[i] >= 0) {
            printf("%s\"%s\": \"%s\"", comma, assistant_slots[i], assistant_slot_values[i][told->slots[i]]);
            comma = ", ";
        }
    }
    printf("}");
#endif
    printf("}\n");
}

/* What is wrong with the signal from this hop on, or that nothing is any more. */
static void print_health(const assistant_decision *told)
{
    const double begins_s = (double)(told->time - ASSISTANT_HOP) / 16000.0;
    const char *const line = told->health & ASSISTANT_FLAT ? "flat line" : told->health & ASSISTANT_STUCK ? "stuck" : "";
    const char *const clipped = told->health & ASSISTANT_CLIPPED ? "clipped" : "";
    if (told->health == ASSISTANT_FIT) {
        printf("{\"time_s\": %.6f, \"kind\": \"health\", \"value\": \"ok\"}\n", begins_s);
        return;
    }
    printf("{\"time_s\": %.6f, \"kind\": \"health\", \"value\": null, ", begins_s);
    printf("\"reason\": \"%s%s%s\"}\n", line, *line && *clipped ? "; " : "", clipped);
}

int main(void)
{
    int16_t hop[ASSISTANT_HOP];
    uint8_t health = ASSISTANT_FIT;
    assistant_init();
    while (fread(hop, sizeof hop[0], ASSISTANT_HOP, stdin) == ASSISTANT_HOP) {
        const assistant_decision told = assistant_push(hop);
        if (told.health != health) {
            print_health(&told);
        }
        health = told.health;
        print(&told);
    }
    const assistant_decision last = assistant_finish();
    print(&last);
    return 0;
}
