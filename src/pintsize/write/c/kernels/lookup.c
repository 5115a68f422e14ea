/* y = table[x + 128]; y may be x. */
PINTSIZE_INLINE void lookup(const int8_t *x, int8_t *y, const int8_t *table, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = table[x[i] + 128];
    }
}
