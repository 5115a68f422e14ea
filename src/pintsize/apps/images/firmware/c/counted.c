/* Cells are found and counted; in `picture_look` everything is decided. */
#include "gate.h"
#include "net.h"
#include "picture.h"

static int32_t code_at(const int8_t *heat, int32_t row, int32_t column, int32_t class)
{
    return heat[(row * PICTURE_COLUMNS + column) * PICTURE_CLASSES + class];
}

/* No code within the distance is larger, and none that is read before is equal. */
static int is_peak(const int8_t *heat, int32_t row, int32_t column, int32_t class, int32_t distance)
{
    const int32_t code = code_at(heat, row, column, class);
    for (int32_t down = -distance; down <= distance; down++) {
        for (int32_t right = -distance; right <= distance; right++) {
            const int32_t y = row + down, x = column + right;
            if (y < 0 || x < 0 || y >= PICTURE_ROWS || x >= PICTURE_COLUMNS || (down == 0 && right == 0)) {
                continue;
            }
            const int32_t other = code_at(heat, y, x, class);
            if (other > code || (other == code && (down < 0 || (down == 0 && right < 0)))) {
                return 0;
            }
        }
    }
    return 1;
}

static int32_t peaks_of(const int8_t *heat, int32_t class)
{
    int32_t count = 0;
    for (int32_t row = 0; row < PICTURE_ROWS; row++) {
        for (int32_t column = 0; column < PICTURE_COLUMNS; column++) {
            count += code_at(heat, row, column, class) >= picture_thresholds[class] &&
                     is_peak(heat, row, column, class, picture_distances[class]);
        }
    }
    return count;
}

static int32_t mass_of(const int8_t *heat, int32_t class)
{
    int64_t total = PICTURE_MASS_OFFSET;
    for (int32_t i = 0; i < PICTURE_ROWS * PICTURE_COLUMNS; i++) {
        total += picture_mass[heat[i * PICTURE_CLASSES + class] + 128];
    }
    return total > 0 ? (int32_t)(total >> 16) : 0;
}

picture_decision picture_look(const uint8_t *rgb)
{
    static int8_t codes[NET_INPUT_BYTES], heat[NET_OUTPUT_BYTES];
    picture_decision told = {PICTURE_UNGRADABLE, -1, {0}};
    int32_t found[GATE_NAMES], all = 0;
    gate_statistics(rgb, PICTURE_WIDTH, PICTURE_HEIGHT, found);
    told.reason = (int8_t)gate_refuses(found, picture_ranges);
    if (told.reason >= 0) {
        return told;
    }
    picture_codes(rgb, codes);
    net_init();
    net_run(codes, heat);
    for (int32_t class = 0; class < PICTURE_CLASSES; class++) {
        const int32_t seen = peaks_of(heat, class);
        told.counts[class] = (uint16_t)(class == PICTURE_BY_MASS ? mass_of(heat, class) : seen);
        all += class == PICTURE_BY_MASS && told.counts[class] < seen ? told.counts[class] : seen;
    }
    told.kind = all > 0 ? PICTURE_COUNTED : PICTURE_UNGRADABLE;
    told.reason = all > 0 ? -1 : 2 * GATE_NAMES;
    return told;
}

void picture_run(const int8_t *in, int8_t *out)
{
    const picture_decision told = picture_look((const uint8_t *)in);
    out[0] = told.kind;
    out[1] = told.reason;
    for (int32_t class = 0; class < PICTURE_CLASSES; class++) {
        out[2 + 2 * class] = (int8_t)(told.counts[class] & 0xff);
        out[3 + 2 * class] = (int8_t)(told.counts[class] >> 8);
    }
}
