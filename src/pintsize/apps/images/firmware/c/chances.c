#include "chances.h"

void chances_of(const int8_t *codes, int32_t labels, const uint32_t *powers, int32_t entries, int32_t *chances)
{
    int32_t largest = codes[0];
    uint32_t sum = 0; /* of at most 2^16 each */
    for (int32_t i = 1; i < labels; i++) {
        largest = codes[i] > largest ? codes[i] : largest;
    }
    for (int32_t pass = 0; pass < 2; pass++) {
        for (int32_t i = 0; i < labels; i++) {
            const int32_t below = largest - codes[i];
            const uint32_t power = powers[below < entries ? below : entries - 1];
            if (pass == 0) {
                sum += power;
            } else {
                chances[i] = (int32_t)((power << 15) / sum);
            }
        }
    }
}
