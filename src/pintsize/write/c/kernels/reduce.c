/* Sums of x over axes (r0, r1, r2, r3) for every place of the others (n0, n1, n2, n3), by the strides of all; an axis is
 * 1 long in one of the two. `least` is the zero point as often as it is summed. */
PINTSIZE_INLINE void reduce(const int8_t *x, int8_t *y, int32_t n0, int32_t n1, int32_t n2, int32_t n3, int32_t r0,
                            int32_t r1, int32_t r2, int32_t r3, int32_t s0, int32_t s1, int32_t s2, int32_t s3,
                            int32_t least, int32_t multiplier, int32_t shift, int32_t zero_point)
{
    for (int32_t n = 0; n < n0 * n1 * n2 * n3; n++) {
        const int8_t *from = x + (n / (n1 * n2 * n3) * s0 + n / (n2 * n3) % n1 * s1 + n / n3 % n2 * s2 + n % n3 * s3);
        int32_t sum = 0;
        for (int32_t a = 0; a < r0; a++) {
            for (int32_t b = 0; b < r1; b++) {
                for (int32_t c = 0; c < r2; c++) {
                    for (int32_t d = 0; d < r3; d++) {
                        sum += from[a * s0 + b * s1 + c * s2 + d * s3];
                    }
                }
            }
        }
        y[n] = requantized(sum - least, multiplier, shift, zero_point, -128, 127);
    }
}
