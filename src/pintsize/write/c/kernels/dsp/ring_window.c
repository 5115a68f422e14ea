/* Convolutions with a window over channels by fours: the rows that the window covers stand in a ring, spread to 16
 * bits once, padding included. */
typedef struct {
    uint32_t *rows;
    const int8_t *x;
    int32_t row_words;
    int32_t next; /* the input row that is spread next */
    int32_t slot; /* and where: as many rows as the window is high */
} dsp_ring;

DSP_SHARED void dsp_fill_pairs(uint32_t *to, uint32_t pair, int32_t count)
{
    for (; count > 0; count--) {
        *to++ = pair;
        DSP_PLAIN_LOOP;
    }
}

PINTSIZE_INLINE void dsp_next_row(dsp_ring *ring, const int16_t *window, int32_t bits)
{
    const int32_t values = window[DSP_WIDTH] * window[DSP_CHANNELS];
    const int32_t code = window[DSP_ZERO_POINT] * (bits >= 8 ? 256 : 1);
    uint32_t *const row = ring->rows + ring->slot * ring->row_words;
    const int32_t before = window[DSP_LEFT] * window[DSP_CHANNELS] / 2;
    const int32_t visible = ring->row_words - before < values / 2 ? (ring->row_words - before) / 2 : values / 4;
    if (ring->next < 0 || ring->next >= window[DSP_HEIGHT] || visible <= 0) {
        dsp_fill_pairs(row, dsp_pair(code, code), ring->row_words);
    } else { /* to the left and right the padding stands already */
        dsp_spread(row + before, ring->x + ring->next * values, visible, 8, bits);
    }
    ring->next++;
    ring->slot = ring->slot + 1 == window[DSP_SPAN] ? 0 : ring->slot + 1;
}

/* `runs` times `count` times two words into a block; from run to run `jump` bytes on, from `end` on `back` bytes less. */
#if DSP_ASSEMBLER
DSP_NAKED void dsp_scatter(uint32_t *to, const uint32_t *from, int32_t count, int32_t pitch, int32_t runs, int32_t jump,
                           const uint32_t *end, int32_t back)
{
    __asm volatile("push {r4-r11, lr}\n"
                   "1:\n mov lr, r1\n mov r12, r2\n cmp r3, #24\n bne 4f\n subs r12, r12, #4\n blt 3f\n"
                   "2:\n ldm r1!, {r4-r11}\n strd r4, r5, [r0]\n strd r6, r7, [r0, #24]\n strd r8, r9, [r0, #48]\n"
                   "strd r10, r11, [r0, #72]\n add r0, r0, #96\n subs r12, r12, #4\n bge 2b\n"
                   "3:\n adds r12, r12, #4\n beq 5f\n"
                   "4:\n ldrd r4, r5, [r1], #8\n strd r4, r5, [r0]\n add r0, r0, r3\n subs r12, r12, #1\n bne 4b\n"
                   "5:\n ldrd r4, r5, [sp, #36]\n add r1, lr, r5\n ldrd r6, r7, [sp, #44]\n cmp r1, r6\n it hs\n"
                   "subhs r1, r1, r7\n subs r4, r4, #1\n str r4, [sp, #36]\n bne 1b\n pop {r4-r11, pc}\n");
}
#else
PINTSIZE_INLINE void dsp_scatter(uint32_t *to, const uint32_t *from, int32_t count, int32_t pitch, int32_t runs,
                                 int32_t jump, const uint32_t *end, int32_t back)
{
    for (; runs > 0; runs--) {
        for (int32_t i = 0; i < count; i++, to += pitch / 4) {
            to[0] = from[2 * i];
            to[1] = from[2 * i + 1];
        }
        from += end - from <= jump / 4 ? (jump - back) / 4 : jump / 4;
    }
}
#endif

/* What a window with its corner at (iy, ix) sees, padding counted, from the ring into a block. */
PINTSIZE_INLINE void dsp_take(uint32_t *to, dsp_ring *ring, const int16_t *window, int32_t iy, int32_t ix,
                              int32_t pitch, int32_t bits)
{
    const int32_t words = window[DSP_CHANNELS] / 2;
    const int32_t dx = window[DSP_DX];
    while (ring->next < iy + window[DSP_SPAN]) {
        dsp_next_row(ring, window, bits);
    }
    const int32_t row = ring->row_words;
    const int32_t all = window[DSP_SPAN] * row;
    const int32_t down = window[DSP_DY] * row;
    const uint32_t *from = ring->rows + ring->slot * row + ix * words;
    const uint32_t *const end = ring->rows + all;
    if (dx == 1) {
        dsp_scatter(to, from, window[DSP_KW] * words / 2, pitch, window[DSP_KH], 4 * down, end, 4 * all);
        return;
    }
    for (int32_t ky = window[DSP_KH]; ky > 0; ky--) {
        dsp_scatter(to, from, words / 2, pitch, window[DSP_KW], 4 * dx * words, end, 0);
        to += window[DSP_KW] * words / 2 * (pitch / 4);
        from += end - from <= down ? down - all : down;
    }
}

/* As dsp_window. In scratch: the channels, a block of 3 pixels, the ring. y may run over rows that the ring has. */
PINTSIZE_INLINE void dsp_ring_window(const int8_t *x, int8_t *y, const int32_t *w, const int8_t *channels,
                                     const int8_t *packed, int8_t *scratch, int32_t bits)
{
    int16_t shape[DSP_SHAPE_MOST];
    dsp_numbers(shape, packed);
    const int32_t steps = shape[DSP_STEPS];
    const int32_t outputs = shape[DSP_OUTPUTS_COUNT];
    int32_t left = shape[DSP_PIXELS];
    const int16_t *const window = shape + DSP_WINDOW;
    int32_t *const numbers = (int32_t *)(void *)scratch;
    uint32_t *const block = (uint32_t *)(void *)scratch + (outputs + 1) / 2 * 8;
    const int32_t columns = (window[DSP_OUT_WIDTH] - 1) * window[DSP_SX] + (window[DSP_KW] - 1) * window[DSP_DX] + 1;
    dsp_ring ring = {block + 6 * steps, x, columns * window[DSP_CHANNELS] / 2, -window[DSP_TOP], 0};
    dsp_layer layer;
    const int32_t code = window[DSP_ZERO_POINT] * (bits >= 8 ? 256 : 1);
    dsp_fill_pairs(ring.rows, dsp_pair(code, code), window[DSP_SPAN] * ring.row_words);
    dsp_begin(&layer, w, numbers, block, shape, bits);
    dsp_channel_pairs(numbers, channels, shape + DSP_FACTORS, 0, outputs);
    const int32_t end = window[DSP_OUT_WIDTH] * window[DSP_SX];
    int32_t iy = -window[DSP_TOP];
    int32_t ix = 0;
    while (left > 0) {
        const int32_t pixels = left >= 3 ? 3 : 1;
        left -= pixels;
        for (int32_t n = 0; n < pixels; n++) {
            dsp_take(block + 2 * n, &ring, window, iy, ix, 8 * pixels, bits);
            ix += window[DSP_SX];
            if (ix == end) {
                ix = 0;
                iy += window[DSP_SY];
            }
        }
        dsp_block(&layer, y, pixels);
        y += pixels * outputs;
    }
}
