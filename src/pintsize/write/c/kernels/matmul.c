/* a (matrices, rows, inner) · b (matrices, inner, columns) → y (matrices, rows, columns), each matrix at its step.
 * a_row, a_inner, b_inner, b_column: steps along these axes, so that a transposed operand lies as it is. */
PINTSIZE_INLINE void matmul(const int8_t *a, const int8_t *b, int8_t *y, int32_t matrices, int32_t rows,
                            int32_t inner, int32_t columns, int32_t b_step, int32_t a_row, int32_t a_inner,
                            int32_t b_inner, int32_t b_column, int32_t a_zero, int32_t b_zero, int32_t multiplier,
                            int32_t shift, int32_t zero_point, int32_t low, int32_t high)
{
    for (int32_t m = 0; m < matrices; m++, a += rows * inner, b += b_step) {
        for (int32_t r = 0; r < rows; r++) {
            for (int32_t c = 0; c < columns; c++) {
                const int8_t *left = a + r * a_row;
                const int8_t *right = b + c * b_column;
                int32_t acc = 0;
                for (int32_t i = 0; i < inner; i++, left += a_inner, right += b_inner) {
                    acc += (*left - a_zero) * (*right - b_zero);
                }
                *y++ = requantized(acc, multiplier, shift, zero_point, low, high);
            }
        }
    }
}
