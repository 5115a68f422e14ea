/* int16 codes in memory that is handed over as bytes: 2-byte aligned, and no other type's accesses are assumed away. */
#if defined(__GNUC__)
typedef int16_t __attribute__((may_alias)) code16_t;
#else
typedef int16_t code16_t;
#endif

PINTSIZE_INLINE const code16_t *codes16(const void *x)
{
    return (const code16_t *)x;
}

PINTSIZE_INLINE code16_t *codes16_out(int8_t *y)
{
    return (code16_t *)(void *)y;
}

PINTSIZE_INLINE int16_t clamped16(int32_t x, int32_t low, int32_t high)
{
    return (int16_t)(x < low ? low : x > high ? high : x);
}

/* acc * multiplier / 2^shift, halves up, once: |acc| < 2^47, a multiplier of 15 bits, a shift of 8..46. */
PINTSIZE_INLINE int16_t requantized16(int64_t acc, int32_t multiplier, int32_t shift, int32_t low, int32_t high)
{
    const int64_t result = (acc * multiplier + ((int64_t)1 << (shift - 1))) >> shift;
    return (int16_t)(result < low ? low : result > high ? high : result);
}

/* wide: a sum of these products can leave 32 bits. */
PINTSIZE_INLINE int64_t dot16(const code16_t *x, const int8_t *w, int32_t first, int32_t n, int32_t bits, int32_t wide)
{
    if (wide) {
        int64_t sum = 0;
        for (int32_t i = 0; i < n; i++) {
            sum += x[i] * weight_at(w, first + i, bits);
        }
        return sum;
    }
    int32_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += x[i] * weight_at(w, first + i, bits);
    }
    return sum;
}
