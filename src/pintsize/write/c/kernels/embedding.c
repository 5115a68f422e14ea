/* x: ids, int16 where wide, each `first` too large; w (channels, ids) packed; y (rows, channels). An id that the table
 * lacks means its first or last row. */
PINTSIZE_INLINE void embedding(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                               const int32_t *multiplier, const int8_t *shift, int32_t rows, int32_t ids,
                               int32_t channels, int32_t bits, int32_t wide, int32_t first, int32_t zero_point,
                               int32_t low, int32_t high)
{
    const int32_t stride = row_bytes(ids, bits);
    for (int32_t r = 0; r < rows; r++) {
        const int32_t given = (wide ? codes16(x)[r] : x[r]) - first;
        const int32_t id = given < 0 ? 0 : given < ids ? given : ids - 1;
        for (int32_t c = 0; c < channels; c++) {
            *y++ = requantized(bias[c] + weight_at(w + c * stride, id, bits), multiplier[c], shift[c], zero_point, low,
                               high);
        }
    }
}
