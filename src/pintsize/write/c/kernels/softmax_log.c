/* x * 2^places for x >= 0, at most INT32_MAX. */
PINTSIZE_INLINE int32_t saturating_shift(int32_t x, int32_t places)
{
    return x > INT32_MAX >> places ? INT32_MAX : (int32_t)((uint32_t)x << places);
}

/* How many bits in front of the highest of x > 0 are free, the sign's left out. */
PINTSIZE_INLINE int32_t free_bits(int32_t x)
{
    int32_t count = 0;
    while (!(((uint32_t)x << count) & 0x40000000u)) {
        count++;
    }
    return count;
}

/* The logarithm of x >= 1 with 19 fractional bits → with 26. x is r * 2^n with r around the fourth root of 1/2. */
static int32_t log_from_one(int32_t x)
{
    const int32_t quarter = 1 << 23;
    const int32_t root = 1805811301;
    const int32_t lower = high_multiply(x, 1518500250);
    const int32_t free_above = free_bits(x);
    const int32_t free_below = free_bits(lower);
    const int32_t r_above = saturating_shift(high_multiply((int32_t)((uint32_t)x << free_above), 1518500250), 1);
    const int32_t r_below = saturating_shift(x, free_below);
    const int32_t r = r_above < r_below ? r_above : r_below;
    const int32_t power_above = (11 - free_above) * (1 << 25) + quarter;
    const int32_t power_below = (12 - free_below) * (1 << 25) - quarter;
    const int32_t power = power_above > power_below ? power_above : power_below;
    const int32_t middle = (int32_t)(((int64_t)r + root + 1) >> 1);
    const int32_t q = (r - root) * 2;
    const int32_t squared = high_multiply(q, q);
    const int32_t above = high_multiply(q, r) + high_multiply(high_multiply(q, squared), 117049297);
    const int32_t part = 1057819769 + q + high_multiply(squared, 127690142);
    const int32_t below = high_multiply(middle, part) + high_multiply(q, 638450708);
    const int32_t fraction = high_multiply(divided_by_power(above, 6), reciprocal_of_one_plus(below));
    return (high_multiply(power, 1488522236) + fraction) * 2;
}

/* Fixed-point log-softmax: what softmax.c sums up, and its logarithm. `back` leads from 26 fractional bits to codes. */
PINTSIZE_INLINE void log_softmax(const int8_t *x, int8_t *y, int32_t rows, int32_t n, int32_t multiplier,
                                 int32_t shift, int32_t least, int32_t back, int32_t back_shift)
{
    for (int32_t r = 0; r < rows; r++, x += n, y += n) {
        int32_t largest = -128;
        int32_t sum = 0;
        for (int32_t i = 0; i < n; i++) {
            largest = x[i] > largest ? x[i] : largest;
        }
        for (int32_t i = 0; i < n; i++) {
            sum += divided_by_power(softmax_exponential(x[i] - largest, multiplier, shift, least), 12);
        }
        const int32_t logarithm = log_from_one(sum);
        const int32_t reach = divided_by_power(high_multiply(logarithm - INT32_MAX - 1, back), back_shift);
        const int32_t lowest = reach > least - 1 ? reach : least - 1;
        for (int32_t i = 0; i < n; i++) {
            const int32_t difference = x[i] - largest;
            y[i] = -128;
            if (difference > lowest) {
                const int64_t shifted = (int64_t)difference * ((int64_t)1 << shift);
                const int32_t whole = high_multiply((int32_t)shifted, multiplier) - logarithm;
                y[i] = clamped(divided_by_power(whole, 22) + 127, -128, 127);
            }
        }
    }
}
