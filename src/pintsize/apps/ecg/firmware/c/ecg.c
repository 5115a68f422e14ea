#include "ecg.h"

#include <string.h>

#include "beats.h"
#include "classes.h"
#include "finder.h"
#include "gate.h"
#include "naming.h"
#include "rhythm.h"
#include "triage.h"
#if ECG_RESAMPLED
#include "resample.h"
#endif

#define PENDING 32 /* beats whose window is not there yet */

ecg_counts counted;

static struct {
    ecg_listener listener;
    uint64_t before; /* samples before the signal broke */
    int32_t now;     /* samples since then */
    int32_t origin;  /* where the finder began */
    int16_t ring[ECG_RING];
#if ECG_RESAMPLED
    int16_t hop[ECG_HOP]; /* resampled, until there are enough */
    int32_t filled;
#endif
    int32_t pending[PENDING], first, count;
    uint8_t fault;
    int has_last, rate_told, lead_told;
    int32_t last;
    int32_t intervals, interval_sum;
} ecg;

const ecg_counts *ecg_counted(void)
{
    return &counted;
}

/* What comes next does not follow what was. */
static void begin_anew(void)
{
    beats_init();
#if ECG_RESAMPLED
    resample_init();
    ecg.filled = 0;
#endif
    classes_init();
    finder_reset();
    naming_reset();
    gate_reset();
    rhythm_break();
    ecg.now = ecg.origin = ecg.first = ecg.count = 0;
    ecg.fault = ECG_BEGUN;
    ecg.has_last = 0;
    ecg.intervals = ecg.interval_sum = 0;
}

void ecg_init(ecg_listener listener)
{
    memset(&ecg, 0, sizeof ecg);
    memset(&counted, 0, sizeof counted);
    ecg.listener = listener;
    begin_anew();
}

static uint64_t time_of(int32_t sample)
{
    return ecg.before + (uint64_t)(int64_t)sample;
}

static ecg_decision decision(uint8_t kind, int8_t value)
{
    ecg_decision told;
    memset(&told, 0, sizeof told);
    told.kind = kind;
    told.value = value;
    told.likely = -1;
    told.time = told.start = time_of(ecg.now);
    return told;
}

static void tell_events(const rhythm_event *events, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        ecg_decision told = decision(ECG_FINDING, (int8_t)events[i].finding);
        told.start = time_of(events[i].start);
        told.length = events[i].length;
        told.count = events[i].beats;
        ecg.listener(&told);
    }
}

/* What was told of the rate holds no longer; said once. */
static void without_rate(uint8_t reason)
{
    if (ecg.rate_told) {
        ecg_decision told = decision(ECG_RATE, -1);
        told.reason = reason;
        ecg.rate_told = 0;
        ecg.listener(&told);
    }
}

/* Says what is wrong with the signal once, and once that nothing is any more. */
static void announce(void)
{
    const uint8_t before = ecg.fault;
    ecg.fault = gate_verdict();
    if (before == ecg.fault || ecg.fault == ECG_BEGUN) {
        return;
    }
    const ecg_decision told = decision(ECG_QUALITY, (int8_t)ecg.fault);
    if (ecg.fault != ECG_OK) {
        rhythm_break();
        naming_reset();
        ecg.has_last = 0;
        ecg.intervals = ecg.interval_sum = 0;
    } else if (before != ECG_BEGUN) { /* levels that were learnt of what was bad would hold for long */
        finder_reset();
        ecg.count = 0;
        ecg.origin = ecg.now;
    }
    ecg.listener(&told);
    if (ecg.fault != ECG_OK) {
        without_rate(ecg.fault);
    }
}

static int32_t oldest(void)
{
    return ecg.now > ECG_RING ? ecg.now - ECG_RING : 0;
}

static int32_t sample_at(int32_t at)
{
    return ecg.ring[at % ECG_RING];
}

/* Whether the QRS points up or down; of beats that begin in the ventricle nothing follows. */
static void see_sign(int32_t at, int32_t label)
{
    int32_t base = 0, least = sample_at(at), largest = least;
    if (label == ECG_V || label == ECG_F || at - oldest() < SIGN_BASE_FROM) {
        return;
    }
    for (int32_t i = 0; i < SIGN_BASE_SAMPLES; i++) {
        base += sample_at(at - SIGN_BASE_FROM + i);
    }
    base = base >= 0 ? base / SIGN_BASE_SAMPLES : -((SIGN_BASE_SAMPLES - 1 - base) / SIGN_BASE_SAMPLES); /* down */
    for (int32_t i = at - SIGN_NEAR; i <= at + SIGN_NEAR; i++) {
        const int32_t x = sample_at(i);
        least = x < least ? x : least;
        largest = x > largest ? x : largest;
    }
    if (2 * (base - least) > 3 * (largest - base)) {
        counted.inverted++;
    } else {
        counted.upright++;
    }
}

/* A beat is told, and the rhythm has one more. */
static void follow(int32_t at, naming_name name)
{
    rhythm_event events[RHYTHM_EVENTS];
    ecg_decision told = decision(ECG_BEAT, name.label);
    if (ecg.has_last) {
        ecg.intervals++;
        ecg.interval_sum += at - ecg.last;
    }
    ecg.has_last = 1;
    ecg.last = at;
    told.reason = name.reason;
    told.chance = name.chance;
    told.likely = name.likely;
    told.start = time_of(at);
    ecg.listener(&told);
    tell_events(events, rhythm_beat(at, name.label, events));
}

/* A beat whose window is there. */
static void judge(int32_t at)
{
    int16_t window[WINDOW_SAMPLES];
    naming_name name = {-1, -1, ECG_TOO_LATE, 0};
    if (ecg.fault != ECG_OK) {
        ecg.has_last = 0;
        rhythm_break();
        return;
    }
    naming_beat(at);
    if (at - WINDOW_BEFORE >= oldest()) {
        for (int32_t i = 0; i < WINDOW_SAMPLES; i++) {
            window[i] = (int16_t)sample_at(at - WINDOW_BEFORE + i);
        }
        name = naming_ask(window);
        counted.learning += name.reason == ECG_LEARNING;
        see_sign(at, name.label);
    }
    follow(at, name);
}

static void await(const int32_t *beats, int32_t count)
{
    for (int32_t i = 0; i < count && ecg.count < PENDING; i++) {
        ecg.pending[(ecg.first + ecg.count++) % PENDING] = ecg.origin + beats[i];
    }
}

static int32_t next_pending(void)
{
    const int32_t at = ecg.pending[ecg.first];
    ecg.first = (ecg.first + 1) % PENDING;
    ecg.count--;
    return at;
}

/* The rate of the last ten seconds, and whether the lead is reversed. */
static void tell_regularly(void)
{
    ecg_decision told = decision(ECG_RATE, 0);
    told.start = told.time - ECG_RATE_EVERY;
    told.count = ecg.intervals;
    told.length = ecg.interval_sum;
    ecg.intervals = ecg.interval_sum = 0;
    if (ecg.fault != ECG_OK) {
        without_rate(ecg.fault);
    } else if (told.count < ECG_RATE_LEAST) {
        without_rate(ECG_OK);
    } else {
        ecg.rate_told = 1;
        ecg.listener(&told);
    }
    if (triage_reversed(&counted) && !ecg.lead_told) {
        const ecg_decision lead = decision(ECG_LEAD, 0);
        ecg.lead_told = 1;
        ecg.listener(&lead);
    }
}

static void take(const int16_t *samples)
{
    int16_t passed[ECG_HOP];
    int32_t beats[FINDER_BEATS];
    beats_run(samples, passed);
    for (int32_t i = 0; i < ECG_HOP; i++) {
        gate_see(samples[i]);
        ecg.ring[(ecg.now + i) % ECG_RING] = samples[i];
        await(beats, finder_take(passed[i], beats));
    }
    ecg.now += ECG_HOP;
    counted.total += ECG_HOP;
    if (gate_verdict() == ECG_OK) { /* what had only begun is judged with what follows it */
        counted.usable += ecg.fault == ECG_BEGUN ? (uint64_t)ecg.now : ECG_HOP;
    }
}

static void step(const int16_t *samples)
{
    rhythm_event events[RHYTHM_EVENTS];
    take(samples);
    announce();
    while (ecg.count > 0 && ecg.pending[ecg.first] + WINDOW_AFTER <= ecg.now) {
        judge(next_pending());
    }
    if (ecg.fault == ECG_OK) {
        tell_events(events, rhythm_wait(ecg.now - ECG_LATEST, events));
    }
    if (ecg.now % ECG_RATE_EVERY < ECG_HOP) {
        tell_regularly();
    }
}

void ecg_push(const int16_t *hop)
{
#if ECG_RESAMPLED
    int16_t samples[RESAMPLE_OUTPUT_BYTES / 2];
    resample_run(hop, samples);
    for (int32_t i = 0; i < RESAMPLE_OUTPUT_BYTES / 2; i++) {
        ecg.hop[ecg.filled++] = samples[i];
        if (ecg.filled == ECG_HOP) {
            ecg.filled = 0;
            step(ecg.hop);
        }
    }
#else
    step(hop);
#endif
}

void ecg_broken(uint32_t missing)
{
    without_rate(ECG_BROKEN);
    counted.total += missing < ECG_LONGEST_HOLE ? missing : ECG_LONGEST_HOLE;
    ecg.before += (uint64_t)ecg.now + missing;
    begin_anew();
}

void ecg_finish(void)
{
    const naming_name cut_off = {-1, -1, ECG_CUT_OFF, 0};
    int32_t beats[FINDER_BEATS];
    ecg_decision told;
    if (counted.total == 0) {
        return;
    }
    await(beats, finder_finish(beats));
    while (ecg.count > 0) {
        const int32_t at = next_pending();
        if (at + WINDOW_AFTER <= ecg.now) {
            judge(at);
        } else if (ecg.fault == ECG_OK) {
            follow(at, cut_off);
        }
    }
    told = decision(ECG_RHYTHM, counted.intervals > 0 ? 0 : -1);
    ecg.listener(&told);
    told = decision(ECG_TRIAGE, 0);
    told.value = (int8_t)triage_of(&counted, &told.reasons);
    ecg.listener(&told);
}
