/* x * multiplier * 2^-right, rounded twice. */
PINTSIZE_INLINE wide wide_scaled(wide x, int32_t multiplier, int32_t right)
{
    x = wide_high(x, wide_all(multiplier));
    if (right == 0) {
        return x;
    }
    return wide_shifted(wide_add(wide_lowered(x), wide_all((int32_t)1 << (right - 1))), right);
}

/* 8 numbers of y = a + b */
PINTSIZE_INLINE void wide_add_codes(const int8_t *a, const int8_t *b, int8_t *y, int32_t a_zero, int32_t a_multiplier,
                                    int32_t a_right, int32_t b_zero, int32_t b_multiplier, int32_t b_right,
                                    int32_t multiplier, int32_t right, int32_t zero_point, int32_t low, int32_t high)
{
    const wide left = wide_scaled(wide_raised(a, a_zero), a_multiplier, a_right);
    const wide other = wide_scaled(wide_raised(b, b_zero), b_multiplier, b_right);
    wide_narrow(y, wide_scaled(wide_add(left, other), multiplier, right), zero_point, low, high);
}

/* y = a + b of equal shapes; y may be a or b. right: the exponents with their sign turned. */
PINTSIZE_INLINE void wide_sum_of_two(const int8_t *a, const int8_t *b, int8_t *y, int32_t count, int32_t a_zero,
                                     int32_t a_multiplier, int32_t a_right, int32_t b_zero, int32_t b_multiplier,
                                     int32_t b_right, int32_t multiplier, int32_t right, int32_t zero_point,
                                     int32_t low, int32_t high)
{
    int32_t i = 0;
    for (; i + 8 <= count; i += 8) {
        wide_add_codes(a + i, b + i, y + i, a_zero, a_multiplier, a_right, b_zero, b_multiplier, b_right, multiplier,
                       right, zero_point, low, high);
    }
    if (i < count) {
        int8_t rest[3][8] = {{0}, {0}, {0}};
        memcpy(rest[0], a + i, (size_t)(count - i));
        memcpy(rest[1], b + i, (size_t)(count - i));
        wide_add_codes(rest[0], rest[1], rest[2], a_zero, a_multiplier, a_right, b_zero, b_multiplier, b_right,
                       multiplier, right, zero_point, low, high);
        memcpy(y + i, rest[2], (size_t)(count - i));
    }
}
