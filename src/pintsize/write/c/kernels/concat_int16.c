/* Rows of `channels` int16 codes to every `out_channels`-th place of y: as they are, or from another grid. */
PINTSIZE_INLINE void concat_int16(const void *x, int8_t *y, int32_t rows, int32_t channels, int32_t out_channels,
                                  int32_t same, int32_t multiplier, int32_t shift)
{
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t c = 0; c < channels; c++) {
            const int32_t code = codes16(x)[r * channels + c];
            codes16_out(y)[r * out_channels + c] =
                clamped16(same ? code : scaled(code, multiplier, shift), -32768, 32767);
        }
    }
}
