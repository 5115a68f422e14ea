/* y (outer, count, inner) from x (outer, n, inner) by indices along the middle axis. */
PINTSIZE_INLINE void gather(const int8_t *x, int8_t *y, const int16_t *indices, int32_t outer, int32_t n, int32_t count,
                            int32_t inner)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t i = 0; i < count; i++) {
            memcpy(y, x + (o * n + indices[i]) * inner, (size_t)inner);
            y += inner;
        }
    }
}
