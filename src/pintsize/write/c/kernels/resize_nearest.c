/* y (height, width, channels) from x (any, in_width, channels): the row and the column that each pixel is taken from. */
PINTSIZE_INLINE void resize_nearest(const int8_t *x, int8_t *y, const int16_t *rows, const int16_t *columns,
                                    int32_t in_width, int32_t height, int32_t width, int32_t channels)
{
    for (int32_t i = 0; i < height; i++) {
        for (int32_t j = 0; j < width; j++) {
            memcpy(y, x + (rows[i] * in_width + columns[j]) * channels, (size_t)channels);
            y += channels;
        }
    }
}
