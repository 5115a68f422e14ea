/* Every pixel by itself, without a window: x (pixels, 4 * steps), y (pixels, outputs), forward. In scratch: the
 * channels, a block of 3 pixels. y may lie on x. */
PINTSIZE_INLINE void dsp_pointwise(const int8_t *x, int8_t *y, const int32_t *w, const int8_t *channels,
                                   const int8_t *packed, int8_t *scratch, int32_t bits)
{
    int16_t shape[DSP_SHAPE_MOST];
    dsp_numbers(shape, packed);
    const int32_t outputs = shape[DSP_OUTPUTS_COUNT];
    const int32_t steps = shape[DSP_STEPS];
    int32_t *const numbers = (int32_t *)(void *)scratch;
    uint32_t *const block = (uint32_t *)(void *)scratch + (outputs + 1) / 2 * 8;
    dsp_layer layer;
    dsp_begin(&layer, w, numbers, block, shape, bits);
    dsp_channel_pairs(numbers, channels, shape + DSP_FACTORS, 0, outputs);
    for (int32_t left = shape[DSP_PIXELS]; left > 0;) {
        const int32_t pixels = left >= 3 ? 3 : 1;
        for (int32_t n = 0; n < pixels; n++, x += 4 * steps) {
            dsp_spread(block + 2 * n, x, steps, 8 * pixels, bits);
        }
        dsp_block(&layer, y, pixels);
        y += pixels * outputs;
        left -= pixels;
    }
}
