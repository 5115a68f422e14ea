#include "listen.h"

#include <string.h>

/* ---- probabilities ---- */

void chances_of(const int8_t *codes, int32_t count, const uint32_t *table, int32_t table_size, int32_t *chances)
{
    int32_t largest = codes[0];
    uint32_t sum = 0;
    for (int32_t i = 1; i < count; i++) {
        largest = codes[i] > largest ? codes[i] : largest;
    }
    for (int32_t i = 0; i < count; i++) {
        const int32_t below = largest - codes[i];
        sum += table[below < table_size ? below : table_size - 1];
    }
    for (int32_t i = 0; i < count; i++) {
        const int32_t below = largest - codes[i];
        chances[i] = (int32_t)((table[below < table_size ? below : table_size - 1] << 15) / sum);
    }
}

/* ---- the wake word ---- */

enum level_state { IDLE, RISING, ACTIVE, SPENT };

static struct {
    int32_t kept[WAKE_MEAN_HOPS][WAKE_LABELS]; /* a ring */
    int32_t first, count;
    enum level_state state[WAKE_LABELS];
    uint64_t since[WAKE_LABELS];
    int told;
    uint64_t told_at;
} detector;

void detector_reset(void)
{
    memset(&detector, 0, sizeof detector);
}

static void keep(const int32_t *chances)
{
    if (detector.count == WAKE_MEAN_HOPS) {
        detector.first = (detector.first + 1) % WAKE_MEAN_HOPS;
        detector.count--;
    }
    memcpy(detector.kept[(detector.first + detector.count) % WAKE_MEAN_HOPS], chances, sizeof detector.kept[0]);
    detector.count++;
}

/* Exact: a sum of integers, divided once. */
static double mean_of(int32_t label)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < detector.count; i++) {
        sum += detector.kept[i][label];
    }
    return (double)sum / (32768.0 * (double)detector.count);
}

/* Whether the label began; *start: when its score first stood above the level. */
static int began(int32_t label, uint64_t now, double score, uint64_t *start)
{
    enum level_state *state = &detector.state[label];
    uint64_t *since = &detector.since[label];
    if (*state == SPENT && (score < WAKE_OFF || now - *since >= WAKE_TIMEOUT_HOPS)) {
        *state = IDLE;
    }
    if (*state == ACTIVE) {
        if (now - *since >= WAKE_TIMEOUT_HOPS) {
            *state = score >= WAKE_OFF ? SPENT : IDLE;
            *since = now;
        } else if (score < WAKE_OFF) {
            *state = IDLE;
        }
        return 0;
    }
    if (*state == SPENT || score < WAKE_ON) {
        *state = *state == SPENT ? SPENT : IDLE;
        return 0;
    }
    if (*state == IDLE) {
        *state = RISING;
        *since = now;
    }
#if WAKE_HOLD_HOPS > 0
    if (now - *since < WAKE_HOLD_HOPS) {
        return 0;
    }
#endif
    *start = *since;
    *state = ACTIVE;
    *since = now;
    return 1;
}

detection detector_update(uint64_t now, const int32_t *chances)
{
    detection best = {-1, 0.0, 0};
    keep(chances);
    for (int32_t label = 0; label < WAKE_LABELS; label++) {
        uint64_t start = 0;
        const double score = mean_of(label);
        if (wake_is_word[label] && began(label, now, score, &start) && (best.word < 0 || score > best.chance)) {
            best.word = label;
            best.chance = score;
            best.start = start;
        }
    }
    if (detector.told && now - detector.told_at >= WAKE_REFRACTORY_HOPS) {
        detector.told = 0;
    }
    if (best.word >= 0 && detector.told) {
        best.word = -1;
    }
    if (best.word >= 0) {
        detector.told = 1;
        detector.told_at = now;
    }
    return best;
}

/* The refractory time goes on, all else begins anew. */
void detector_interrupt(void)
{
    detector.count = 0;
    memset(detector.state, 0, sizeof detector.state);
}

/* ---- the room ---- */

static struct {
    int known;
    int64_t floor; /* in 2^-16 of a unit of level */
    int32_t loudest;
    int32_t recent[LOUDNESS_HOPS]; /* a ring */
    int32_t next, count;
} room;

void loudness_reset(void)
{
    memset(&room, 0, sizeof room);
}

/* log2 of the power of a hop in 1/256, its fraction linear between powers of two. */
static int32_t level_of(const int16_t *hop)
{
    int64_t sum = 0, squares = 0;
    for (int32_t i = 0; i < ASSISTANT_HOP; i++) {
        sum += hop[i];
        squares += (int32_t)hop[i] * hop[i];
    }
    const int64_t n = ASSISTANT_HOP;
    const uint64_t power = (uint64_t)((n * squares - sum * sum) / (n * n)) + 1;
    int32_t whole = 0;
    while ((power >> whole) > 1) {
        whole++;
    }
    const int32_t level = whole * 256 + (int32_t)(((power << 8) >> whole) - 256);
    return level > LOUDNESS_LEAST ? level : LOUDNESS_LEAST;
}

/* Of the last levels, once there are enough of them. */
static int64_t lowest(void)
{
    int32_t least = room.recent[0];
    if (room.count < LOUDNESS_HOPS) {
        return 0;
    }
    for (int32_t i = 1; i < LOUDNESS_HOPS; i++) {
        least = room.recent[i] < least ? room.recent[i] : least;
    }
    return (int64_t)least << 16;
}

static int64_t risen(int64_t fine, int speaking)
{
    const int64_t slowly = room.floor + LOUDNESS_RISE;
    const int64_t floor = speaking ? room.floor : slowly < fine ? slowly : fine;
    return floor > lowest() ? floor : lowest();
}

int32_t loudness_see(const int16_t *hop, int speaking)
{
    const int32_t level = level_of(hop);
    const int64_t fine = (int64_t)level << 16;
    room.recent[room.next] = level;
    room.next = (room.next + 1) % LOUDNESS_HOPS;
    room.count += room.count < LOUDNESS_HOPS;
    room.loudest = speaking && room.loudest > level ? room.loudest : level;
    room.floor = !room.known || fine < room.floor ? fine : risen(fine, speaking);
    room.known = 1;
    return level - (int32_t)(room.floor >> 16);
}

int32_t loudness_loudest(void)
{
    return room.loudest - (int32_t)(room.floor >> 16);
}
