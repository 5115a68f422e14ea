/* A portable ECG: raw samples in, decisions out. A screening aid, not a diagnosis.
 *
 * Samples are int16, one lead, ECG_RAW_RATE of them a second, counts of 5 uV; ECG_RAW_HOP at a time.
 * Times in decisions are samples of 180 Hz since ecg_init. There is no heap and no clock. */
#ifndef ECG_H
#define ECG_H

#include <stdint.h>

#include "parameters.h"

enum ecg_kind { ECG_BEAT, ECG_FINDING, ECG_RATE, ECG_QUALITY, ECG_LEAD, ECG_RHYTHM, ECG_TRIAGE };
enum ecg_class { ECG_N, ECG_S, ECG_V, ECG_F, ECG_CLASSES };
enum ecg_fault {
    ECG_OK, ECG_BEGUN, ECG_FLAT, ECG_SCALE, ECG_CLIPPED, ECG_HUM_50, ECG_HUM_60, ECG_NOISE, ECG_MOTION, ECG_SMALL,
    ECG_BROKEN
};
enum ecg_finding {
    ECG_PAUSE, ECG_STANDSTILL, ECG_COUPLET, ECG_VENTRICULAR_RUN, ECG_VENTRICULAR_TACHYCARDIA, ECG_RUN_OVER,
    ECG_BIGEMINY, ECG_SUPRAVENTRICULAR_RUN, ECG_IRREGULAR
};
enum ecg_level { ECG_NORMAL, ECG_REFER, ECG_REPEAT, ECG_URGENT };
/* Why a beat has no class. */
enum ecg_unnamed { ECG_NAMED, ECG_LEARNING, ECG_UNSURE, ECG_TOO_LATE, ECG_CUT_OFF };

typedef struct {
    uint8_t kind;   /* enum ecg_kind */
    int8_t value;   /* a beat's class or -1; a finding; a fault, ECG_OK if none; a level; of a rate -1: none */
    uint8_t reason; /* of a beat: enum ecg_unnamed; of a rate without a value: enum ecg_fault, or ECG_OK: few intervals */
    uint16_t chance; /* of a beat: that of its most likely class, in 2^-15 */
    int8_t likely;   /* of a beat: that class */
    uint64_t time, start;
    int32_t length; /* of a finding: samples; of a rate: samples of its intervals */
    int32_t count;  /* of a finding: beats; of a rate: intervals */
    uint32_t reasons; /* of a triage: enum ecg_rule, a bit each */
} ecg_decision;

/* What a recording had in it, until now. Lengths in samples of 180 Hz. */
typedef struct {
    uint32_t classes[ECG_CLASSES], abstained, learning;
    uint32_t intervals, fastest, slowest; /* fastest, slowest: sums of 8 intervals */
    uint64_t interval_sum;
    uint32_t pauses, longest_pause, standstills;
    uint32_t couplets, ventricular_runs, longest_run, tachycardias, fastest_run, bigeminies, supraventricular_runs;
    uint32_t irregular_windows, regular_windows, irregularities;
    uint32_t upright, inverted;
    uint64_t usable, total;
} ecg_counts;

typedef void (*ecg_listener)(const ecg_decision *told);

/* Begins a recording. listener: is told each decision, from within the calls below. */
void ecg_init(ecg_listener listener);

/* The next ECG_RAW_HOP samples. */
void ecg_push(const int16_t *hop);

/* So many samples of 180 Hz are missing: nothing that was begun before goes on after. */
void ecg_broken(uint32_t missing);

/* The recording is over: tells its rhythm and its triage. Then ecg_init begins another. */
void ecg_finish(void);

const ecg_counts *ecg_counted(void);

/* Texts (texts.c) of enum ecg_fault, ecg_finding, ecg_unnamed: ecg_fault_reasons, ecg_finding_names,
 * ecg_unnamed_reasons, declared in parameters.h. */

#endif
