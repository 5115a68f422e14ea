/* A code on the output's grid; `rescales` is 0 where it is there already. */
PINTSIZE_INLINE int32_t on_grid(int32_t code, int32_t rescales, int32_t from, int32_t multiplier, int32_t shift,
                                int32_t zero_point)
{
    return rescales ? requantized(code - from, multiplier, shift, zero_point, -128, 127) : code;
}

/* y (n0, n1, n2, n3): the larger (or the smaller) of a and b by the strides of both; a stride of 0 repeats. y may be a or
 * b (if it does not repeat). */
PINTSIZE_INLINE void extremum(const int8_t *a, const int8_t *b, int8_t *y, int32_t n0, int32_t n1, int32_t n2,
                              int32_t n3, int32_t a0, int32_t a1, int32_t a2, int32_t a3, int32_t b0, int32_t b1,
                              int32_t b2, int32_t b3, int32_t larger, int32_t a_rescales, int32_t a_zero,
                              int32_t a_multiplier, int32_t a_shift, int32_t b_rescales, int32_t b_zero,
                              int32_t b_multiplier, int32_t b_shift, int32_t zero_point)
{
    for (int32_t i = 0; i < n0; i++) {
        for (int32_t j = 0; j < n1; j++) {
            for (int32_t k = 0; k < n2; k++) {
                const int8_t *p = a + (i * a0 + j * a1 + k * a2);
                const int8_t *q = b + (i * b0 + j * b1 + k * b2);
                for (int32_t l = 0; l < n3; l++) {
                    const int32_t left = on_grid(p[l * a3], a_rescales, a_zero, a_multiplier, a_shift, zero_point);
                    const int32_t right = on_grid(q[l * b3], b_rescales, b_zero, b_multiplier, b_shift, zero_point);
                    *y++ = (int8_t)((left > right) == larger ? left : right);
                }
            }
        }
    }
}
