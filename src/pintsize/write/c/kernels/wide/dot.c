/* Sums of one or four pixels for 8 or 16 outputs. A pixel's codes are `rows` runs of 4 * quads, `row` codes apart; the
 * next pixel's begin `step` codes later. Weights: per 8 outputs, per run of inputs, the codes of `wide_weigh`. */
PINTSIZE_INLINE void wide_sum(wide_sums sums[8], const wide_code *x, int32_t pixels, int32_t step, int32_t row,
                              int32_t rows, int32_t quads, const int8_t *w, int32_t octets, int32_t bits)
{
    const int8_t *w2 = w + rows * quads * 4 * bits;
    wide_sums a0 = wide_zero(), a1 = a0, a2 = a0, a3 = a0;
    wide_sums b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    for (int32_t r = 0; r < rows; r++) {
        const wide_code *run = x + r * row;
        for (int32_t i = 0; i < 4 * quads; i += PINTSIZE_RUN) {
            const wide_weights k = wide_weigh(w, bits);
            const wide_weights k2 = wide_weigh(octets == 2 ? w2 : w, bits);
            const wide_inputs x0 = wide_spread(run);
            a0 = wide_dot(a0, k, x0);
            if (octets == 2) {
                b0 = wide_dot(b0, k2, x0);
            }
            if (pixels == 4) {
                const wide_inputs x1 = wide_spread(run + step);
                const wide_inputs x2 = wide_spread(run + 2 * step);
                const wide_inputs x3 = wide_spread(run + 3 * step);
                a1 = wide_dot(a1, k, x1);
                a2 = wide_dot(a2, k, x2);
                a3 = wide_dot(a3, k, x3);
                if (octets == 2) {
                    b1 = wide_dot(b1, k2, x1);
                    b2 = wide_dot(b2, k2, x2);
                    b3 = wide_dot(b3, k2, x3);
                }
            }
            run += PINTSIZE_RUN;
            w += PINTSIZE_RUN * bits;
            w2 += PINTSIZE_RUN * bits;
        }
    }
    sums[0] = a0, sums[1] = a1, sums[2] = a2, sums[3] = a3;
    sums[4] = b0, sums[5] = b1, sums[6] = b2, sums[7] = b3;
}

/* Up to 8 sums → codes; multipliers are in [2^30, 2^31) or 0. is_signed: results below the zero point count.
 * factors: 0: all are 1; 1: the factors bring the outputs to one shift; 2: but not everywhere, some eight have their
 * exponents - EXPONENT in place of factors, and go one by one. */
#define EXPONENT 100
PINTSIZE_INLINE void wide_requantize(int8_t *y, wide acc, int32_t count, const int32_t *multiplier,
                                     const int16_t *factor, int32_t shift, int32_t factors, int32_t is_signed,
                                     int32_t zero_point, int32_t low, int32_t high)
{
    int8_t codes[8];
    if (factors == 2 && factor[0] < 0) {
        int32_t sums[8];
        wide_save(sums, acc);
        for (int32_t i = 0; i < 8; i++) {
            codes[i] = requantized(sums[i], multiplier[i], factor[i] + EXPONENT, zero_point, low, high);
        }
        memcpy(y, codes, (size_t)(count >= 8 ? 8 : count));
        return;
    }
    wide x = wide_high(acc, wide_load(multiplier));
    if (is_signed) {
        x = wide_lowered(x);
    }
    if (factors) {
        x = wide_times(x, factor);
    }
    x = wide_shifted(wide_add(x, wide_all((int32_t)1 << (shift - 1))), shift);
    if (count >= 8) {
        wide_narrow(y, x, zero_point, low, high);
    } else {
        wide_narrow(codes, x, zero_point, low, high);
        memcpy(y, codes, (size_t)count);
    }
}

/* All outputs of 1 or 4 pixels. */
PINTSIZE_INLINE void wide_pixels(const wide_code *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                 const int32_t *multiplier, const int16_t *factor, int32_t pixels, int32_t step,
                                 int32_t row, int32_t rows, int32_t quads, int32_t outputs, int32_t bits,
                                 int32_t shift, int32_t factors, int32_t is_signed, int32_t zero_point, int32_t low,
                                 int32_t high)
{
    const int32_t octet = rows * quads * 4 * bits;
    const int32_t whole = outputs / (8 * PINTSIZE_OCTETS) * PINTSIZE_OCTETS;
    const int32_t all = (outputs + 7) / 8;
    wide_sums sums[8];
    for (int32_t i = 0; i < whole; i += PINTSIZE_OCTETS) {
        wide_sum(sums, x, pixels, step, row, rows, quads, w + i * octet, PINTSIZE_OCTETS, bits);
        for (int32_t p = 0; p < pixels; p++) {
            for (int32_t j = 0; j < PINTSIZE_OCTETS; j++) {
                const int32_t o = 8 * (i + j);
                wide_requantize(y + p * outputs + o, wide_total(sums[4 * j + p], bias + o), 8, multiplier + o,
                                factor + o, shift, factors, is_signed, zero_point, low, high);
            }
        }
    }
    for (int32_t i = whole; i < all; i++) {
        wide_sum(sums, x, pixels, step, row, rows, quads, w + i * octet, 1, bits);
        for (int32_t p = 0; p < pixels; p++) {
            const int32_t o = 8 * i;
            wide_requantize(y + p * outputs + o, wide_total(sums[p], bias + o), outputs - o, multiplier + o,
                            factor + o, shift, factors, is_signed, zero_point, low, high);
        }
    }
}
