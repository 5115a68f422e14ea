/* As dsp_pointwise, where some outputs have no weight but 0. w and channels are of the live ones alone; live: where each
 * of them goes; others: a pixel with the constant ones. In scratch, behind the block: 3 pixels of the live ones. */
PINTSIZE_INLINE void dsp_some_outputs(const int8_t *x, int8_t *y, const int32_t *w, const int8_t *channels,
                                      const int8_t *packed, const int16_t *live, const int8_t *others, int8_t *scratch,
                                      int32_t bits)
{
    int16_t shape[DSP_SHAPE_MOST];
    dsp_numbers(shape, packed);
    const int32_t outputs = shape[DSP_OUTPUTS_COUNT];
    const int32_t all = shape[DSP_WINDOW];
    const int32_t steps = shape[DSP_STEPS];
    int32_t *const numbers = (int32_t *)(void *)scratch;
    uint32_t *const block = (uint32_t *)(void *)scratch + (outputs + 1) / 2 * 8;
    int8_t *const computed = (int8_t *)(void *)(block + 6 * steps);
    dsp_layer layer;
    dsp_begin(&layer, w, numbers, block, shape, bits);
    dsp_channel_pairs(numbers, channels, shape + DSP_FACTORS, 0, outputs);
    for (int32_t left = shape[DSP_PIXELS]; left > 0;) {
        const int32_t pixels = left >= 3 ? 3 : 1;
        for (int32_t n = 0; n < pixels; n++, x += 4 * steps) {
            dsp_spread(block + 2 * n, x, steps, 8 * pixels, bits);
        }
        dsp_block(&layer, computed, pixels);
        const int8_t *from = computed;
        for (int32_t n = 0; n < pixels; n++, y += all) {
            dsp_copy(y, others, all);
            for (int32_t i = 0; i < outputs; i++) {
                y[live[i]] = *from++;
                DSP_PLAIN_LOOP;
            }
        }
        left -= pixels;
    }
}
