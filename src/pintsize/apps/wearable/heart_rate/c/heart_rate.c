/* Beats of $title and their rate; the same as pintsize's Python, sample for sample. */
#include "${name}.h"

#include "${name}_band.h"

#define RATE_HZ $RATE_HZ
#define LAG $LAG
#define FLANK $FLANK
#define SQUARED $SQUARED
#define WIDTH $WIDTH
#define HOLD $HOLD
#define PART $PART
#define LEAST $LEAST
#define NEAR $NEAR
#define FAR $FAR
#define AGREEING $AGREEING
#define HEIGHTS $HEIGHTS
#define DISTINCT $DISTINCT
#define SETTLE $SETTLE
#define LEARN $LEARN
#define FINE $FINE
#define WINDOW_S $WINDOW_S
#define LEAST_SPAN_S $LEAST_SPAN_S
#define LOWEST $LOWEST_BPM
#define HIGHEST $HIGHEST_BPM
#define RAIL $RAIL
#define LONGEST $LONGEST
#define BEATS 44 /* more than 9 s can hold: one in HOLD samples */

static int32_t now, since, level, last, interval, top, top_at, before_top, after_top, previous, clipped_until;
static int32_t first, started, upright;
static int32_t times[BEATS], heights[BEATS], count;
#if LAG
static int32_t earlier[LAG], earlier_at;
static uint64_t rising, falling;
#endif
#if DISTINCT
static uint64_t totals[WINDOW_S];
#endif
#if WIDTH > 1
static int32_t strengths[WIDTH], strengths_at, strengths_sum;
#endif

static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

static void begin(int32_t at)
{
    since = at;
    level = 0;
    last = at + LEARN;
    interval = 0;
    top = -1;
    previous = 0;
    count = 0;
}

void ${name}_init(void)
{
    ${name}_band_init();
    now = 0;
    started = 0;
    clipped_until = 0;
    upright = 1;
#if LAG
    rising = 0;
    falling = 0;
    earlier_at = 0;
    for (int32_t i = 0; i < LAG; i++) {
        earlier[i] = 0;
    }
#endif
#if WIDTH > 1
    strengths_at = 0;
    strengths_sum = 0;
    for (int32_t i = 0; i < WIDTH; i++) {
        strengths[i] = 0;
    }
#endif
#if DISTINCT
    for (int32_t i = 0; i < WINDOW_S; i++) {
        totals[i] = 0;
    }
#endif
    begin(0);
}

static void drop(int32_t number)
{
    count -= number;
    for (int32_t i = 0; i < count; i++) {
        times[i] = times[i + number];
        heights[i] = heights[i + number];
    }
}

/* Where a parabola through the top and its neighbours is highest, in 1/16 of a sample from it. */
static int32_t shift(void)
{
    int32_t rise = top - before_top, bend = rise + top - after_top;
    if (bend <= 0) {
        return 0;
    }
    return rise <= 0 ? -FINE / 2 : (int32_t)(FINE * (uint32_t)rise / (uint32_t)bend) - FINE / 2;
}

static void found(void)
{
    int32_t threshold = larger(level, LEAST);
    if (count == BEATS) {
        drop(1);
    }
    times[count] = top_at * FINE + shift();
    heights[count] = top;
    count++;
    level = (int32_t)(((int64_t)3 * threshold + smaller(top, 2 * threshold)) >> 2);
    interval = top_at - last;
    last = top_at;
    top = -1;
}

static void step(int32_t value)
{
    int32_t at = now++, before = previous, least;
    previous = value;
    if (at < since + LEARN) {
        if (at >= since + SETTLE && value > level) {
            level = value - (value >> 2);
        }
        return;
    }
    if (top >= 0 && at == top_at + 1) {
        after_top = value;
    }
    if (top < 0 && at - last > 3 * RATE_HZ / 2 && (at - last) % (RATE_HZ / 4) == 0) {
        level -= level >> 3;
    }
    least = larger(HOLD, smaller(interval * 3 >> 3, RATE_HZ));
    if (value > top && (int64_t)value * 16 >= (int64_t)larger(level, LEAST) * PART && at - last >= least) {
        top = value;
        top_at = at;
        before_top = before;
        after_top = 0;
    }
    if (top >= 0 && at - top_at >= HOLD) {
        found();
    }
}

/* What a beat shows in. */
static int32_t strength(int32_t band, uint64_t *rises, uint64_t *falls)
{
    int32_t each = band;
#if LAG
    int32_t flank = band - earlier[(earlier_at + LAG - FLANK) % LAG];
    each = band - earlier[earlier_at];
    earlier[earlier_at] = band;
    earlier_at = (earlier_at + 1) % LAG;
#endif
#if SQUARED
    (void)rises;
    (void)falls;
    each = (int32_t)(((int64_t)each * each) >> 6);
#else
    *(flank > 0 ? rises : falls) += (uint64_t)((int64_t)flank * flank);
    each = larger(upright ? each : -each, 0);
#endif
#if WIDTH > 1
    strengths_sum += each - strengths[strengths_at];
    strengths[strengths_at] = each;
    strengths_at = (strengths_at + 1) % WIDTH;
    each = strengths_sum;
#endif
    return each;
}

#if !SQUARED
/* An inverted pulse falls more steeply than it rises: then the falling flank is looked at. */
static void turn(uint64_t rises, uint64_t falls)
{
    int64_t steeper;
    if (now <= SETTLE) {
        return;
    }
    rising += rises - (rising >> 3);
    falling += falls - (falling >> 3);
    steeper = (int64_t)(upright ? rising - falling : falling - rising);
    if (now >= since + LEARN && steeper < -(int64_t)((rising + falling) >> 4)) {
        upright = !upright;
        begin(now);
    }
}
#endif

static void sort(int32_t *numbers, int32_t many)
{
    for (int32_t i = 1; i < many; i++) {
        int32_t number = numbers[i], at = i;
        for (; at > 0 && numbers[at - 1] > number; at--) {
            numbers[at] = numbers[at - 1];
        }
        numbers[at] = number;
    }
}

static int32_t middle_height(void)
{
    int32_t sorted[BEATS];
    for (int32_t i = 0; i < count; i++) {
        sorted[i] = heights[i];
    }
    sort(sorted, count);
    return sorted[count / 2];
}

static int32_t is_even(int32_t middle)
{
    int32_t near = 0;
    for (int32_t i = 0; i < count; i++) {
        near += middle <= (int64_t)2 * heights[i] && heights[i] <= (int64_t)2 * middle;
    }
    return 10 * near >= HEIGHTS * count;
}

#if DISTINCT
/* Is a beat of this height well above the mean strength? */
static int32_t stands_out(int32_t height)
{
    uint64_t total = 0;
    for (int32_t i = 0; i < WINDOW_S; i++) {
        total += totals[i];
    }
    return 10 * WINDOW_S * RATE_HZ * (uint64_t)height >= DISTINCT * total;
}
#endif

/* The code of the reason, or 0 and the rate. */
static int32_t rate(int32_t *bpm)
{
    int32_t sorted[BEATS], agree = 0, total = 0, middle, height, many = count - 1;
    if (now < clipped_until) {
        return 2;
    }
    if (now < since + LEARN + 4 * RATE_HZ) {
        return 1;
    }
    if (count < 4) {
        return count ? 4 : 3;
    }
    height = middle_height();
#if DISTINCT
    if (!stands_out(height)) {
        return 9;
    }
#endif
    for (int32_t i = 0; i < many; i++) {
        sorted[i] = times[i + 1] - times[i];
    }
    sort(sorted, many);
    middle = sorted[many / 2];
    for (int32_t i = 0; i < many; i++) {
        if (NEAR * middle < 10 * sorted[i] && 10 * sorted[i] < FAR * middle) {
            agree++;
            total += sorted[i];
        }
    }
    if (10 * agree < AGREEING * many) {
        return 5;
    }
    if (!is_even(height)) {
        return 6;
    }
    if (now * FINE - times[count - 1] > 2 * middle + HOLD * FINE) {
        return 7;
    }
    if (times[count - 1] - times[0] < LEAST_SPAN_S * RATE_HZ * FINE) {
        return 1;
    }
    *bpm = (60 * FINE * FINE * RATE_HZ * agree + total / 2) / total;
    return *bpm < LOWEST * FINE || *bpm > HIGHEST * FINE ? 8 : 0;
}

void ${name}_run(const int16_t *samples, int32_t *answer)
{
    int16_t moved[RATE_HZ], band[RATE_HZ];
    int32_t rails = 0, old = 0, bpm = 0;
    uint64_t rises = 0, falls = 0, total = 0;
    if (now >= LONGEST) {
        ${name}_init(); /* before times leave their 32 bits */
    }
    if (!started) {
        started = 1;
        first = samples[0];
    }
    for (int32_t i = 0; i < RATE_HZ; i++) {
        rails += samples[i] >= RAIL || samples[i] <= -RAIL;
        moved[i] = (int16_t)larger(smaller(samples[i] - first, 32767), -32768);
    }
    ${name}_band_run(moved, band);
    for (int32_t i = 0; i < RATE_HZ; i++) {
        int32_t value = strength(band[i], &rises, &falls);
        total += (uint64_t)value;
        step(value);
    }
#if DISTINCT
    totals[now / RATE_HZ % WINDOW_S] = total;
#else
    (void)total;
#endif
#if !SQUARED
    turn(rises, falls);
#endif
    while (old < count && times[old] < (now - WINDOW_S * RATE_HZ) * FINE) {
        old++;
    }
    drop(old);
    if (rails * 20 > RATE_HZ) {
        clipped_until = now + WINDOW_S * RATE_HZ;
    }
    answer[1] = rate(&bpm);
    answer[0] = answer[1] ? 0 : bpm;
    answer[2] = !upright;
    answer[3] = count;
}
