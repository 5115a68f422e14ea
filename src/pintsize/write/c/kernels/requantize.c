/* x * multiplier * 2^(shift - 31), rounded twice: the product to 32 bits with halves up, then the right shift with
 * halves away from zero. multiplier is in [2^30, 2^31) or 0; |x| < 2^30; shift is in -31..30, and a positive one
 * saturates x at 2^(30 - shift), which ends far outside int8 all the same. */
PINTSIZE_INLINE int32_t scaled(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        const int32_t most = ((int32_t)1 << 30) >> shift;
        x = x > most ? most : x < -most ? -most : x;
    }
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int64_t product = (int64_t)(x * ((int32_t)1 << left)) * multiplier;
    const int32_t high = (int32_t)((product + ((int64_t)1 << 30)) >> 31);
    const int32_t half = (int32_t)((1u << right) >> 1);
    return (high + half + (right > 0 ? high >> 31 : 0)) >> right;
}

PINTSIZE_INLINE int8_t clamped(int32_t x, int32_t low, int32_t high)
{
    return (int8_t)(x < low ? low : x > high ? high : x);
}

PINTSIZE_INLINE int8_t requantized(int32_t acc, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t low,
                                   int32_t high)
{
    return clamped(scaled(acc, multiplier, shift) + zero_point, low, high);
}
