/* y (height, width, channels) from x (any, in_width, channels). Per row and per column: the first of two neighbours, the
 * second, and the weight of the second in 1024ths. Halves away from zero. */
PINTSIZE_INLINE void resize_bilinear(const int8_t *x, int8_t *y, const int16_t *rows, const int16_t *columns,
                                     int32_t in_width, int32_t height, int32_t width, int32_t channels)
{
    for (int32_t i = 0; i < height; i++) {
        const int8_t *upper = x + rows[3 * i] * in_width * channels;
        const int8_t *lower = x + rows[3 * i + 1] * in_width * channels;
        const int32_t down = rows[3 * i + 2];
        for (int32_t j = 0; j < width; j++) {
            const int32_t left = columns[3 * j] * channels;
            const int32_t right = columns[3 * j + 1] * channels;
            const int32_t across = columns[3 * j + 2];
            for (int32_t c = 0; c < channels; c++) {
                const int32_t above = upper[left + c] * (1024 - across) + upper[right + c] * across;
                const int32_t below = lower[left + c] * (1024 - across) + lower[right + c] * across;
                const int32_t sum = above * (1024 - down) + below * down;
                *y++ = (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
            }
        }
    }
}
