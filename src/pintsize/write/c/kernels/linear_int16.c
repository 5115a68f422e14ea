/* x (rows, inputs), w (outputs, inputs) packed, y (rows, outputs). */
PINTSIZE_INLINE void linear_int16(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                  const int16_t *multiplier, const int8_t *shift, int32_t rows, int32_t inputs,
                                  int32_t outputs, int32_t bits, int32_t wide, int32_t low, int32_t high)
{
    const int32_t stride = row_bytes(inputs, bits);
    const code16_t *row = codes16(x);
    code16_t *out = codes16_out(y);
    for (int32_t r = 0; r < rows; r++, row += inputs) {
        for (int32_t o = 0; o < outputs; o++) {
            const int64_t sum = dot16(row, w + o * stride, 0, inputs, bits, wide);
            *out++ = requantized16(bias[o] + sum, multiplier[o], shift[o], low, high);
        }
    }
}
