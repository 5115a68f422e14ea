/* y (n0, n1, n2, run) from x: runs of neighbours, by the strides of the outer axes. */
PINTSIZE_INLINE void slice_runs(const int8_t *x, int8_t *y, int32_t n0, int32_t n1, int32_t n2, int32_t run, int32_t s0,
                                int32_t s1, int32_t s2)
{
    for (int32_t a = 0; a < n0; a++) {
        for (int32_t b = 0; b < n1; b++) {
            for (int32_t c = 0; c < n2; c++) {
                memcpy(y, x + (a * s0 + b * s1 + c * s2), (size_t)run);
                y += run;
            }
        }
    }
}
