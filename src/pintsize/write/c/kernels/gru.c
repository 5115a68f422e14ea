/* What one row of weights makes of n codes, with 12 fractional bits. */
PINTSIZE_INLINE int32_t gru_sum(const int8_t *x, const int8_t *w, int32_t bias, int32_t multiplier, int32_t shift,
                                int32_t n, int32_t bits)
{
    return saturated_int16(scaled(dot(bias, x, w, n, bits), multiplier, shift));
}

/* x (steps, inputs), y (steps, hidden); per hidden unit three rows of weights, for the gates r, z, n: w (inputs) and
 * r (hidden), packed. The biases have -zero_point * sum(weights) in them. multiplier, shift: three for w, three for r.
 * state: int16, of what came before; the last one is left there. codes: of that state, which the first step reads; then,
 * where the reset comes first, those of the reset state. */
PINTSIZE_INLINE void gru_from(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *r, const int32_t *bias,
                              const int32_t *recurrent_bias, const int32_t *multiplier, const int8_t *shift,
                              int8_t *state, int8_t *codes, int32_t steps, int32_t inputs, int32_t hidden,
                              int32_t bits, int32_t reset_after, int32_t out_multiplier, int32_t out_shift,
                              int32_t zero_point)
{
    const int32_t stride = row_bytes(inputs, bits);
    const int32_t recurrent_stride = row_bytes(hidden, bits);
    for (int32_t h = 0; h < hidden; h++) {
        const int32_t before = saturated_int16(scaled(load_int16(state, h), out_multiplier, out_shift));
        codes[h] = clamped(before + zero_point, -128, 127);
    }
    const int8_t *last = codes;
    for (int32_t t = 0; t < steps; t++, x += inputs, y += hidden) {
        for (int32_t h = 0; h < (reset_after ? 0 : hidden); h++) {
            const int32_t from_input = gru_sum(x, w + 3 * h * stride, bias[3 * h], multiplier[0], shift[0], inputs, bits);
            const int32_t again = gru_sum(last, r + 3 * h * recurrent_stride, recurrent_bias[3 * h], multiplier[3],
                                          shift[3], hidden, bits);
            const int32_t reset = gate_sigmoid(saturated_int16(from_input + again));
            const int32_t kept = gate_product(reset, load_int16(state, h), 15);
            codes[hidden + h] = clamped(saturated_int16(scaled(kept, out_multiplier, out_shift)) + zero_point, -128, 127);
        }
        for (int32_t h = 0; h < hidden; h++) {
            int32_t from_input[3];
            int32_t again[3];
            for (int32_t g = reset_after ? 0 : 1; g < 3; g++) {
                const int32_t row = 3 * h + g;
                const int8_t *const read = g < 2 || reset_after ? last : codes + hidden;
                from_input[g] = gru_sum(x, w + row * stride, bias[row], multiplier[g], shift[g], inputs, bits);
                again[g] = gru_sum(read, r + row * recurrent_stride, recurrent_bias[row], multiplier[3 + g],
                                   shift[3 + g], hidden, bits);
            }
            if (reset_after) {
                const int32_t reset = gate_sigmoid(saturated_int16(from_input[0] + again[0]));
                again[2] = gate_product(reset, again[2], 15);
            }
            const int32_t update = gate_sigmoid(saturated_int16(from_input[1] + again[1]));
            const int32_t new = gate_tanh(3 * saturated_int16(from_input[2] + again[2]));
            const int32_t now = saturated_int16(gate_product(32768 - update, new, 15)
                                                + gate_product(update, load_int16(state, h), 15));
            store_int16(state, h, now);
            y[h] = clamped(saturated_int16(scaled(now, out_multiplier, out_shift)) + zero_point, -128, 127);
        }
        last = y;
    }
}

/* The same from a state of zeros. memory: the state, then the codes. */
PINTSIZE_INLINE void gru(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *r, const int32_t *bias,
                         const int32_t *recurrent_bias, const int32_t *multiplier, const int8_t *shift,
                         int8_t *memory, int32_t steps, int32_t inputs, int32_t hidden, int32_t bits,
                         int32_t reset_after, int32_t out_multiplier, int32_t out_shift, int32_t zero_point)
{
    for (int32_t h = 0; h < hidden; h++) {
        store_int16(memory, h, 0);
    }
    gru_from(x, y, w, r, bias, recurrent_bias, multiplier, shift, memory, memory + 2 * hidden, steps, inputs, hidden,
             bits, reset_after, out_multiplier, out_shift, zero_point);
}
