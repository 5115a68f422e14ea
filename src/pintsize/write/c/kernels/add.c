/* y (n0, n1, n2, n3) = a + b, or a - b (sign -1), by the strides of both; a stride of 0 repeats. y may be a or b (if it
 * does not repeat). */
PINTSIZE_INLINE void add(const int8_t *a, const int8_t *b, int8_t *y, int32_t n0, int32_t n1, int32_t n2, int32_t n3,
                         int32_t a0, int32_t a1, int32_t a2, int32_t a3, int32_t b0, int32_t b1, int32_t b2, int32_t b3,
                         int32_t a_zero, int32_t a_multiplier, int32_t a_shift, int32_t b_zero, int32_t b_multiplier,
                         int32_t b_shift, int32_t multiplier, int32_t shift, int32_t sign, int32_t zero_point,
                         int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n0; i++) {
        for (int32_t j = 0; j < n1; j++) {
            for (int32_t k = 0; k < n2; k++) {
                const int8_t *p = a + (i * a0 + j * a1 + k * a2);
                const int8_t *q = b + (i * b0 + j * b1 + k * b2);
                for (int32_t l = 0; l < n3; l++) {
                    const int32_t left = scaled((p[l * a3] - a_zero) * (1 << 20), a_multiplier, a_shift);
                    const int32_t right = scaled((q[l * b3] - b_zero) * (1 << 20), b_multiplier, b_shift);
                    *y++ = requantized(left + sign * right, multiplier, shift, zero_point, low, high);
                }
            }
        }
    }
}
