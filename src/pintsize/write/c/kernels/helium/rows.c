/* Linear layers and pointwise convolutions. shape: rows, inputs, outputs, zero point, low, high: constants, so that
 * layers share this code. */
PINTSIZE_INLINE void helium_rows(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *factors,
                                 const int32_t *shape, int32_t bits, int32_t is_signed)
{
    helium_multiply_rows(x, y, w, factors, shape[0], shape[1], shape[1], shape[2], shape + 3, bits, is_signed);
}

/* One row. shape: inputs, outputs, zero point, low, high, and the multiplier and shift where one serves all outputs. */
PINTSIZE_INLINE void helium_row(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *factors,
                                const int32_t *shape, int32_t bits, int32_t uniform, int32_t is_signed)
{
    helium_multiply_row(x, y, w, factors, shape[0], shape[1], shape + 2, bits, uniform, is_signed);
}
