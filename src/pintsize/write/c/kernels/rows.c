/* The loops below just fit the registers of Thumb-2, if the compiler moves no loads ahead of sums and counts with these
 * pointers. It unrolls by itself where it may move them. */
#if defined(__GNUC__) && defined(__thumb2__)
#define ROWS_UNROLLED 4
#define ROWS_IN_ORDER(a, b) __asm__ volatile("" : "+r"(a), "+r"(b) : : "memory")
#else
#define ROWS_UNROLLED 1
#define ROWS_IN_ORDER(a, b) (void)0
#endif

PINTSIZE_INLINE int8_t saturated(int32_t x, int32_t low, int32_t high)
{
#if defined(__GNUC__) && defined(__thumb2__)
    if (low == -128 && high == 127) {
        int32_t found;
        __asm__("ssat %0, #8, %1" : "=r"(found) : "r"(x) : "cc");
        return (int8_t)found;
    }
#endif
    return clamped(x, low, high);
}

/* requantized, where no shift is above `most` (1, 0 or -1, a literal): most factors are below 1/2. */
PINTSIZE_INLINE int8_t rescaled(int32_t acc, int32_t multiplier, int32_t shift, int32_t most, int32_t zero_point,
                                int32_t low, int32_t high)
{
    if (most > 0) {
        return requantized(acc, multiplier, shift, zero_point, low, high);
    }
    const int32_t right = -shift;
    const int32_t product = (int32_t)(((int64_t)acc * multiplier + ((int64_t)1 << 30)) >> 31);
    const int32_t half = (int32_t)((1u << right) >> 1);
    const int32_t below = most < 0 || right > 0 ? product >> 31 : 0;
    return saturated(((product + half + below) >> right) + zero_point, low, high);
}

/* Inputs that a loop takes at a time, at most `most`: whole bytes of narrow weights, else none are left over. */
PINTSIZE_INLINE int32_t rows_step(int32_t n, int32_t most, int32_t bits)
{
    if (bits < 8) {
        return 4;
    }
    return n % most == 0 ? most : n % 2 == 0 && most > 1 ? 2 : 1;
}

/* acc += x[i] * w[i] of four rows of w, `stride` bytes apart. */
PINTSIZE_INLINE void column_1x4(int32_t acc[4], const int8_t *x, const int8_t *w, int32_t stride, int32_t i,
                                int32_t bits)
{
    int32_t v = x[i];
    for (int32_t j = 0; j < 4; j++) {
        acc[j] += v * weight_at(w + j * stride, i, bits);
        ROWS_IN_ORDER(acc[j], v);
    }
}

/* The same for two rows of x, `next` bytes apart: sums has four of the first, then four of the second. */
PINTSIZE_INLINE void column_2x4(int32_t sums[8], const int8_t *x, int32_t next, const int8_t *w, int32_t stride,
                                int32_t i, int32_t bits)
{
    const int32_t first = x[i];
    const int32_t second = x[i + next];
    int32_t weight = weight_at(w, i, bits);
    sums[0] += first * weight;
    sums[4] += second * weight;
    ROWS_IN_ORDER(sums[0], sums[4]);
    weight = weight_at(w + stride, i, bits);
    sums[1] += first * weight;
    sums[5] += second * weight;
    ROWS_IN_ORDER(sums[1], sums[5]);
    weight = weight_at(w + 2 * stride, i, bits);
    sums[2] += first * weight;
    sums[6] += second * weight;
    ROWS_IN_ORDER(sums[2], sums[6]);
    weight = weight_at(w + 3 * stride, i, bits);
    sums[3] += first * weight;
    sums[7] += second * weight;
    ROWS_IN_ORDER(sums[3], sums[7]);
}

PINTSIZE_INLINE void dot1x4(int32_t acc[4], const int8_t *x, const int8_t *w, int32_t stride, int32_t n, int32_t bits)
{
    const int32_t step = rows_step(n, 4, bits);
    const int8_t *end = x + n / step * step;
    for (; x != end; x += step, w += step * bits / 8) {
        column_1x4(acc, x, w, stride, 0, bits);
        if (step > 1) {
            column_1x4(acc, x, w, stride, 1, bits);
        }
        if (step > 2) {
            column_1x4(acc, x, w, stride, 2, bits);
            column_1x4(acc, x, w, stride, 3, bits);
        }
        ROWS_IN_ORDER(x, w);
    }
    for (int32_t i = 0; i < n % step; i++) {
        column_1x4(acc, x, w, stride, i, bits);
    }
}

PINTSIZE_INLINE void dot2x4(int32_t acc[8], const int8_t *x, int32_t next, const int8_t *w, int32_t stride, int32_t n,
                            int32_t bits)
{
    const int32_t step = rows_step(n, ROWS_UNROLLED, bits);
    /* no index of these varies, so they are registers */
    int32_t sums[8] = {acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]};
    const int8_t *end = x + n / step * step;
    for (; x != end; x += step, w += step * bits / 8) {
        column_2x4(sums, x, next, w, stride, 0, bits);
        if (step > 1) {
            column_2x4(sums, x, next, w, stride, 1, bits);
        }
        if (step > 2) {
            column_2x4(sums, x, next, w, stride, 2, bits);
            column_2x4(sums, x, next, w, stride, 3, bits);
        }
        ROWS_IN_ORDER(x, w);
    }
    for (int32_t i = 0; i < n % step; i++) {
        column_2x4(sums, x, next, w, stride, i, bits);
    }
    acc[0] = sums[0];
    acc[1] = sums[1];
    acc[2] = sums[2];
    acc[3] = sums[3];
    acc[4] = sums[4];
    acc[5] = sums[5];
    acc[6] = sums[6];
    acc[7] = sums[7];
}

/* One row of x (inputs), w (outputs, inputs) packed, y (outputs). */
PINTSIZE_INLINE void one_row(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                             const int32_t *multiplier, const int8_t *shift, int32_t inputs, int32_t outputs,
                             int32_t bits, int32_t most, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t stride = row_bytes(inputs, bits);
    int32_t o = 0;
    for (; o + 4 <= outputs; o += 4) {
        int32_t acc[4] = {bias[o], bias[o + 1], bias[o + 2], bias[o + 3]};
        dot1x4(acc, x, w + o * stride, stride, inputs, bits);
        for (int32_t j = 0; j < 4; j++) {
            y[o + j] = rescaled(acc[j], multiplier[o + j], shift[o + j], most, zero_point, low, high);
        }
    }
    for (; o < outputs; o++) {
        const int32_t acc = dot(bias[o], x, w + o * stride, inputs, bits);
        y[o] = rescaled(acc, multiplier[o], shift[o], most, zero_point, low, high);
    }
}

/* x (2, inputs), w (outputs, inputs) packed, y (2, outputs). */
PINTSIZE_INLINE void two_rows(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                              const int32_t *multiplier, const int8_t *shift, int32_t inputs, int32_t outputs,
                              int32_t bits, int32_t most, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t stride = row_bytes(inputs, bits);
    int32_t o = 0;
    for (; o + 4 <= outputs; o += 4) {
        int32_t acc[8] = {bias[o], bias[o + 1], bias[o + 2], bias[o + 3],
                          bias[o], bias[o + 1], bias[o + 2], bias[o + 3]};
        dot2x4(acc, x, inputs, w + o * stride, stride, inputs, bits);
        for (int32_t j = 0; j < 4; j++) {
            const int32_t k = o + j;
            y[k] = rescaled(acc[j], multiplier[k], shift[k], most, zero_point, low, high);
            y[k + outputs] = rescaled(acc[4 + j], multiplier[k], shift[k], most, zero_point, low, high);
        }
    }
    for (; o < outputs; o++) {
        const int32_t first = dot(bias[o], x, w + o * stride, inputs, bits);
        const int32_t second = dot(bias[o], x + inputs, w + o * stride, inputs, bits);
        y[o] = rescaled(first, multiplier[o], shift[o], most, zero_point, low, high);
        y[o + outputs] = rescaled(second, multiplier[o], shift[o], most, zero_point, low, high);
    }
}
