/* What should be done about a recording (triage.py). A screening aid, not a diagnosis. */
#ifndef TRIAGE_H
#define TRIAGE_H

#include "ecg.h"

enum ecg_rule {
    RULE_TACHYCARDIA, RULE_LONG_PAUSE, RULE_STANDSTILL, RULE_VERY_SLOW, RULE_VERY_FAST, RULE_SHORT, RULE_BAD,
    RULE_FEW, RULE_REVERSED, RULE_UNSURE, RULE_IRREGULAR, RULE_SLOW_RUNS, RULE_COUPLETS, RULE_BIGEMINY,
    RULE_VENTRICULAR, RULE_SUPRAVENTRICULAR_RUNS, RULE_SUPRAVENTRICULAR, RULE_PAUSES, RULE_SLOW, RULE_FAST, RULES
};

int triage_reversed(const ecg_counts *c);

/* Gives enum ecg_level; *reasons: a bit for each rule that holds. */
uint8_t triage_of(const ecg_counts *c, uint32_t *reasons);

#endif
