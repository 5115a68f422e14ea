/* x (steps, inputs), y (steps, units). Per unit `rank` filters, each a row of w (inputs), packed, and a row of time
 * weights (length). bias has -zero_point * sum(weights) in it, per filter. memory: the filters' last `slots` numbers,
 * int16, a ring. */
PINTSIZE_INLINE void svdf(const int8_t *x, int8_t *y, const int8_t *w, const int16_t *time, const int32_t *bias,
                          const int32_t *unit_bias, int8_t *memory, int32_t steps, int32_t inputs, int32_t units,
                          int32_t rank, int32_t length, int32_t slots, int32_t bits, int32_t multiplier, int32_t shift,
                          int32_t out_multiplier, int32_t out_shift, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t stride = row_bytes(inputs, bits);
    int32_t newest = 0;
    for (int32_t t = 0; t < steps; t++, x += inputs, y += units) {
        const int32_t known = t + 1 < slots ? t + 1 : slots;
        const int32_t oldest = known < slots ? 0 : newest + 1 < slots ? newest + 1 : 0;
        for (int32_t u = 0; u < units; u++) {
            int64_t acc = unit_bias[u];
            for (int32_t f = u * rank; f < (u + 1) * rank; f++) {
                const int32_t sum = dot(bias[f], x, w + f * stride, inputs, bits);
                store_int16(memory, f * slots + newest, saturated_int16(scaled(sum, multiplier, shift)));
                int32_t slot = oldest;
                for (int32_t m = length - known; m < length; m++) {
                    acc += time[f * length + m] * load_int16(memory, f * slots + slot);
                    slot = slot + 1 < slots ? slot + 1 : 0;
                }
            }
            const int32_t most = (int32_t)1 << 30;
            const int32_t total = acc > most ? most : acc < -most ? -most : (int32_t)acc;
            y[u] = clamped(saturated_int16(scaled(total, out_multiplier, out_shift)) + zero_point, low, high);
        }
        newest = newest + 1 < slots ? newest + 1 : 0;
    }
}

/* The same from what the run before left in memory: each filter's last `length` numbers, the oldest first. */
PINTSIZE_INLINE void svdf_carried(const int8_t *x, int8_t *y, const int8_t *w, const int16_t *time, const int32_t *bias,
                                  const int32_t *unit_bias, int8_t *memory, int32_t steps, int32_t inputs, int32_t units,
                                  int32_t rank, int32_t length, int32_t bits, int32_t multiplier, int32_t shift,
                                  int32_t out_multiplier, int32_t out_shift, int32_t zero_point, int32_t low,
                                  int32_t high)
{
    const int32_t stride = row_bytes(inputs, bits);
    for (int32_t t = 0; t < steps; t++, x += inputs, y += units) {
        for (int32_t u = 0; u < units; u++) {
            int64_t acc = unit_bias[u];
            for (int32_t f = u * rank; f < (u + 1) * rank; f++) {
                for (int32_t m = 0; m + 1 < length; m++) {
                    const int32_t number = load_int16(memory, f * length + m + 1);
                    store_int16(memory, f * length + m, number);
                    acc += time[f * length + m] * number;
                }
                const int32_t sum = dot(bias[f], x, w + f * stride, inputs, bits);
                const int32_t newest = saturated_int16(scaled(sum, multiplier, shift));
                store_int16(memory, f * length + length - 1, newest);
                acc += time[f * length + length - 1] * newest;
            }
            const int32_t most = (int32_t)1 << 30;
            const int32_t total = acc > most ? most : acc < -most ? -most : (int32_t)acc;
            y[u] = clamped(saturated_int16(scaled(total, out_multiplier, out_shift)) + zero_point, low, high);
        }
    }
}
