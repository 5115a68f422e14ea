/* y (n0, n1, n2, n3) from x by the strides of its axes in their new order. */
PINTSIZE_INLINE void transpose(const int8_t *x, int8_t *y, int32_t n0, int32_t n1, int32_t n2, int32_t n3, int32_t s0,
                               int32_t s1, int32_t s2, int32_t s3)
{
    for (int32_t a = 0; a < n0; a++) {
        for (int32_t b = 0; b < n1; b++) {
            for (int32_t c = 0; c < n2; c++) {
                for (int32_t d = 0; d < n3; d++) {
                    *y++ = x[a * s0 + b * s1 + c * s2 + d * s3];
                }
            }
        }
    }
}
