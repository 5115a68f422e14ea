/* Linear layers and pointwise convolutions. shape: rows, inputs, outputs, zero point, low, high, step of the factors.
 * y may begin where x does if it has no more channels: a row is copied before it is used. */
PINTSIZE_INLINE void thumb_rows(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                const int32_t *multiplier, const int8_t *shift, const int32_t *shape, int8_t *scratch,
                                int32_t bits)
{
    uint8_t *copy = (uint8_t *)scratch;
    const int32_t inputs = thumb_padded(copy, shape[1], bits);
    for (int32_t row = 0; row < shape[0]; row++, x += shape[1], y += shape[2]) {
        const int32_t sum = thumb_copy(x, copy, shape[1], 1);
        thumb_pixel(copy, sum, y, w, bias, multiplier, shift, inputs, shape[2], shape + 3, bits);
    }
}
