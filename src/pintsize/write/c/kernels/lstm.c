/* x (steps, inputs), y (steps, hidden); per hidden unit four rows of weights, for the gates i, f, g, o: w (inputs) and
 * r (hidden), packed. The biases have -zero_point * sum(weights) in them. multiplier, shift: four for w, four for r.
 * memory: the cells, int16. cell_bits: their fractional bits; clip: their bound, 0 for none. last: the output of the
 * step before the first, or 0, where there was none and the cells hold nothing. */
PINTSIZE_INLINE void lstm_from(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *r, const int32_t *bias,
                               const int32_t *recurrent_bias, const int32_t *multiplier, const int8_t *shift,
                               int8_t *memory, const int8_t *last, int32_t steps, int32_t inputs, int32_t hidden,
                               int32_t bits, int32_t cell_bits, int32_t clip, int32_t out_multiplier,
                               int32_t out_shift, int32_t zero_point)
{
    const int32_t stride = row_bytes(inputs, bits);
    const int32_t recurrent_stride = row_bytes(hidden, bits);
    for (int32_t t = 0; t < steps; t++, last = y, x += inputs, y += hidden) {
        for (int32_t h = 0; h < hidden; h++) {
            int32_t gate[4] = {bias[4 * h], bias[4 * h + 1], bias[4 * h + 2], bias[4 * h + 3]};
            dot4(gate, x, w + 4 * h * stride, stride, inputs, bits);
            for (int32_t g = 0; g < 4; g++) {
                gate[g] = saturated_int16(scaled(gate[g], multiplier[g], shift[g]));
            }
            if (last != 0) {
                int32_t acc[4] = {recurrent_bias[4 * h], recurrent_bias[4 * h + 1], recurrent_bias[4 * h + 2],
                                  recurrent_bias[4 * h + 3]};
                dot4(acc, last, r + 4 * h * recurrent_stride, recurrent_stride, hidden, bits);
                for (int32_t g = 0; g < 4; g++) {
                    const int32_t more = saturated_int16(scaled(acc[g], multiplier[4 + g], shift[4 + g]));
                    gate[g] = saturated_int16(gate[g] + more);
                }
            }
            int32_t cell = gate_product(gate_sigmoid(gate[0]), gate_tanh(3 * gate[2]), 30 - cell_bits);
            if (last != 0) {
                cell = saturated_int16(cell + gate_product(gate_sigmoid(gate[1]), load_int16(memory, h), 15));
            }
            if (clip > 0) {
                cell = cell < -clip ? -clip : cell > clip ? clip : cell;
            }
            store_int16(memory, h, cell);
            const int32_t product = gate_sigmoid(gate[3]) * state_tanh(cell, cell_bits);
            y[h] = clamped(saturated_int16(scaled(product, out_multiplier, out_shift)) + zero_point, -128, 127);
        }
    }
}

PINTSIZE_INLINE void lstm(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *r, const int32_t *bias,
                          const int32_t *recurrent_bias, const int32_t *multiplier, const int8_t *shift,
                          int8_t *memory, int32_t steps, int32_t inputs, int32_t hidden, int32_t bits,
                          int32_t cell_bits, int32_t clip, int32_t out_multiplier, int32_t out_shift,
                          int32_t zero_point)
{
    lstm_from(x, y, w, r, bias, recurrent_bias, multiplier, shift, memory, 0, steps, inputs, hidden, bits, cell_bits,
              clip, out_multiplier, out_shift, zero_point);
}

/* From what the run before left in memory and last, which the next one finds there. */
PINTSIZE_INLINE void lstm_carried(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *r, const int32_t *bias,
                                  const int32_t *recurrent_bias, const int32_t *multiplier, const int8_t *shift,
                                  int8_t *memory, int8_t *last, int32_t steps, int32_t inputs, int32_t hidden,
                                  int32_t bits, int32_t cell_bits, int32_t clip, int32_t out_multiplier,
                                  int32_t out_shift, int32_t zero_point)
{
    lstm_from(x, y, w, r, bias, recurrent_bias, multiplier, shift, memory, last, steps, inputs, hidden, bits, cell_bits,
              clip, out_multiplier, out_shift, zero_point);
    memcpy(last, y + (steps - 1) * hidden, (size_t)hidden);
}
