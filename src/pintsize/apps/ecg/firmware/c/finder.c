#include "finder.h"

#include <string.h>

#include "parameters.h"

#define KEPT 16 /* maxima that a search back may look at */

typedef struct {
    int32_t at, energy;
} maximum;

static struct {
    int32_t now, inner[FINDER_WIDTH], outer[FINDER_WIDTH], sum, energy;
    int32_t noise, signal, peak, interval, sank;
    int rising, has_last, has_candidate;
    maximum last, candidate, missed[KEPT];
    int32_t missing; /* how many of `missed` there are */
    int32_t *told, count;
} finder;

void finder_reset(void)
{
    memset(&finder, 0, sizeof finder);
    finder.interval = FINDER_RATE;
}

static int32_t threshold(void)
{
    const int32_t level = finder.noise + (((finder.signal - finder.noise) * FINDER_SHARE) >> 4);
    return level > FINDER_FLOOR ? level : FINDER_FLOOR;
}

static int32_t least(int32_t one, int32_t other)
{
    return one < other ? one : other;
}

static void drop_first(void)
{
    memmove(finder.missed, finder.missed + 1, (KEPT - 1) * sizeof finder.missed[0]);
    finder.missing--;
}

static void miss(maximum found)
{
    if (finder.missing == KEPT) {
        drop_first();
    }
    finder.missed[finder.missing++] = found;
}

static void accept(maximum beat)
{
    finder.told[finder.count++] = beat.at - FINDER_DELAY;
    if (finder.has_last) {
        const int32_t interval = beat.at - finder.last.at;
        if (finder.interval < 2 * interval && 2 * interval < 4 * finder.interval) {
            finder.interval += (interval - finder.interval) >> 3;
        }
    }
    finder.signal += (least(beat.energy, 2 * finder.signal) - finder.signal) >> 3;
    finder.last = beat;
    finder.has_last = 1;
    finder.sank = beat.at;
    while (finder.missing > 0 && finder.missed[0].at <= beat.at + FINDER_REFRACTORY) {
        drop_first();
    }
}

/* A candidate that nothing larger followed for long enough is a beat. */
static void settle(int32_t now)
{
    if (finder.has_candidate && now - finder.candidate.at > FINDER_SETTLE) {
        accept(finder.candidate);
        finder.has_candidate = 0;
    }
}

static int32_t since_last(int32_t now)
{
    return finder.has_last ? now - finder.last.at : now + FINDER_RATE;
}

static void search_back(int32_t now)
{
    maximum best = {0, -1};
    if (!finder.has_last || 3 * since_last(now) <= 5 * finder.interval) {
        return;
    }
    for (int32_t i = 0; i < finder.missing; i++) {
        best = finder.missed[i].energy > best.energy ? finder.missed[i] : best;
    }
    if (best.energy >= 0 && 4 * best.energy > 3 * threshold() && best.energy > FINDER_FLOOR) {
        accept(best);
    }
}

static int is_t_wave(maximum found, int32_t since)
{
    return finder.has_last && since <= FINDER_SLOW && 2 * found.energy < finder.last.energy;
}

static void see(maximum found)
{
    if (found.at < 2 * FINDER_DELAY) {
        return; /* the filter's own beginning */
    }
    if (finder.now < FINDER_LEARNING) {
        finder.peak = found.energy > finder.peak ? found.energy : finder.peak;
        if (found.energy > FINDER_FLOOR) {
            miss(found);
        }
        return;
    }
    settle(found.at);
    if (finder.has_candidate) {
        finder.candidate = found.energy > finder.candidate.energy ? found : finder.candidate;
        return;
    }
    search_back(found.at);
    const int32_t since = since_last(found.at);
    if (since <= FINDER_REFRACTORY) {
        return;
    }
    if (found.energy > threshold() && !is_t_wave(found, since)) {
        finder.candidate = found;
        finder.has_candidate = 1;
        return;
    }
    finder.noise += (least(found.energy, finder.signal) - finder.noise) >> 4;
    miss(found);
}

/* The levels are known: what was seen before is looked at again. */
static void learnt(void)
{
    maximum seen[KEPT];
    const int32_t count = finder.missing;
    memcpy(seen, finder.missed, sizeof seen);
    finder.missing = 0;
    finder.signal = finder.peak >> 1;
    finder.noise = finder.peak >> 4;
    for (int32_t i = 0; i < count; i++) {
        see(seen[i]);
    }
}

int32_t finder_take(int16_t code, int32_t *beats)
{
    const int32_t magnitude = code < 0 ? -(int32_t)code : code, before = finder.energy;
    const int32_t place = finder.now % FINDER_WIDTH;
    finder.told = beats;
    finder.count = 0;
    finder.sum += magnitude - finder.inner[place];
    finder.inner[place] = magnitude;
    finder.energy += finder.sum - finder.outer[place];
    finder.outer[place] = finder.sum;
    if (finder.energy > before) {
        finder.rising = 1;
    } else if (finder.rising && finder.energy < before) {
        const maximum found = {finder.now - 1, before};
        finder.rising = 0;
        see(found);
    }
    finder.now++;
    if (finder.now == FINDER_LEARNING) {
        learnt();
    }
    settle(finder.now);
    if (finder.now - finder.sank > FINDER_PATIENCE) {
        finder.sank = finder.now;
        finder.signal -= finder.signal >> 3;
        finder.noise -= finder.noise >> 3;
    }
    return finder.count;
}

int32_t finder_finish(int32_t *beats)
{
    int32_t count = 0;
    if (finder.has_candidate) {
        beats[count++] = finder.candidate.at - FINDER_DELAY;
    }
    return count;
}
