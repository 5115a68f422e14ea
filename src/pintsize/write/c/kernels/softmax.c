/* Fixed-point softmax: exp by a polynomial on [-1/4, 0) and a product of powers, 1 / sum by Newton's method. */
PINTSIZE_INLINE int32_t high_multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

PINTSIZE_INLINE int32_t divided_by_power(int32_t x, int32_t exponent)
{
    const int32_t mask = (int32_t)((1u << exponent) - 1u);
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0));
}

/* x <= 0 with 26 fractional bits → exp(x) with 31. */
static int32_t exp_on_negatives(int32_t x)
{
    static const int32_t powers[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = 1 << 24;
    const int32_t part = (x & (quarter - 1)) - quarter;
    const int32_t remainder = part - x;
    const int32_t u = part * 32 + (1 << 28);
    const int32_t u2 = high_multiply(u, u);
    const int32_t u3 = high_multiply(u2, u);
    const int32_t u4 = high_multiply(u2, u2);
    const int32_t higher = high_multiply(divided_by_power(u4, 2) + u3, 715827883) + u2;
    int32_t result = 1895147668 + high_multiply(u + divided_by_power(higher, 1), 1895147668);
    for (int32_t i = 0; i < 7; i++) {
        if (remainder & (1 << (24 + i))) {
            result = high_multiply(result, powers[i]);
        }
    }
    return x == 0 ? INT32_MAX : result;
}

/* a in [0, 1) with 31 fractional bits → 1 / (1 + a). */
static int32_t reciprocal_of_one_plus(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
    int32_t x = 1515870810 + high_multiply(half, -1010580540);
    for (int32_t i = 0; i < 3; i++) {
        const int32_t rest = (1 << 29) - high_multiply(half, x);
        x += high_multiply(x, rest) * 4;
    }
    return x >= (1 << 30) ? INT32_MAX : x * 2;
}

/* One difference to the row's maximum → its exponential; 0 where it is too small to count. */
PINTSIZE_INLINE int32_t softmax_exponential(int32_t difference, int32_t multiplier, int32_t shift, int32_t least)
{
    if (difference < least) {
        return 0;
    }
    return exp_on_negatives(high_multiply((int32_t)((int64_t)difference * ((int64_t)1 << shift)), multiplier));
}

PINTSIZE_INLINE void softmax(const int8_t *x, int8_t *y, int32_t rows, int32_t n, int32_t multiplier, int32_t shift,
                             int32_t least)
{
    for (int32_t r = 0; r < rows; r++, x += n, y += n) {
        int32_t largest = -128;
        int32_t sum = 0;
        int32_t headroom = 0;
        for (int32_t i = 0; i < n; i++) {
            largest = x[i] > largest ? x[i] : largest;
        }
        for (int32_t i = 0; i < n; i++) {
            sum += divided_by_power(softmax_exponential(x[i] - largest, multiplier, shift, least), 12);
        }
        while (!(((uint32_t)sum << headroom) & 0x80000000u)) {
            headroom++;
        }
        /* 32 places or more leave nothing of 31 bits */
        const int32_t places = 12 - headroom + 23;
        const int32_t inverse = reciprocal_of_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
        for (int32_t i = 0; i < n; i++) {
            const int32_t e = softmax_exponential(x[i] - largest, multiplier, shift, least);
            const int32_t code = (places > 31 ? 0 : divided_by_power(high_multiply(e, inverse), places)) - 128;
            y[i] = x[i] - largest < least ? -128 : clamped(code, -128, 127);
        }
    }
}
