/* Copies rows of `channels` numbers to every `out_channels`-th place of y, on the same grid. */
PINTSIZE_INLINE void concat_copy(const int8_t *x, int8_t *y, int32_t rows, int32_t channels, int32_t out_channels)
{
    for (int32_t r = 0; r < rows; r++) {
        memcpy(y + r * out_channels, x + r * channels, (size_t)channels);
    }
}

/* The same from another grid. */
PINTSIZE_INLINE void concat_rescale(const int8_t *x, int8_t *y, int32_t rows, int32_t channels, int32_t out_channels,
                                    int32_t x_zero, int32_t multiplier, int32_t shift, int32_t zero_point)
{
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t c = 0; c < channels; c++) {
            y[r * out_channels + c] =
                requantized(x[r * channels + c] - x_zero, multiplier, shift, zero_point, -128, 127);
        }
    }
}
