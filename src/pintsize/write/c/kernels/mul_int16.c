/* y (n0, n1, n2, n3) = a * b by the strides of both; a stride of 0 repeats. y may be a or b (if it does not repeat). */
PINTSIZE_INLINE void mul_int16(const void *a, const void *b, int8_t *y, int32_t n0, int32_t n1, int32_t n2,
                               int32_t n3, int32_t a0, int32_t a1, int32_t a2, int32_t a3, int32_t b0, int32_t b1,
                               int32_t b2, int32_t b3, int32_t multiplier, int32_t shift, int32_t low, int32_t high)
{
    code16_t *out = codes16_out(y);
    for (int32_t i = 0; i < n0; i++) {
        for (int32_t j = 0; j < n1; j++) {
            for (int32_t k = 0; k < n2; k++) {
                const code16_t *p = codes16(a) + (i * a0 + j * a1 + k * a2);
                const code16_t *q = codes16(b) + (i * b0 + j * b1 + k * b2);
                for (int32_t l = 0; l < n3; l++) {
                    *out++ = clamped16(scaled(p[l * a3] * q[l * b3], multiplier, shift), low, high);
                }
            }
        }
    }
}
