/* x (rows, inputs) times w → y (rows, outputs): linear layers and 1x1 convolutions. scratch: the codes of 4 rows, and
 * 4 rows of whole quads where `inputs` is no multiple of 4. y may be x where it has as many numbers. */
PINTSIZE_INLINE void wide_matrix(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                 const int32_t *multiplier, const int16_t *factor, int8_t *scratch, int32_t rows,
                                 int32_t inputs, int32_t outputs, int32_t bits, int32_t shift, int32_t factors,
                                 int32_t is_signed, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t quads = (inputs + 3) / 4;
    wide_code *codes = (wide_code *)(void *)scratch;
    int8_t *whole = (int8_t *)(codes + 16 * quads);
    for (int32_t r = 0, count = 4; r < rows; r += count) {
        count = r + 4 <= rows ? 4 : 1;
        const int8_t *from = x + r * inputs;
        if (inputs % 4 != 0) {
            for (int32_t p = 0; p < count; p++) {
                wide_fill(whole + 4 * quads * (p + 1) - 4, 0, 4);
                memcpy(whole + 4 * quads * p, from + p * inputs, (size_t)inputs);
            }
            from = whole;
        }
        if (count == 4) {
            wide_encode(codes, from, 16 * quads);
            wide_pixels(codes, y + r * outputs, w, bias, multiplier, factor, 4, 4 * quads, 0, 1, quads, outputs, bits,
                        shift, factors, is_signed, zero_point, low, high);
        } else {
            wide_encode(codes, from, 4 * quads);
            wide_pixels(codes, y + r * outputs, w, bias, multiplier, factor, 1, 4 * quads, 0, 1, quads, outputs, bits,
                        shift, factors, is_signed, zero_point, low, high);
        }
    }
}
