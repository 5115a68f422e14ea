/* 1 / (2 * sqrt(a)) for a in [1/4, 1), both with 31 fractional bits: a line, then Newton's method. */
static int32_t reciprocal_root(int32_t a)
{
    int32_t h = (int32_t)(INT64_C(2369339264) - (((int64_t)a * 1431655765 + (1 << 30)) >> 31));
    for (int32_t i = 0; i < 4; i++) {
        const int32_t square = (int32_t)(((int64_t)h * h + (1 << 30)) >> 31);
        const int32_t rest = 3 * (1 << 29) - (int32_t)(((int64_t)a * square + (1 << 30)) >> 31);
        const int32_t half = (int32_t)(((int64_t)h * rest + (1 << 30)) >> 31);
        h = half >= 1 << 30 ? INT32_MAX : half * 2;
    }
    return h;
}

/* Rows of n codes: each one's distance from the mean in standard deviations, 12 fractional bits, times its weight. */
PINTSIZE_INLINE void layer_norm(const int8_t *x, int8_t *y, const int8_t *weight, const int32_t *bias,
                                const int32_t *multiplier, const int8_t *shift, const int32_t *epsilon,
                                int32_t rows, int32_t n, int32_t zero_point, int32_t low, int32_t high)
{
    for (int32_t r = 0; r < rows; r++, x += n, y += n) {
        int32_t sum = 0;
        int32_t squares = 0;
        int32_t pairs = 0;
        for (int32_t i = 0; i < n; i++) {
            sum += x[i];
            squares += x[i] * x[i];
        }
        const int64_t spread = (int64_t)n * squares - (int64_t)sum * sum
                               + ((int64_t)epsilon[1] * ((int64_t)1 << 31) + epsilon[0]);
        while (spread >> (2 * pairs + 2)) {
            pairs++;
        }
        const int64_t a = pairs > 14 ? spread >> (2 * (pairs - 14)) : spread * ((int64_t)1 << (2 * (14 - pairs)));
        const int32_t root = reciprocal_root((int32_t)(a * 2));
        const int32_t places = 19 + pairs;
        for (int32_t i = 0; i < n; i++) {
            const int64_t product = (int64_t)(n * x[i] - sum) * root;
            const int32_t unit = (int32_t)((product + ((int64_t)1 << (places - 1))) >> places);
            y[i] = requantized(unit * weight[i] + bias[i], multiplier[i], shift[i], zero_point, low, high);
        }
    }
}
