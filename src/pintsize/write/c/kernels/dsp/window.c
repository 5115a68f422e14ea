/* Bytes from -> to, by twelves: up to 11 behind them are read and written too. */
PINTSIZE_INLINE void dsp_copy_twelves(int8_t *to, const int8_t *from, int32_t count)
{
    for (int32_t i = 0; i < count; i += 12) {
        memcpy(to + i, from + i, 4);
        memcpy(to + i + 4, from + i + 4, 4);
        memcpy(to + i + 8, from + i + 8, 4);
        DSP_PLAIN_LOOP;
    }
}

/* A window that lies within the input, without dilation across. */
PINTSIZE_INLINE void dsp_gather_inside(int8_t *to, const int8_t *from, int32_t rows, int32_t run, int32_t down)
{
    for (; rows > 0; rows--, to += run, from += down) {
        dsp_copy_twelves(to, from, run);
    }
}

/* The inputs that a window with its corner at (iy, ix) sees, in the order of the weights; up to 11 bytes behind them are
 * written too. */
DSP_SHARED void dsp_gather(int8_t *to, const int8_t *x, const int16_t *window, int32_t iy, int32_t ix)
{
    const int32_t channels = window[DSP_CHANNELS];
    const int32_t across = window[DSP_WIDTH] * channels;
    const int32_t readable = window[DSP_HEIGHT] * across - 11;
    /* without dilation the taps of a row are one run */
    const int32_t run = (window[DSP_DX] == 1 ? window[DSP_KW] : 1) * channels;
    const int32_t step = (window[DSP_DX] == 1 ? window[DSP_KW] : window[DSP_DX]) * channels;
    const int32_t first = ix * channels;
    const int32_t end = first + window[DSP_KW] * window[DSP_DX] * channels;
    const int32_t corner = iy * across + first;
    const int32_t below = iy + window[DSP_SPAN];
    if (iy >= 0 && below <= window[DSP_HEIGHT] && first >= 0 && first + run <= across && window[DSP_DX] == 1
        && corner + (window[DSP_SPAN] - 1) * across + run <= readable) {
        dsp_gather_inside(to, x + corner, window[DSP_KH], run, window[DSP_DY] * across);
        return;
    }
    for (int32_t ky = window[DSP_KH]; ky > 0; ky--, iy += window[DSP_DY]) {
        const int32_t inside = iy >= 0 && iy < window[DSP_HEIGHT] ? across : 0;
        for (int32_t from = first; from < end; from += step, to += run) {
            const int32_t at = iy * across + from;
            for (int32_t i = 0; i < run; i++) {
                const int32_t there = from + i >= 0 && from + i < inside;
                to[i] = there ? x[at + i] : (int8_t)window[DSP_ZERO_POINT];
                DSP_PLAIN_LOOP;
            }
        }
    }
}

/* x (height, width, channels), y (pixels, outputs), forward. In scratch: the channels, a block of 3 pixels, what a
 * pixel sees. */
PINTSIZE_INLINE void dsp_window(const int8_t *x, int8_t *y, const int32_t *w, const int8_t *channels,
                                const int8_t *packed, int8_t *scratch, int32_t bits)
{
    int16_t shape[DSP_SHAPE_MOST];
    dsp_numbers(shape, packed);
    const int32_t steps = shape[DSP_STEPS];
    const int32_t outputs = shape[DSP_OUTPUTS_COUNT];
    int32_t left = shape[DSP_PIXELS];
    int32_t *const numbers = (int32_t *)(void *)scratch;
    uint32_t *const block = (uint32_t *)(void *)scratch + (outputs + 1) / 2 * 8;
    int8_t *const seen = (int8_t *)(void *)(block + 6 * steps);
    dsp_layer layer;
    dsp_begin(&layer, w, numbers, block, shape, bits);
    dsp_channel_pairs(numbers, channels, shape + DSP_FACTORS, 0, outputs);
    const int16_t *const window = shape + DSP_WINDOW;
    const int32_t end = window[DSP_OUT_WIDTH] * window[DSP_SX] - window[DSP_LEFT];
    int32_t iy = -window[DSP_TOP];
    int32_t ix = -window[DSP_LEFT];
    while (left > 0) {
        const int32_t pixels = left >= 3 ? 3 : 1;
        left -= pixels;
        for (int32_t n = 0; n < pixels; n++) {
            dsp_gather(seen, x, window, iy, ix);
            ix += window[DSP_SX];
            if (ix == end) {
                ix = -window[DSP_LEFT];
                iy += window[DSP_SY];
            }
            dsp_spread(block + 2 * n, seen, steps, 8 * pixels, bits);
        }
        dsp_block(&layer, y, pixels);
        y += pixels * outputs;
    }
}
