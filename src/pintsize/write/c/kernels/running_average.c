/* x: `fresh` new columns of `rows` by `channels` numbers, by the steps between columns and between rows. memory: int16
 * (columns, channels), each column's sum, the oldest first; totals: the sums of these, int32. anew: begin with zeros. */
PINTSIZE_INLINE void running_average(const int8_t *x, int8_t *y, int8_t *memory, int8_t *totals, int32_t columns,
                                     int32_t fresh, int32_t rows, int32_t channels, int32_t column_step,
                                     int32_t row_step, int32_t anew, int32_t zero_point)
{
    code16_t *const sums = codes16_out(memory);
    int32_t *const total = (int32_t *)(void *)totals;
    const int32_t kept = (columns - fresh) * channels;
    const int32_t count = columns * rows;
    for (int32_t i = 0; anew && i < columns * channels; i++) {
        sums[i] = 0;
    }
    for (int32_t c = 0; c < channels; c++) {
        int32_t sum = anew ? 0 : total[c];
        for (int32_t k = 0; k < fresh; k++) {
            sum -= sums[k * channels + c];
        }
        total[c] = sum;
    }
    slide_down(memory + 2 * fresh * channels, memory, 2 * kept);
    for (int32_t c = 0; c < channels; c++) {
        int32_t sum = total[c];
        for (int32_t k = 0; k < fresh; k++) {
            int32_t column = -rows * zero_point;
            for (int32_t r = 0; r < rows; r++) {
                column += x[k * column_step + r * row_step + c];
            }
            sums[kept + k * channels + c] = (int16_t)column;
            sum += column;
        }
        total[c] = sum;
        sum += count * zero_point;
        y[c] = (int8_t)((sum >= 0 ? sum + count / 2 : sum - count / 2) / count);
    }
}
