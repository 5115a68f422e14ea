/* y = a + b; b has `period` numbers and repeats. y may be a or b (if b does not repeat). */
PINTSIZE_INLINE void add(const int8_t *a, const int8_t *b, int8_t *y, int32_t count, int32_t period, int32_t a_zero,
                         int32_t a_multiplier, int32_t a_shift, int32_t b_zero, int32_t b_multiplier, int32_t b_shift,
                         int32_t multiplier, int32_t shift, int32_t zero_point, int32_t low, int32_t high)
{
    for (int32_t i = 0, k = 0; i < count; i++) {
        const int32_t left = scaled((a[i] - a_zero) * (1 << 20), a_multiplier, a_shift);
        const int32_t right = scaled((b[k] - b_zero) * (1 << 20), b_multiplier, b_shift);
        y[i] = requantized(left + right, multiplier, shift, zero_point, low, high);
        k = k + 1 == period ? 0 : k + 1;
    }
}
