/* Second-order sections, each (b0, b1, b2, -a1, -a2) with 30 fractional bits; the numbers between them have 12. state:
 * per channel the last two numbers before the first section and behind each, and what each section's cut left. */
PINTSIZE_LAYER int32_t sections(int32_t value, const int32_t *c, int32_t *state, int32_t count)
{
    int32_t *rest = state + 2 * (count + 1);
    for (; count > 0; count--, c += 5, state += 2) {
        const uint64_t cut = (uint64_t)1 << 30;
        const int64_t total = *rest + (int64_t)c[0] * value + (int64_t)c[1] * state[0] + (int64_t)c[2] * state[1]
                              + (int64_t)c[3] * state[2] + (int64_t)c[4] * state[3];
        state[1] = state[0];
        state[0] = value;
        *rest++ = (int32_t)((uint64_t)total & (cut - 1));
        const int64_t whole = total >> 30;
        value = (int32_t)(whole > 1 << 29 ? 1 << 29 : whole < -(1 << 29) ? -(1 << 29) : whole);
    }
    state[1] = state[0];
    state[0] = value;
    return value;
}

/* x and y (n, channels), may be the same; anew: begin with zeros. */
PINTSIZE_INLINE void biquad(const int8_t *x, int8_t *y, const int32_t *coefficients, int8_t *memory, int32_t n,
                            int32_t channels, int32_t count, int32_t anew, int32_t wide, int32_t zero_point,
                            int32_t y_wide, int32_t multiplier, int32_t shift, int32_t y_zero_point)
{
    int32_t *const state = (int32_t *)(void *)memory;
    const int32_t size = 3 * count + 2;
    for (int32_t i = 0; anew && i < channels * size; i++) {
        state[i] = 0;
    }
    for (int32_t i = 0; i < n * channels; i += channels) {
        for (int32_t k = 0; k < channels; k++) {
            const int32_t value = sample_at(x, i + k, wide, zero_point) * 4096;
            const int32_t filtered = sections(value, coefficients, state + k * size, count);
            store_code(y, i + k, y_wide, filtered, multiplier, shift, y_zero_point);
            SIGNAL_PLAIN_LOOP;
        }
    }
}
