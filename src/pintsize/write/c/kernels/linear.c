/* x (rows, inputs), w (outputs, inputs) packed, y (rows, outputs). bias has -zero_point * sum(weights) in it. */
PINTSIZE_INLINE void linear(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                            const int32_t *multiplier, const int8_t *shift, int32_t rows, int32_t inputs,
                            int32_t outputs, int32_t bits, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t stride = row_bytes(inputs, bits);
    for (int32_t r = 0; r < rows; r++, x += inputs) {
        int32_t o = 0;
        for (; o + 4 <= outputs; o += 4) {
            int32_t acc[4] = {bias[o], bias[o + 1], bias[o + 2], bias[o + 3]};
            dot4(acc, x, w + o * stride, stride, inputs, bits);
            for (int32_t j = 0; j < 4; j++) {
                *y++ = requantized(acc[j], multiplier[o + j], shift[o + j], zero_point, low, high);
            }
        }
        for (; o < outputs; o++) {
            const int32_t acc = dot(bias[o], x, w + o * stride, inputs, bits);
            *y++ = requantized(acc, multiplier[o], shift[o], zero_point, low, high);
        }
    }
}
