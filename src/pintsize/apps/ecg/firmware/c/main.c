/* The ECG on this computer: raw int16 samples from standard input, a line of JSON for each decision. */
#include <inttypes.h>
#include <stdio.h>

#include "ecg.h"

static const char *const CLASSES[] = {"N", "S", "V", "F"};
static const char *const LEVELS[] = {"normal", "refer", "repeat", "urgent"};

static double seconds(uint64_t samples)
{
    return (double)samples / 180.0;
}

/* A minute's worth of intervals, to a tenth. */
static void print_bpm(int64_t intervals, int64_t length)
{
    const int64_t tenths = (108000 * intervals + length / 2) / length;
    printf("%" PRId64 ".%" PRId64, tenths / 10, tenths % 10);
}

static void print_beat(const ecg_decision *told)
{
    if (told->value >= 0) {
        printf("\"value\": \"%s\"", CLASSES[told->value]);
    } else if (told->reason == ECG_UNSURE) {
        printf("\"value\": null, \"reason\": \"not sure enough: %s %.2f\"", CLASSES[told->likely], told->chance / 32768.0);
    } else {
        printf("\"value\": null, \"reason\": \"%s\"", ecg_unnamed_reasons[told->reason]);
    }
    printf(", \"confidence\": %.17g, \"start_s\": %.6f", told->chance / 32768.0, seconds(told->start));
}

static void print_finding(const ecg_decision *told)
{
    const int32_t intervals = told->value == ECG_IRREGULAR ? told->count : told->count - 1;
    printf("\"value\": \"%s\", \"start_s\": %.6f", ecg_finding_names[told->value], seconds(told->start));
    printf(", \"slots\": {\"length_s\": \"%.2f\"", told->length / 180.0);
    if (told->count > 0) {
        printf(", \"beats\": \"%" PRId32 "\"", told->count);
    }
    if (told->count > 1 && told->length > 0) {
        printf(", \"bpm\": \"");
        print_bpm(intervals, told->length);
        printf("\"");
    }
    printf("}");
}

static void print_rate(const ecg_decision *told)
{
    if (told->value < 0) {
        const char *few = "fewer than 3 intervals between beats in 10 s";
        printf("\"value\": null, \"reason\": \"%s\"", told->reason == ECG_OK ? few : ecg_fault_reasons[told->reason]);
        return;
    }
    printf("\"value\": ");
    print_bpm(told->count, told->length);
    printf(", \"start_s\": %.6f", seconds(told->start));
}

static void print_rhythm(void)
{
    const ecg_counts *c = ecg_counted();
    const uint32_t beats = c->classes[0] + c->classes[1] + c->classes[2] + c->classes[3] + c->abstained;
    printf("\"value\": ");
    if (c->intervals > 0) {
        print_bpm(c->intervals, (int64_t)c->interval_sum);
    } else {
        printf("null");
    }
    printf(", \"slots\": {\"beats\": %" PRIu32 ", \"N\": %" PRIu32 ", \"S\": %" PRIu32, beats, c->classes[0], c->classes[1]);
    printf(", \"V\": %" PRIu32 ", \"F\": %" PRIu32 ", \"abstained\": %" PRIu32, c->classes[2], c->classes[3], c->abstained);
    printf(", \"pauses\": %" PRIu32 ", \"couplets\": %" PRIu32, c->pauses, c->couplets);
    printf(", \"ventricular_runs\": %" PRIu32, c->ventricular_runs);
    printf(", \"supraventricular_runs\": %" PRIu32, c->supraventricular_runs);
    printf(", \"usable_s\": %.2f, \"signal_s\": %.2f}", seconds(c->usable), seconds(c->total));
}

static void print(const ecg_decision *told)
{
    static const char *const KINDS[] = {"beat", "finding", "rate", "quality", "lead", "rhythm", "triage"};
    printf("{\"time_s\": %.6f, \"kind\": \"%s\", ", seconds(told->time), KINDS[told->kind]);
    switch (told->kind) {
    case ECG_BEAT:
        print_beat(told);
        break;
    case ECG_FINDING:
        print_finding(told);
        break;
    case ECG_RATE:
        print_rate(told);
        break;
    case ECG_QUALITY:
        if (told->value == ECG_OK) {
            printf("\"value\": \"ok\"");
        } else {
            printf("\"value\": null, \"reason\": \"%s\"", ecg_fault_reasons[told->value]);
        }
        break;
    case ECG_LEAD:
        printf("\"value\": \"reversed suspected\"");
        break;
    case ECG_RHYTHM:
        print_rhythm();
        break;
    default:
        printf("\"value\": \"%s\", \"bits\": %" PRIu32, LEVELS[told->value], told->reasons);
        printf(", \"notice\": \"A screening aid, not a diagnosis\"");
    }
    printf("}\n");
}

int main(void)
{
    int16_t hop[ECG_RAW_HOP];
    ecg_init(print);
    while (fread(hop, sizeof hop[0], ECG_RAW_HOP, stdin) == ECG_RAW_HOP) {
        ecg_push(hop);
    }
    ecg_finish();
    return 0;
}
