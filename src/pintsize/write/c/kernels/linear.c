/* x (rows, inputs), w (outputs, inputs) packed, y (rows, outputs), two rows at a time. bias has
 * -zero_point * sum(weights) in it. */
PINTSIZE_INLINE void linear(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                            const int32_t *multiplier, const int8_t *shift, int32_t rows, int32_t inputs,
                            int32_t outputs, int32_t bits, int32_t most, int32_t zero_point, int32_t low, int32_t high)
{
    int32_t r = 0;
    for (; r + 2 <= rows; r += 2, x += 2 * inputs, y += 2 * outputs) {
        two_rows(x, y, w, bias, multiplier, shift, inputs, outputs, bits, most, zero_point, low, high);
    }
    if (r < rows) {
        one_row(x, y, w, bias, multiplier, shift, inputs, outputs, bits, most, zero_point, low, high);
    }
}
