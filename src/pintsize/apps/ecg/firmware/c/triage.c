#include "triage.h"

#define MINUTE 10800u /* samples */
#define BEATS 8u      /* intervals of `fastest` and `slowest` */

static int more_than(uint64_t part, uint64_t whole, uint32_t percent)
{
    return part * 100 > whole * percent;
}

int triage_reversed(const ecg_counts *c)
{
    const uint32_t seen = c->upright + c->inverted;
    return seen >= TRIAGE_SIGN_BEATS && c->inverted * 100 >= seen * TRIAGE_REVERSED;
}

static int holds(const ecg_counts *c, uint32_t rule)
{
    const uint32_t ventricular = c->classes[ECG_V], supraventricular = c->classes[ECG_S];
    const uint32_t beats = c->classes[0] + c->classes[1] + c->classes[2] + c->classes[3] + c->abstained;
    switch (rule) {
    case RULE_TACHYCARDIA:
        return c->tachycardias > 0;
    case RULE_LONG_PAUSE:
        return c->longest_pause >= TRIAGE_LONG_PAUSE;
    case RULE_STANDSTILL:
        return c->standstills > 0;
    case RULE_VERY_SLOW:
        return c->slowest * TRIAGE_VERY_SLOW > BEATS * MINUTE;
    case RULE_VERY_FAST:
        return c->fastest > 0 && c->fastest * TRIAGE_VERY_FAST < BEATS * MINUTE;
    case RULE_SHORT:
        return c->usable < TRIAGE_USABLE;
    case RULE_BAD:
        return more_than(c->total - c->usable, c->total, TRIAGE_UNUSABLE);
    case RULE_FEW:
        return c->usable >= TRIAGE_USABLE && c->intervals < BEATS;
    case RULE_REVERSED:
        return triage_reversed(c);
    case RULE_UNSURE:
        return more_than(c->abstained - c->learning, beats - c->learning, TRIAGE_UNSURE);
    case RULE_IRREGULAR:
        return c->irregularities > 0;
    case RULE_SLOW_RUNS:
        return c->ventricular_runs > c->tachycardias;
    case RULE_COUPLETS:
        return c->couplets > 0;
    case RULE_BIGEMINY:
        return c->bigeminies > 0;
    case RULE_VENTRICULAR:
        return ventricular >= TRIAGE_LEAST_ECTOPIC && more_than(ventricular, beats, TRIAGE_VENTRICULAR);
    case RULE_SUPRAVENTRICULAR_RUNS:
        return c->supraventricular_runs > 0;
    case RULE_SUPRAVENTRICULAR:
        return supraventricular >= TRIAGE_LEAST_ECTOPIC && more_than(supraventricular, beats, TRIAGE_SUPRAVENTRICULAR);
    case RULE_PAUSES:
        return c->pauses > 0 && c->longest_pause < TRIAGE_LONG_PAUSE;
    case RULE_SLOW:
        return c->interval_sum * TRIAGE_SLOW > (uint64_t)c->intervals * MINUTE;
    default:
        return c->interval_sum > 0 && c->interval_sum * TRIAGE_FAST < (uint64_t)c->intervals * MINUTE;
    }
}

uint8_t triage_of(const ecg_counts *c, uint32_t *reasons)
{
    uint8_t level = ECG_NORMAL;
    *reasons = 0;
    for (uint32_t rule = 0; rule < RULES; rule++) {
        if (holds(c, rule)) {
            const uint8_t its = rule < RULE_SHORT ? ECG_URGENT : rule < RULE_IRREGULAR ? ECG_REPEAT : ECG_REFER;
            level = its > level ? its : level;
            *reasons |= UINT32_C(1) << rule;
        }
    }
    return level;
}
