/* x (n0, n1, n2, n3) with `value` around it: before and after each axis. */
PINTSIZE_INLINE void pad(const int8_t *x, int8_t *y, int32_t n0, int32_t n1, int32_t n2, int32_t n3, int32_t before0,
                         int32_t after0, int32_t before1, int32_t after1, int32_t before2, int32_t after2,
                         int32_t before3, int32_t after3, int32_t value)
{
    for (int32_t a = -before0; a < n0 + after0; a++) {
        for (int32_t b = -before1; b < n1 + after1; b++) {
            for (int32_t c = -before2; c < n2 + after2; c++) {
                const int32_t there = a >= 0 && a < n0 && b >= 0 && b < n1 && c >= 0 && c < n2;
                for (int32_t d = -before3; d < n3 + after3; d++) {
                    *y++ = there && d >= 0 && d < n3 ? *x++ : (int8_t)value;
                }
            }
        }
    }
}

/* The index along an axis of n numbers that stands at i beyond a border: mirrored with `skip` border numbers left out,
 * or the border itself. */
PINTSIZE_INLINE int32_t mirrored(int32_t i, int32_t n, int32_t edge, int32_t skip)
{
    if (i < 0) {
        return edge ? 0 : skip - 1 - i;
    }
    return i < n ? i : edge ? n - 1 : 2 * n - 1 - skip - i;
}

/* x (n0, n1, n2, n3) with its own numbers around it. */
PINTSIZE_INLINE void pad_mirrored(const int8_t *x, int8_t *y, int32_t n0, int32_t n1, int32_t n2, int32_t n3,
                                  int32_t before0, int32_t after0, int32_t before1, int32_t after1, int32_t before2,
                                  int32_t after2, int32_t before3, int32_t after3, int32_t edge, int32_t skip)
{
    for (int32_t a = -before0; a < n0 + after0; a++) {
        for (int32_t b = -before1; b < n1 + after1; b++) {
            for (int32_t c = -before2; c < n2 + after2; c++) {
                const int32_t plane = mirrored(a, n0, edge, skip) * n1 + mirrored(b, n1, edge, skip);
                const int8_t *row = x + (plane * n2 + mirrored(c, n2, edge, skip)) * n3;
                for (int32_t d = -before3; d < n3 + after3; d++) {
                    *y++ = row[mirrored(d, n3, edge, skip)];
                }
            }
        }
    }
}
