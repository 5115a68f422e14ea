/* lstm with int16 x (steps, inputs) and y (steps, hidden), zero points 0: sums of 64 bits, rounded once on the way to
 * the gates by multipliers of 15 bits. The rest as there. wide, recurrent_wide: such a sum can leave 32 bits. */
PINTSIZE_INLINE void lstm_int16_from(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *r, const int32_t *bias,
                                     const int16_t *multiplier, const int8_t *shift, int8_t *memory,
                                     const int8_t *before, int32_t steps, int32_t inputs, int32_t hidden, int32_t bits,
                                     int32_t wide, int32_t recurrent_wide, int32_t cell_bits, int32_t clip,
                                     int32_t out_multiplier, int32_t out_shift)
{
    const int32_t stride = row_bytes(inputs, bits);
    const int32_t recurrent_stride = row_bytes(hidden, bits);
    const code16_t *row = codes16(x);
    code16_t *out = codes16_out(y);
    const code16_t *last = codes16(before);
    for (int32_t t = 0; t < steps; t++, last = out, row += inputs, out += hidden) {
        for (int32_t h = 0; h < hidden; h++) {
            int32_t gate[4];
            for (int32_t g = 0; g < 4; g++) {
                const int32_t i = 4 * h + g;
                const int64_t sum = bias[i] + dot16(row, w + i * stride, 0, inputs, bits, wide);
                gate[g] = requantized16(sum, multiplier[g], shift[g], -32768, 32767);
                if (last != 0) {
                    const int64_t more = dot16(last, r + i * recurrent_stride, 0, hidden, bits, recurrent_wide);
                    gate[g] = saturated_int16(
                        gate[g] + requantized16(more, multiplier[4 + g], shift[4 + g], -32768, 32767));
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
            out[h] = clamped16(scaled(product, out_multiplier, out_shift), -32768, 32767);
        }
    }
}

PINTSIZE_INLINE void lstm_int16(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *r, const int32_t *bias,
                                const int16_t *multiplier, const int8_t *shift, int8_t *memory, int32_t steps,
                                int32_t inputs, int32_t hidden, int32_t bits, int32_t wide, int32_t recurrent_wide,
                                int32_t cell_bits, int32_t clip, int32_t out_multiplier, int32_t out_shift)
{
    lstm_int16_from(x, y, w, r, bias, multiplier, shift, memory, 0, steps, inputs, hidden, bits, wide, recurrent_wide,
                    cell_bits, clip, out_multiplier, out_shift);
}

/* From what the run before left in memory and last, which the next one finds there. */
PINTSIZE_INLINE void lstm_int16_carried(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *r,
                                        const int32_t *bias, const int16_t *multiplier, const int8_t *shift,
                                        int8_t *memory, int8_t *last, int32_t steps, int32_t inputs, int32_t hidden,
                                        int32_t bits, int32_t wide, int32_t recurrent_wide, int32_t cell_bits,
                                        int32_t clip, int32_t out_multiplier, int32_t out_shift)
{
    lstm_int16_from(x, y, w, r, bias, multiplier, shift, memory, last, steps, inputs, hidden, bits, wide, recurrent_wide,
                    cell_bits, clip, out_multiplier, out_shift);
    memcpy(last, y + 2 * (steps - 1) * hidden, (size_t)(2 * hidden));
}
