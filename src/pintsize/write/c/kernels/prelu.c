/* y (n0, n1, n2, n3) = x where positive, x * slope where negative, by the strides of both; 0 repeats. y may be x. */
PINTSIZE_INLINE void prelu(const int8_t *x, const int8_t *slope, int8_t *y, int32_t n0, int32_t n1, int32_t n2,
                           int32_t n3, int32_t x0, int32_t x1, int32_t x2, int32_t x3, int32_t s0, int32_t s1,
                           int32_t s2, int32_t s3, int32_t x_zero, int32_t s_zero, int32_t x_multiplier,
                           int32_t x_shift, int32_t multiplier, int32_t shift, int32_t zero_point)
{
    for (int32_t i = 0; i < n0; i++) {
        for (int32_t j = 0; j < n1; j++) {
            for (int32_t k = 0; k < n2; k++) {
                const int8_t *p = x + (i * x0 + j * x1 + k * x2);
                const int8_t *q = slope + (i * s0 + j * s1 + k * s2);
                for (int32_t l = 0; l < n3; l++) {
                    const int32_t steps = p[l * x3] - x_zero;
                    const int32_t up = scaled(steps, x_multiplier, x_shift);
                    const int32_t down = scaled(steps * (q[l * s3] - s_zero), multiplier, shift);
                    *y++ = clamped((steps >= 0 ? up : down) + zero_point, -128, 127);
                }
            }
        }
    }
}
