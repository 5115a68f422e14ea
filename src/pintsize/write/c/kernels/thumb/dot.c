/* Products of one pixel with its layer's weights, four output channels at a time. */
#define THUMB_MAC(x, w, acc) "ldrb %[b], [%[w], #" w "]\n muls %[b], %[a], %[b]\n adds %[" acc "], %[" acc "], %[b]\n"
#define THUMB_STEP(x, w0, w1, w2, w3)                                                                        \
    "ldrb %[a], [%[x], #" x "]\n" THUMB_MAC(x, w0, "s0") THUMB_MAC(x, w1, "s1") THUMB_MAC(x, w2, "s2")         \
        THUMB_MAC(x, w3, "s3")

/* Four channels of one pixel: acc += x * w, w (inputs, 4). Gives the next four channels' weights. */
PINTSIZE_INLINE const uint8_t *thumb_dot4(int32_t acc[4], const uint8_t *x, const uint8_t *w, int32_t inputs)
{
    const uint8_t *end = x + inputs;
#if defined(THUMB_1)
    const uint8_t *whole = x + (inputs & ~7);
    int32_t s0 = acc[0], s1 = acc[1], s2 = acc[2], s3 = acc[3], a, b;
    THUMB_KEEP(whole, end);
    THUMB_LOOP(
        "cmp %[x], " THUMB_K0 "\n beq 2f\n 1:\n"
        THUMB_STEP("0", "0", "1", "2", "3") THUMB_STEP("1", "4", "5", "6", "7")
        THUMB_STEP("2", "8", "9", "10", "11") THUMB_STEP("3", "12", "13", "14", "15")
        THUMB_STEP("4", "16", "17", "18", "19") THUMB_STEP("5", "20", "21", "22", "23")
        THUMB_STEP("6", "24", "25", "26", "27") THUMB_STEP("7", "28", "29", "30", "31")
        "adds %[w], #32\n adds %[x], #8\n cmp %[x], " THUMB_K0 "\n bne 1b\n"
        "2: cmp %[x], " THUMB_K1 "\n beq 4f\n 3:\n"
        THUMB_STEP("0", "0", "1", "2", "3")
        "adds %[w], #4\n adds %[x], #1\n cmp %[x], " THUMB_K1 "\n bne 3b\n 4:\n",
        [k0] "h"(whole), [k1] "h"(end));
    acc[0] = s0;
    acc[1] = s1;
    acc[2] = s2;
    acc[3] = s3;
#else
    for (; x < end; x++, w += 4) {
        for (int32_t j = 0; j < 4; j++) {
            acc[j] += *x * w[j];
        }
    }
#endif
    return w;
}

/* Weights of 4 and 2 bits: one product serves two channels, whose fields of a word are 16 bits apart and kept 8 (or 2)
 * larger, so that nothing is negative and 16 inputs' products fit such a field. By four inputs of four channels: 4 bits,
 * two words, of inputs 0, 1 and of 2, 3; 2 bits, one word. In a word, lowest first: channels 0 (and 1 in the high half),
 * then 2 (and 3) of an input, then those of the next input. */
#if defined(THUMB_1)
#if defined(__clang__)
#define THUMB_NAKED static __attribute__((naked, noinline, unused))
#else /* the bodies read their parameters behind the compiler's back */
#define THUMB_NAKED static __attribute__((naked, noipa, unused))
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
#define THUMB_FIELDS(take, sums) take "\n ands r4, r2\n muls r4, r5, r4\n adds " sums ", r4\n"
#define THUMB_INPUT(x, first, second) "ldrb r5, [r0, #" x "]\n" THUMB_FIELDS(first, "r6") THUMB_FIELDS(second, "r7")
#define THUMB_WORD "ldm r1!, {r3}\n"
#define THUMB_SHIFTED(by) "lsrs r4, r3, #" by
#define THUMB_INPUTS_4(a, b, c, d)                                                                           \
    THUMB_WORD THUMB_INPUT(a, "movs r4, r3", THUMB_SHIFTED("4"))                                              \
        THUMB_INPUT(b, THUMB_SHIFTED("8"), THUMB_SHIFTED("12"))                                               \
            THUMB_WORD THUMB_INPUT(c, "movs r4, r3", THUMB_SHIFTED("4"))                                      \
                THUMB_INPUT(d, THUMB_SHIFTED("8"), THUMB_SHIFTED("12"))
#define THUMB_INPUTS_2(a, b, c, d)                                                                           \
    THUMB_WORD THUMB_INPUT(a, "movs r4, r3", THUMB_SHIFTED("2"))                                              \
        THUMB_INPUT(b, THUMB_SHIFTED("4"), THUMB_SHIFTED("6"))                                                \
            THUMB_INPUT(c, THUMB_SHIFTED("8"), THUMB_SHIFTED("10"))                                           \
                THUMB_INPUT(d, THUMB_SHIFTED("12"), THUMB_SHIFTED("14"))

/* 16 inputs unrolled; the first time it enters where what does not divide by 16 is left. On the stack: 36 acc.
 * words: half of the instructions' bytes for four inputs. */
#define THUMB_DOT4_NARROW(name, by_four, words)                                                              \
    THUMB_NAKED void name(const uint8_t *x, const int8_t *w, uint32_t mask, int32_t inputs, int32_t acc[4])     \
    {                                                                                                         \
        __asm__ volatile(".syntax unified\n push {r4-r7, lr}\n mov r4, r8\n mov r5, r9\n mov r6, r10\n"        \
                         "mov r7, r11\n push {r4-r7}\n ldr r4, [sp, #36]\n ldm r4, {r4-r7}\n mov r8, r4\n"       \
                         "mov r9, r5\n mov r10, r6\n mov r11, r7\n movs r6, #0\n movs r7, #0\n"                \
                         "adds r4, r0, r3\n mov r12, r4\n subs r3, #4\n movs r4, #12\n bics r4, r3\n subs r0, r0, r4\n lsrs r4, r4, #1\n"                    \
                         "movs r5, #" words "\n muls r4, r5, r4\n adr r5, 2f\n adds r5, r5, r4\n mov pc, r5\n" \
                         ".p2align 2\n 2:\n" by_four("0", "1", "2", "3") by_four("4", "5", "6", "7")          \
                         by_four("8", "9", "10", "11") by_four("12", "13", "14", "15")                        \
                         "uxth r4, r6\n add r8, r4\n lsrs r6, r6, #16\n add r9, r6\n uxth r4, r7\n"            \
                         "add r10, r4\n lsrs r7, r7, #16\n add r11, r7\n movs r6, #0\n movs r7, #0\n"          \
                         "adds r0, #16\n cmp r0, r12\n beq 3f\n b 2b\n"                                        \
                         "3: ldr r4, [sp, #36]\n mov r0, r8\n mov r1, r9\n mov r2, r10\n mov r3, r11\n"        \
                         "stm r4!, {r0-r3}\n pop {r4-r7}\n mov r8, r4\n mov r9, r5\n mov r10, r6\n"            \
                         "mov r11, r7\n pop {r4-r7, pc}\n");                                                  \
    }
THUMB_DOT4_NARROW(thumb_dot4_4, THUMB_INPUTS_4, "38")
THUMB_DOT4_NARROW(thumb_dot4_2, THUMB_INPUTS_2, "37")
#endif

/* As thumb_dot4 with narrow weights; inputs: by fours. */
PINTSIZE_INLINE const uint8_t *thumb_dot4_narrow(int32_t acc[4], const uint8_t *x, const uint8_t *w, int32_t inputs,
                                                 int32_t bits)
{
#if defined(THUMB_1)
    if (bits == 4) {
        thumb_dot4_4(x, (const int8_t *)w, 0x000f000fu, inputs, acc);
    } else {
        thumb_dot4_2(x, (const int8_t *)w, 0x00030003u, inputs, acc);
    }
#else
    const int32_t in_word = 8 / bits;
    for (int32_t i = 0; i < inputs; i++) {
        const uint8_t *word = w + i / in_word * 4;
        for (int32_t j = 0; j < 4; j++) {
            const int32_t place = i % in_word * 2 * bits + j / 2 * bits;
            acc[j] += x[i] * ((word[j % 2 * 2 + place / 8] >> place % 8) & ((1 << bits) - 1));
        }
    }
#endif
    return w + inputs * bits / 2;
}

/* One pixel, all channels: x as thumb_copy gives it, w (outputs / 4, inputs, 4), then (outputs % 4, inputs), which are
 * always bytes. Narrow weights: inputs are a multiple of 4. bounds: zero point, low, high, and from one multiplier and
 * shift to the next: 1, or 0 where one serves all. */
PINTSIZE_INLINE void thumb_outputs(const uint8_t *x, int32_t sum, int8_t *y, const int8_t *weight, const int32_t *bias,
                                   const int32_t *multiplier, const int8_t *shift, int32_t inputs, int32_t outputs,
                                   const int32_t *bounds, int32_t bits)
{
    const uint8_t *w = (const uint8_t *)weight;
    const int32_t all = -128 * sum;
    for (int32_t left = outputs; left > 0; left -= 4) {
        const int32_t count = left < 4 ? left : 4;
        int32_t acc[4] = {all, all, all, all};
        if (count == 4 && bits == 8) {
            w = thumb_dot4(acc, x, w, inputs);
        } else if (count == 4) {
            acc[0] = acc[1] = acc[2] = acc[3] = -(1 << (bits - 1)) * sum;
            w = thumb_dot4_narrow(acc, x, w, inputs, bits);
        } else {
            for (int32_t j = 0; j < count; j++) {
                for (int32_t i = 0; i < inputs; i++) {
                    acc[j] += x[i] * *w++;
                }
            }
        }
        for (int32_t j = 0; j < count; j++) {
            *y++ = thumb_requantized(acc[j] + *bias++, *multiplier, *shift, bounds);
            multiplier += bounds[3];
            shift += bounds[3];
        }
    }
}

#define THUMB_PIXEL(name, bits)                                                                              \
    THUMB_SHARED void name(const uint8_t *x, int32_t sum, int8_t *y, const int8_t *w, const int32_t *bias,    \
                           const int32_t *multiplier, const int8_t *shift, int32_t inputs, int32_t outputs,   \
                           const int32_t *bounds)                                                             \
    {                                                                                                         \
        thumb_outputs(x, sum, y, w, bias, multiplier, shift, inputs, outputs, bounds, bits);                  \
    }
THUMB_PIXEL(thumb_pixel_8, 8)
THUMB_PIXEL(thumb_pixel_4, 4)
THUMB_PIXEL(thumb_pixel_2, 2)

PINTSIZE_INLINE void thumb_pixel(const uint8_t *x, int32_t sum, int8_t *y, const int8_t *w, const int32_t *bias,
                                 const int32_t *multiplier, const int8_t *shift, int32_t inputs, int32_t outputs,
                                 const int32_t *bounds, int32_t bits)
{
    (bits == 8 ? thumb_pixel_8 : bits == 4 ? thumb_pixel_4 : thumb_pixel_2)(
        x, sum, y, w, bias, multiplier, shift, inputs, outputs, bounds);
}

/* The inputs that thumb_pixel takes: some more for narrow weights, which are set to 0 once. */
PINTSIZE_INLINE int32_t thumb_padded(uint8_t *row, int32_t inputs, int32_t bits)
{
    const int32_t padded = bits == 8 ? inputs : (inputs + 3) & ~3;
    for (int32_t i = inputs; i < padded; i++) {
        row[i] = 0;
    }
    return padded;
}
