/* Products of a block of 3 pixels, or of 1, with all outputs of a layer, two outputs at a time.
 *
 * x: pairs of 16-bit numbers, [steps][pixels][2]: of every four inputs 0 and 2, then 1 and 3.
 * w: [outputs / 2][steps] times 8 weights. 8 bits: a word of four of the first output, one of the second's four. 16 bits
 *    (8 with their sign): inputs 0 and 2 of the first output, 1 and 3, then the second's. Narrower: a word whose 16-bit halves serve inputs 0, 1 (low) and 2, 3 (high); in a half from the highest bits down: the first output's
 *    two, the second's two; 2 bits: the next step's four below. Narrow weights are multiplied as the highest bits of
 *    16, so masks alone unpack them.
 * channels: as dsp_channel_pairs leaves them. y: a pixel's outputs, `stride` bytes to the next pixel's.
 */
/* What a layer's kernel is told: steps, pixels, outputs, seven numbers about the factors, then what is its own. */
enum { DSP_STEPS, DSP_PIXELS, DSP_OUTPUTS_COUNT, DSP_FACTORS, DSP_WINDOW = 10 };

#if DSP_ASSEMBLER

/* The weights of one step, in r8 (first output, inputs 0 and 2), r9 (1 and 3), r10 and r11 (second output). */
#define DSP_WEIGHTS_8                                                                                                 \
    "ldrd r9, r11, [r1], #8\n sxtb16 r8, r9\n sxtb16 r9, r9, ror #8\n sxtb16 r10, r11\n sxtb16 r11, r11, ror #8\n"
#define DSP_WEIGHTS_16 "ldm.w r1!, {r8-r11}\n"
#define DSP_WEIGHTS_4                                                                                                 \
    "ldr.w r11, [r1], #4\n mov.w r12, #0xf000f000\n and.w r8, r12, r11\n and.w r9, r12, r11, lsl #4\n"                \
    "and.w r10, r12, r11, lsl #8\n and.w r11, r12, r11, lsl #12\n"
#define DSP_WEIGHTS_2_EVEN                                                                                            \
    "ldr.w r11, [r1]\n mov.w r12, #0xc000c000\n and.w r8, r12, r11\n and.w r9, r12, r11, lsl #2\n"                    \
    "and.w r10, r12, r11, lsl #4\n and.w r11, r12, r11, lsl #6\n"
#define DSP_WEIGHTS_2_ODD                                                                                             \
    "ldr.w r11, [r1], #4\n mov.w r12, #0xc000c000\n and.w r8, r12, r11, lsl #8\n and.w r9, r12, r11, lsl #10\n"       \
    "and.w r10, r12, r11, lsl #12\n and.w r11, r12, r11, lsl #14\n"

#define DSP_PIXEL(first, second)                                                                                      \
    "ldrd r12, lr, [r0], #8\n"                                                                                        \
    "smlad " first ", r12, r8, " first "\n smlad " second ", r12, r10, " second "\n"                                  \
    "smlad " first ", lr, r9, " first "\n smlad " second ", lr, r11, " second "\n"
#define DSP_PIXELS_3 DSP_PIXEL("r2", "r3") DSP_PIXEL("r4", "r5") DSP_PIXEL("r6", "r7")
#define DSP_PIXELS_1 DSP_PIXEL("r2", "r3")

/* Sixteen steps, and eight. */
#define DSP_STEPS_16_8(pixels) ".rept 16\n" DSP_WEIGHTS_8 pixels ".endr\n"
#define DSP_STEPS_16_16(pixels) ".rept 16\n" DSP_WEIGHTS_16 pixels ".endr\n"
#define DSP_STEPS_16_4(pixels) ".rept 16\n" DSP_WEIGHTS_4 pixels ".endr\n"
#define DSP_STEPS_16_2(pixels) ".rept 8\n" DSP_WEIGHTS_2_EVEN pixels DSP_WEIGHTS_2_ODD pixels ".endr\n"
#define DSP_STEPS_8_8(pixels) ".rept 8\n" DSP_WEIGHTS_8 pixels ".endr\n"
#define DSP_STEPS_8_16(pixels) ".rept 8\n" DSP_WEIGHTS_16 pixels ".endr\n"
#define DSP_STEPS_8_4(pixels) ".rept 8\n" DSP_WEIGHTS_4 pixels ".endr\n"
#define DSP_STEPS_8_2(pixels) ".rept 4\n" DSP_WEIGHTS_2_EVEN pixels DSP_WEIGHTS_2_ODD pixels ".endr\n"

/* r12 is free; the first output's multiplier, addend and shift are in r8, r10, r0, the second's in r9, r11, lr. */
#define DSP_RECTIFIED(acc, multiplier, addend, shift, of_negative)                                                    \
    "smmla " acc ", " acc ", " multiplier ", " addend "\n asr " acc ", " acc ", " shift "\n ssat " acc ", #8, " acc "\n"
#define DSP_SIGNED(acc, multiplier, addend, shift, of_negative)                                                       \
    "asr r12, " acc ", #31\n smmla " acc ", " acc ", " multiplier ", " addend "\n"                                    \
    "add " acc ", " acc ", r12, lsl #" of_negative "\n asr " acc ", " acc ", " shift "\n ssat " acc ", #8, " acc "\n"
#define DSP_OUTPUTS(round, first, second, of_negative)                                                                \
    round(first, "r8", "r10", "r0", of_negative) round(second, "r9", "r11", "lr", of_negative)

/* Three pixels, 16 steps unrolled: the first pass over them enters where as many steps as needed are left. On the stack:
 * 0 further passes, 4 where a pass ends, 8 x, 12 passes left, 16 channels, 20 where the last channels' numbers are, 24
 * how outputs are rounded, 72 where the first pass enters, 76 y, 80 stride, 84 whether negative sums have their own
 * rounding. step: bytes of one; last: of 15. */
#define DSP_PRODUCTS_3(name, bits, step, last, of_negative)                                                           \
    DSP_NAKED void name(const uint32_t *x, const int32_t *w, const int32_t *channels, int8_t *y, int32_t steps,       \
                        int32_t pairs, int32_t stride, int32_t negatives)                                             \
    {                                                                                                                 \
        __asm volatile("push {r4-r11, lr}\n sub sp, sp, #36\n str r0, [sp, #8]\n mov r12, r2\n"                       \
                       "ldrd r2, r4, [sp, #72]\n str r3, [sp, #76]\n add r4, r12, r4, lsl #5\n sub r4, r4, #24\n"     \
                       "str r4, [sp, #20]\n sub r3, r2, #1\n lsr r4, r3, #4\n str r4, [sp]\n str r4, [sp, #12]\n"     \
                       "adr.w r5, 4f\n adr.w r6, 5f\n ldr r7, [sp, #84]\n cmp r7, #0\n it ne\n movne r5, r6\n"        \
                       "orr r5, r5, #1\n str r5, [sp, #24]\n adr.w r6, 3f\n orr r6, r6, #1\n cmp r4, #0\n it ne\n"    \
                       "movne r5, r6\n str r5, [sp, #4]\n and r3, r3, #15\n mov r4, #" step "\n mul r3, r3, r4\n"     \
                       "adr.w r4, 2f\n addw r4, r4, #" last "\n sub r4, r4, r3\n orr r4, r4, #1\n str r4, [sp, #72]\n"\
                       "1:\n ldrd r4, r5, [r12]\n ldrd r6, r7, [r12]\n ldrd r2, r3, [r12], #8\n"                      \
                       "str r12, [sp, #16]\n ldr r0, [sp, #8]\n ldr.w pc, [sp, #72]\n .p2align 2\n"                   \
                       "2:\n" DSP_STEPS_16_##bits(DSP_PIXELS_3) "ldr.w pc, [sp, #4]\n .p2align 2\n"           \
                       "3:\n ldr r12, [sp, #12]\n subs r12, r12, #1\n str r12, [sp, #12]\n bpl.w 2b\n"                \
                       "ldr r12, [sp]\n str r12, [sp, #12]\n ldr.w pc, [sp, #24]\n .p2align 2\n"                      \
                       "5:\n ldr r12, [sp, #16]\n ldm r12!, {r0, r8, r9, r10, r11, lr}\n str r12, [sp, #16]\n"        \
                       DSP_OUTPUTS(DSP_SIGNED, "r2", "r3", of_negative) DSP_OUTPUTS(DSP_SIGNED, "r4", "r5", of_negative)\
                       DSP_OUTPUTS(DSP_SIGNED, "r6", "r7", of_negative) "ldrd r12, r8, [sp, #16]\n"                   \
                       "add r8, r8, #24\n cmp r12, r8\n b 6f\n .p2align 2\n"                                          \
                       "4:\n ldrd r12, r8, [sp, #16]\n cmp r12, r8\n ldm r12!, {r0, r8, r9, r10, r11, lr}\n"          \
                       DSP_OUTPUTS(DSP_RECTIFIED, "r2", "r3", of_negative)                                            \
                       DSP_OUTPUTS(DSP_RECTIFIED, "r4", "r5", of_negative)                                            \
                       DSP_OUTPUTS(DSP_RECTIFIED, "r6", "r7", of_negative)                                            \
                       "6:\n bfi r2, r3, #8, #8\n bfi r4, r5, #8, #8\n bfi r6, r7, #8, #8\n ldrd r8, r0, [sp, #76]\n" \
                       "strh r4, [r8, r0]\n strh r6, [r8, r0, lsl #1]\n strh r2, [r8], #2\n str r8, [sp, #76]\n"      \
                       "bne.w 1b\n add sp, sp, #36\n pop {r4-r11, pc}\n");                                            \
    }

/* One pixel, 8 steps unrolled. On the stack: 36 steps, from then on where the first pass enters, 40 pairs, from then on
 * the channels' end, 44 passes. Its rounding serves rectified outputs too. */
#define DSP_PRODUCTS_1(name, bits, step, last, of_negative)                                                           \
    DSP_NAKED void name(const uint32_t *x, const int32_t *w, const int32_t *channels, int8_t *y, int32_t steps,       \
                        int32_t pairs, int32_t stride, int32_t negatives)                                             \
    {                                                                                                                 \
        __asm volatile("push {r4-r11, lr}\n mov r5, r0\n mov r6, r2\n mov r7, r3\n"                                   \
                       "ldr r3, [sp, #36]\n sub r3, r3, #1\n lsr r4, r3, #3\n add r4, r4, #1\n str r4, [sp, #44]\n"   \
                       "and r3, r3, #7\n mov r4, #" step "\n mul r3, r3, r4\n"                                        \
                       "adr.w r4, 2f\n addw r4, r4, #" last "\n sub r4, r4, r3\n orr r4, r4, #1\n str r4, [sp, #36]\n"\
                       "ldr r4, [sp, #40]\n add r2, r2, r4, lsl #5\n str r2, [sp, #40]\n"                             \
                       "1:\n ldrd r2, r3, [r6], #8\n mov r0, r5\n ldr r4, [sp, #44]\n ldr.w pc, [sp, #36]\n .p2align 2\n"\
                       "2:\n" DSP_STEPS_8_##bits(DSP_PIXELS_1) "subs r4, r4, #1\n bne.w 2b\n"                           \
                       "ldm r6!, {r0, r8, r9, r10, r11, lr}\n"                                                        \
                       DSP_OUTPUTS(DSP_SIGNED, "r2", "r3", of_negative)                                               \
                       "strb r2, [r7], #1\n strb r3, [r7], #1\n ldr r4, [sp, #40]\n cmp r6, r4\n bne.w 1b\n"          \
                       "pop {r4-r11, pc}\n");                                                                         \
    }

DSP_PRODUCTS_3(dsp_products_3_16, 16, "64", "960", "7")
DSP_PRODUCTS_3(dsp_products_3_8, 8, "80", "1200", "7")
DSP_PRODUCTS_3(dsp_products_3_4, 4, "84", "1260", "11")
DSP_PRODUCTS_3(dsp_products_3_2, 2, "84", "1260", "13")
DSP_PRODUCTS_1(dsp_products_1_16, 16, "24", "168", "7")
DSP_PRODUCTS_1(dsp_products_1_8, 8, "40", "280", "7")
DSP_PRODUCTS_1(dsp_products_1_4, 4, "44", "308", "11")
DSP_PRODUCTS_1(dsp_products_1_2, 2, "44", "308", "13")

#else

/* Weight `input` of the first (0) or second (1) output in step k. */
PINTSIZE_INLINE int32_t dsp_weight(const int32_t *w, int32_t k, int32_t input, int32_t output, int32_t bits)
{
    if (bits == 16) {
        return dsp_low((uint32_t)w[k * 4 + output * 2 + input % 2] >> (16 * (input / 2)));
    }
    if (bits == 8) {
        return dsp_low((uint32_t)w[k * 2 + output] >> (8 * input) << 8 & 0xff00u) / 256;
    }
    const int32_t shift = bits * (input % 2 + 2 * output) + (bits == 2 ? 8 * (k % 2) : 0);
    const uint32_t half = (uint32_t)w[bits == 4 ? k : k / 2] >> (input / 2 * 16) & 0xffffu;
    return dsp_low(half << shift & (bits == 4 ? 0xf000u : 0xc000u));
}

PINTSIZE_INLINE void dsp_products(const uint32_t *x, const int32_t *w, const int32_t *channels, int8_t *y,
                                  int32_t steps, int32_t pairs, int32_t stride, int32_t pixels, int32_t bits,
                                  int32_t negatives)
{
    const int32_t of_negative = !negatives ? 0 : bits >= 8 ? 1 << 7 : bits == 4 ? 1 << 11 : 1 << 13;
    for (int32_t i = 0; i < pairs; i++, channels += 8, w += steps * bits / 4) {
        for (int32_t o = 0; o < 2; o++) {
            for (int32_t n = 0; n < pixels; n++) {
                int32_t acc = channels[o];
                for (int32_t k = 0; k < steps; k++) {
                    const uint32_t *const at = x + (k * pixels + n) * 2;
                    acc = dsp_multiply_pairs(acc, at[0], dsp_pair(dsp_weight(w, k, 0, o, bits),
                                                                  dsp_weight(w, k, 2, o, bits)));
                    acc = dsp_multiply_pairs(acc, at[1], dsp_pair(dsp_weight(w, k, 1, o, bits),
                                                                  dsp_weight(w, k, 3, o, bits)));
                }
                y[n * stride + i * 2 + o] = dsp_requantized(acc, channels[3 + o], channels[5 + o],
                                                            channels[o ? 7 : 2], of_negative);
            }
        }
    }
}
#endif

/* A layer's products: what dsp_block takes for every block. */
typedef struct {
    const int32_t *w;
    int32_t *channels;
    uint32_t *block;
    int32_t steps;
    int32_t outputs;
    int32_t bits;
    int32_t negatives;
#if DSP_ASSEMBLER
    void (*three)(const uint32_t *, const int32_t *, const int32_t *, int8_t *, int32_t, int32_t, int32_t,
                  int32_t);
    void (*one)(const uint32_t *, const int32_t *, const int32_t *, int8_t *, int32_t, int32_t, int32_t,
                  int32_t);
#endif
} dsp_layer;

PINTSIZE_INLINE void dsp_begin(dsp_layer *layer, const int32_t *w, int32_t *channels, uint32_t *block,
                               const int16_t *shape, int32_t bits)
{
    layer->w = w;
    layer->channels = channels;
    layer->block = block;
    layer->steps = shape[DSP_STEPS];
    layer->outputs = shape[DSP_OUTPUTS_COUNT];
    layer->bits = bits;
    layer->negatives = shape[DSP_FACTORS + 2] != -255; /* else they end at the zero point, -128, all the same */
#if DSP_ASSEMBLER
    layer->three = bits == 16  ? dsp_products_3_16
                   : bits == 8 ? dsp_products_3_8
                   : bits == 4 ? dsp_products_3_4
                               : dsp_products_3_2;
    layer->one = bits == 16  ? dsp_products_1_16
                 : bits == 8 ? dsp_products_1_8
                 : bits == 4 ? dsp_products_1_4
                             : dsp_products_1_2;
#endif
}

PINTSIZE_INLINE void dsp_multiply(const dsp_layer *layer, int32_t pair, int32_t pairs, int8_t *y, int32_t stride,
                                  int32_t pixels)
{
    const int32_t *const w = layer->w + pair * layer->steps * layer->bits / 4;
    const int32_t *const channels = layer->channels + pair * 8;
#if DSP_ASSEMBLER
    (pixels == 3 ? layer->three : layer->one)(layer->block, w, channels, y, layer->steps, pairs, stride,
                                                   layer->negatives);
#else
    dsp_products(layer->block, w, channels, y, layer->steps, pairs, stride, pixels, layer->bits, layer->negatives);
#endif
}

/* All outputs of the 3 pixels (or 1) in the block. */
DSP_SHARED void dsp_block(const dsp_layer *layer, int8_t *y, int32_t pixels)
{
    const int32_t pairs = layer->outputs / 2;
    if (pairs > 0) {
        dsp_multiply(layer, 0, pairs, y, layer->outputs, pixels);
    }
    if (layer->outputs % 2) {
        int8_t last[6];
        dsp_multiply(layer, pairs, 1, last, 2, pixels);
        for (int32_t n = 0; n < pixels; n++) {
            y[n * layer->outputs + layer->outputs - 1] = last[2 * n];
            DSP_PLAIN_LOOP;
        }
    }
}

/* `steps` times four numbers of a pixel into a block, a step's every `pitch` bytes; times 256 for weights of 8 bits and 16. */
#if DSP_ASSEMBLER
DSP_NAKED void dsp_spread_scaled(uint32_t *to, const int8_t *x, int32_t steps, int32_t pitch)
{
    __asm volatile("push {r4, lr}\n mov.w r12, #0xff00ff00\n"
                   "1:\n ldr r4, [r1], #4\n and lr, r12, r4, lsl #8\n and r4, r4, r12\n strd lr, r4, [r0]\n"
                   "add r0, r0, r3\n subs r2, r2, #1\n bne 1b\n pop {r4, pc}\n");
}

DSP_NAKED void dsp_spread_plain(uint32_t *to, const int8_t *x, int32_t steps, int32_t pitch)
{
    __asm volatile("push {r4, lr}\n"
                   "1:\n ldr r4, [r1], #4\n sxtb16 lr, r4\n sxtb16 r4, r4, ror #8\n strd lr, r4, [r0]\n"
                   "add r0, r0, r3\n subs r2, r2, #1\n bne 1b\n pop {r4, pc}\n");
}
#endif

PINTSIZE_INLINE void dsp_spread(uint32_t *to, const int8_t *x, int32_t steps, int32_t pitch, int32_t bits)
{
#if DSP_ASSEMBLER
    (bits >= 8 ? dsp_spread_scaled : dsp_spread_plain)(to, x, steps, pitch);
#else
    const int32_t scale = bits >= 8 ? 256 : 1;
    for (; steps > 0; steps--, x += 4, to += pitch / 4) {
        to[0] = dsp_pair(x[0] * scale, x[2] * scale);
        to[1] = dsp_pair(x[1] * scale, x[3] * scale);
    }
#endif
}
