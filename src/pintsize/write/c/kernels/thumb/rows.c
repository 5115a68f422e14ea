/* Linear layers and pointwise convolutions. shape: rows, inputs, outputs, zero point, low, high, step of the factors.
 * y may begin where x does if it has no more channels: a row is copied before it is used. */
THUMB_SHARED void thumb_rows(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                             const int32_t *multiplier, const int8_t *shift, const int32_t *shape, int8_t *scratch)
{
    for (int32_t row = 0; row < shape[0]; row++, x += shape[1], y += shape[2]) {
        const int32_t sum = thumb_copy(x, (uint8_t *)scratch, shape[1], 1);
        thumb_pixel((const uint8_t *)scratch, sum, y, w, bias, multiplier, shift, shape[1], shape[2], shape + 3);
    }
}
