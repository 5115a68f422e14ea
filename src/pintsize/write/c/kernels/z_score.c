/* x and y (n, channels), may be the same: each number's distance from its channel's mean in standard deviations. */
PINTSIZE_INLINE void z_score(const int8_t *x, int8_t *y, int32_t n, int32_t channels, int32_t epsilon_high,
                             int32_t epsilon_low, int32_t wide, int32_t y_wide, int32_t multiplier,
                             int32_t shift, int32_t y_zero_point)
{
    for (int32_t k = 0; k < channels; k++) {
        int32_t sum = 0;
        int64_t squares = 0;
        int32_t pairs = 0;
        for (int32_t i = k; i < n * channels; i += channels) {
            const int32_t code = sample_at(x, i, wide, 0);
            sum += code;
            squares += code * code;
            SIGNAL_PLAIN_LOOP;
        }
        const int64_t spread = n * squares - (int64_t)sum * sum
                               + ((int64_t)epsilon_high * ((int64_t)1 << 31) + epsilon_low);
        while (spread >> (2 * pairs + 2)) {
            pairs++;
        }
        const int64_t a = pairs > 14 ? spread >> (2 * (pairs - 14)) : spread * ((int64_t)1 << (2 * (14 - pairs)));
        const int32_t root = reciprocal_root((int32_t)(a * 2));
        const int32_t places = 19 + pairs;
        for (int32_t i = k; i < n * channels; i += channels) {
            const int64_t deviation = (int64_t)n * sample_at(x, i, wide, 0) - sum;
            const int64_t unit = (deviation * root + ((int64_t)1 << (places - 1))) >> places;
            store_code(y, i, y_wide, (int32_t)unit, multiplier, shift, y_zero_point);
            SIGNAL_PLAIN_LOOP;
        }
    }
}
