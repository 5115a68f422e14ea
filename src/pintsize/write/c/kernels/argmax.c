/* y (outer, inner): where along the middle axis of x (outer, n, inner) the largest number is, less 128; the first of
 * equals. */
PINTSIZE_INLINE void argmax(const int8_t *x, int8_t *y, int32_t outer, int32_t n, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner) {
        for (int32_t i = 0; i < inner; i++) {
            int32_t best = 0;
            for (int32_t k = 1; k < n; k++) {
                best = x[k * inner + i] > x[best * inner + i] ? k : best;
            }
            *y++ = (int8_t)(best - 128);
        }
    }
}
