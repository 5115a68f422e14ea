enum { DSP_LINEAR_GROUP = 8 };

/* A few rows x (rows, inputs), y (rows, outputs). In scratch: the numbers of 8 channels, a row spread, a row padded to
 * `steps` times four where `inputs` is not. */
PINTSIZE_INLINE void dsp_linear(const int8_t *x, int8_t *y, const int32_t *w, const int8_t *channels,
                                const int8_t *packed, int8_t *scratch, int32_t bits, int32_t padded_row)
{
    int16_t shape[DSP_SHAPE_MOST];
    dsp_numbers(shape, packed);
    const int32_t steps = shape[DSP_STEPS];
    const int32_t outputs = shape[DSP_OUTPUTS_COUNT];
    const int32_t inputs = shape[DSP_WINDOW];
    int32_t *const numbers = (int32_t *)(void *)scratch;
    uint32_t *const row = (uint32_t *)(void *)scratch + DSP_LINEAR_GROUP / 2 * 8;
    int8_t *const padded = (int8_t *)(void *)(row + 2 * steps);
    dsp_layer layer;
    for (int32_t left = shape[DSP_PIXELS]; left > 0; left--, x += inputs) {
        const int8_t *codes = x;
        if (padded_row) {
            dsp_fill(dsp_copy(padded, x, inputs), 0, 4 * steps - inputs);
            codes = padded;
        }
        dsp_spread(row, codes, steps, 8, bits);
        for (int32_t o = 0; o < outputs; o += DSP_LINEAR_GROUP) {
            const int32_t count = outputs - o < DSP_LINEAR_GROUP ? outputs - o : DSP_LINEAR_GROUP;
            dsp_begin(&layer, w + o / 2 * steps * bits / 4, numbers, row, shape, bits);
            layer.outputs = count;
            dsp_channel_pairs(numbers, channels, shape + DSP_FACTORS, o, o + count);
            dsp_block(&layer, y, 1);
            y += count;
        }
    }
}
