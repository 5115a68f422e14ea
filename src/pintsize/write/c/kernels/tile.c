/* y (r0 n0, r1 n1, r2 n2, r3 n3): x (n0, n1, n2, n3) repeated along each axis. */
PINTSIZE_INLINE void tile(const int8_t *x, int8_t *y, int32_t n0, int32_t n1, int32_t n2, int32_t n3, int32_t r0,
                          int32_t r1, int32_t r2, int32_t r3)
{
    for (int32_t a = 0; a < r0 * n0; a++) {
        for (int32_t b = 0; b < r1 * n1; b++) {
            for (int32_t c = 0; c < r2 * n2; c++) {
                const int8_t *row = x + ((a % n0 * n1 + b % n1) * n2 + c % n2) * n3;
                for (int32_t d = 0; d < r3; d++) {
                    memcpy(y, row, (size_t)n3);
                    y += n3;
                }
            }
        }
    }
}
