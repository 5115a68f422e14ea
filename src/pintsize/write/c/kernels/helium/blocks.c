/* Sums of products and their way back to codes. Weights come in blocks of four output channels: per 16 inputs 4 x 16
 * weights, then 4 x the rest of the inputs; narrow ones as dot.c states, the rest filled up to 16, and their biases 16
 * (or 64) times as large. With each block go nine words: four biases, four multipliers, and the four shifts as bytes
 * of one word. Channels that fill no block follow one by one: their weights, as bytes, and three words. */
#if defined(HELIUM_ASSEMBLER)
/* Two vectors of sums (s, t) → codes. Rounding a right shift is half away from zero only if negative numbers are one
 * less before; where the activation cuts negative results off, that makes no difference. */
#define HELIUM_SIGNED(s, t, free)                                                                            \
    "vshr.s32 " free ", " s ", #31\n vadd.i32 " s ", " s ", " free "\n"                                        \
    "vshr.s32 " free ", " t ", #31\n vadd.i32 " t ", " t ", " free "\n"
#define HELIUM_UNSIGNED(s, t, free) ""

/* All blocks of pairs of pixels. numbers, which go onto the stack: w, f, inputs, from pixel to pixel of y, end of f,
 * x0, x1, pairs, from pair to pair of x. */
#define HELIUM_PAIR_BLOCKS(bits, rounding, ...)                                                                    \
    __asm__ volatile(                                                                                         \
        "ldm %[k]!, {r0, r2}\n push {r0, r2}\n ldm %[k], {r0, r2, r4, r6, r8, r10, r12, lr}\n"                 \
        "push {r0, r2, r4, r6, r8, r10, r12, lr}\n ldrd %[x0], %[x1], [sp, #12]\n 7: ldrd %[w], %[f], [sp, #32]\n" \
        "0: ldr %[k], [sp]\n ldrd r0, r2, [%[f]]\n ldrd r4, r6, [%[f], #8]\n ldrd r8, r10, [%[f]]\n"           \
        "ldrd r12, lr, [%[f], #8]\n" HELIUM_INPUTS(HELIUM_PAIR_16_##bits, HELIUM_PAIR_REST_##bits)                \
        "vmov q0[2], q0[0], r0, r4\n vmov q0[3], q0[1], r2, r6\n vmov q1[2], q1[0], r8, r12\n"                 \
        "vmov q1[3], q1[1], r10, lr\n" HELIUM_UNSCALED_##bits("q0") HELIUM_UNSCALED_##bits("q1")             \
        "ldrd r0, r2, [sp, #4]\n ldrd %[x0], %[x1], [sp, #12]\n"                                              \
        "vldrw.32 q2, [%[f], #16]\n vqrdmulh.s32 q0, q0, q2\n vqrdmulh.s32 q1, q1, q2\n"                       \
        rounding("q0", "q1", "q2") "add r4, %[f], #32\n vldrb.s32 q3, [r4]\n add %[f], %[f], #36\n"           \
        "vrshl.s32 q0, q0, q3\n vrshl.s32 q1, q1, q3\n vadd.i32 q0, q0, %q[zero]\n"                            \
        "vadd.i32 q1, q1, %q[zero]\n vmax.s32 q0, q0, %q[low]\n vmax.s32 q1, q1, %q[low]\n"                    \
        "vmin.s32 q0, q0, %q[high]\n vmin.s32 q1, q1, %q[high]\n add r4, r0, %[y]\n vstrb.32 q1, [r4]\n"       \
        "vstrb.32 q0, [%[y]], #4\n cmp %[f], r2\n bne 0b\n ldrd r2, r4, [sp, #20]\n subs r2, r2, #1\n"        \
        "beq 8f\n str r2, [sp, #20]\n add %[x0], %[x0], r4\n add %[x1], %[x1], r4\n"                          \
        "strd %[x0], %[x1], [sp, #12]\n add %[y], %[y], r0\n b 7b\n 8: add sp, sp, #40\n"                     \
        : [x0] "=&" HELIUM_HIGH(x0), [x1] "=&" HELIUM_HIGH(x1), [y] "+l"(y), [w] "=&r"(w), [f] "=&r"(f),      \
          [k] "+r"(numbers) HELIUM_PREDICATE                                                                  \
        : [zero] "w"(zeros), [low] "w"(lows), __VA_ARGS__                                                     \
        : "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "q0", "q1", "q2", "q3", "cc",                     \
          "memory")

/* All blocks of one pixel. numbers: inputs, end of f. */
#define HELIUM_ONE_BLOCKS(bits, factors, rounding, ...)                                                            \
    __asm__ volatile(                                                                                         \
        "push {%[x0]}\n 0: ldr %[k], [%[n]]\n ldrd r0, r2, [%[f]]\n ldrd r4, r6, [%[f], #8]\n"                 \
        HELIUM_INPUTS(HELIUM_ONE_16_##bits, HELIUM_ONE_REST_##bits)                                            \
        "vmov q0[2], q0[0], r0, r4\n vmov q0[3], q0[1], r2, r6\n" HELIUM_UNSCALED_##bits("q0")               \
        "ldr %[x0], [sp]\n ldr r0, [%[n], #4]\n"                                                              \
        factors("vqrdmulh.s32 q0, q0, ") rounding("q0", "q0", "q2") "vrshl.s32 q0, q0, q3\n"                  \
        "vadd.i32 q0, q0, %q[zero]\n vmax.s32 q0, q0, %q[low]\n vmin.s32 q0, q0, %q[high]\n"                   \
        "vstrb.32 q0, [%[y]], #4\n cmp %[f], r0\n bne 0b\n add sp, sp, #4\n"                                   \
        : [x0] "+" HELIUM_HIGH(x0), [y] "+l"(y), [w] "+" HELIUM_HIGH(w), [f] "+r"(f),                         \
          [k] "=&r"(k) HELIUM_PREDICATE                                                                       \
        : [n] "r"(numbers), [zero] "w"(zeros), [low] "w"(lows), [high] "w"(highs), __VA_ARGS__                \
        : "r0", "r2", "r4", "r6", "q0", "q2", "q3", "cc", "memory")
#define HELIUM_OWN_FACTORS(multiply)                                                                         \
    "vldrw.32 q2, [%[f], #16]\n" multiply "q2\n add r2, %[f], #32\n vldrb.s32 q3, [r2]\n add %[f], %[f], #36\n"
#define HELIUM_ONE_FACTOR(multiply) multiply "%q[factor]\n vmov q3, %q[shift]\n add %[f], %[f], #16\n"
#define HELIUM_SIGNED_ONE(s, t, free) "vshr.s32 " free ", " s ", #31\n vadd.i32 " s ", " s ", " free "\n"
#endif

PINTSIZE_INLINE int32_t helium_shift(int32_t shifts, int32_t j)
{
    return (int8_t)(uint8_t)((uint32_t)shifts >> (8 * j));
}

/* `blocks` times four channels of `pairs` times two pixels; `step` from pixel to pixel of x, `next` of y (both 0: the
 * second pixel is the first). */
PINTSIZE_INLINE void helium_pair_blocks(const int8_t *x, int8_t *y, int32_t pairs, int32_t step, int32_t next,
                                        const int8_t *w, const int32_t *f, int32_t inputs, int32_t blocks,
                                        const int32_t *bounds, int32_t bits, int32_t is_signed)
{
#if defined(HELIUM_ASSEMBLER)
    const int32x4_t zeros = vdupq_n_s32(bounds[0]);
    const int32x4_t lows = vdupq_n_s32(bounds[1]);
    const int32x4_t highs = vdupq_n_s32(bounds[2]);
    const uintptr_t all[10] = {(uintptr_t)w, (uintptr_t)f, (uintptr_t)inputs, (uintptr_t)next,
                               (uintptr_t)(f + 9 * blocks), (uintptr_t)x, (uintptr_t)(x + step), (uintptr_t)pairs,
                               (uintptr_t)(2 * step), 0};
    const uintptr_t *numbers = all;
    const int8_t *x0;
    const int8_t *x1;
    mve_pred16_t predicate;
    const int8x16_t mask = HELIUM_MASK(bits);
    if (bits == 8 && is_signed) {
        HELIUM_PAIR_BLOCKS(8, HELIUM_SIGNED, [high] "w"(highs));
    } else if (bits == 8) {
        HELIUM_PAIR_BLOCKS(8, HELIUM_UNSIGNED, [high] "w"(highs));
    } else if (bits == 4 && is_signed) {
        HELIUM_PAIR_BLOCKS(4, HELIUM_SIGNED, [high] "w"(highs), [mask] "w"(mask));
    } else if (bits == 4) {
        HELIUM_PAIR_BLOCKS(4, HELIUM_UNSIGNED, [high] "w"(highs), [mask] "w"(mask));
    } else if (is_signed) {
        HELIUM_PAIR_BLOCKS(2, HELIUM_SIGNED, [high] "w"(highs), [mask] "w"(mask));
    } else {
        HELIUM_PAIR_BLOCKS(2, HELIUM_UNSIGNED, [high] "w"(highs), [mask] "w"(mask));
    }
    (void)mask;
    (void)predicate;
#else
    for (; pairs > 0; pairs--, x += 2 * step, y += 8 * blocks) {
        for (int32_t o = 0; o < blocks * 4; o++) {
            const int8_t *block = w + (o >> 2) * helium_block_bytes(inputs, bits);
            const int32_t *words = f + (o >> 2) * 9;
            const int32_t shift = helium_shift(words[8], o & 3);
            int32_t s = words[o & 3] >> (8 - bits);
            int32_t t = s;
            for (int32_t i = 0; i < inputs; i++) {
                const int32_t weight = helium_weight(block, inputs, i, o & 3, bits);
                s += x[i] * weight;
                t += x[step + i] * weight;
            }
            y[o] = requantized(s, words[4 + (o & 3)], shift, bounds[0], bounds[1], bounds[2]);
            y[o + next] = requantized(t, words[4 + (o & 3)], shift, bounds[0], bounds[1], bounds[2]);
        }
    }
    (void)is_signed;
#endif
}

/* `blocks` times four channels of one pixel. uniform: f has biases alone, one multiplier and shift serve all. */
PINTSIZE_INLINE void helium_one_blocks(const int8_t *x0, int8_t *y, const int8_t *w, const int32_t *f, int32_t inputs,
                                       int32_t blocks, const int32_t *bounds, int32_t bits, int32_t uniform,
                                       int32_t is_signed)
{
    const int32_t words = uniform ? 4 : 9;
#if defined(HELIUM_ASSEMBLER)
    const int32x4_t zeros = vdupq_n_s32(bounds[0]);
    const int32x4_t lows = vdupq_n_s32(bounds[1]);
    const int32x4_t highs = vdupq_n_s32(bounds[2]);
    const int32x4_t factor = vdupq_n_s32(bounds[3]);
    const int32x4_t shift = vdupq_n_s32(bounds[4]);
    const uintptr_t numbers[2] = {(uintptr_t)inputs, (uintptr_t)(f + words * blocks)};
    int32_t k;
    mve_pred16_t predicate;
    const int8x16_t mask = HELIUM_MASK(bits);
#define HELIUM_ONE(bits, factors, rounding) \
    HELIUM_ONE_BLOCKS(bits, factors, rounding, [factor] "w"(factor), [shift] "w"(shift))
    if (bits == 4 && is_signed) {
        HELIUM_ONE_BLOCKS(4, HELIUM_OWN_FACTORS, HELIUM_SIGNED_ONE, [mask] "w"(mask));
    } else if (bits == 4) {
        HELIUM_ONE_BLOCKS(4, HELIUM_OWN_FACTORS, HELIUM_UNSIGNED, [mask] "w"(mask));
    } else if (bits == 2 && is_signed) {
        HELIUM_ONE_BLOCKS(2, HELIUM_OWN_FACTORS, HELIUM_SIGNED_ONE, [mask] "w"(mask));
    } else if (bits == 2) {
        HELIUM_ONE_BLOCKS(2, HELIUM_OWN_FACTORS, HELIUM_UNSIGNED, [mask] "w"(mask));
    } else if (uniform && is_signed) {
        HELIUM_ONE(8, HELIUM_ONE_FACTOR, HELIUM_SIGNED_ONE);
    } else if (uniform) {
        HELIUM_ONE(8, HELIUM_ONE_FACTOR, HELIUM_UNSIGNED);
    } else if (is_signed) {
        HELIUM_ONE(8, HELIUM_OWN_FACTORS, HELIUM_SIGNED_ONE);
    } else {
        HELIUM_ONE(8, HELIUM_OWN_FACTORS, HELIUM_UNSIGNED);
    }
    (void)mask;
    (void)k, (void)predicate;
#else
    for (int32_t o = 0; o < blocks * 4; o++) {
        const int32_t *own = f + (o >> 2) * words;
        const int32_t multiplier = uniform ? bounds[3] : own[4 + (o & 3)];
        const int32_t shift = uniform ? bounds[4] : helium_shift(own[8], o & 3);
        int32_t acc = own[o & 3] >> (8 - bits);
        for (int32_t i = 0; i < inputs; i++) {
            acc += x0[i] * helium_weight(w + (o >> 2) * helium_block_bytes(inputs, bits), inputs, i, o & 3, bits);
        }
        y[o] = requantized(acc, multiplier, shift, bounds[0], bounds[1], bounds[2]);
    }
    (void)is_signed;
#endif
}

PINTSIZE_INLINE int32_t helium_dot(int32_t acc, const int8_t *x, const int8_t *w, int32_t n)
{
#if defined(__ARM_FEATURE_MVE)
    for (; n > 0; n -= 16, x += 16, w += 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)n);
        acc = vmladavaq_p_s8(acc, vldrbq_z_s8(x, lanes), vldrbq_z_s8(w, lanes), lanes);
    }
#else
    for (int32_t i = 0; i < n; i++) {
        acc += x[i] * w[i];
    }
#endif
    return acc;
}

/* Channels that fill no block, of one pixel. */
HELIUM_SHARED void helium_rest(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *f, int32_t count,
                               int32_t inputs, const int32_t *bounds)
{
    for (; count > 0; count--, w += inputs, f += 3) {
        *y++ = requantized(helium_dot(f[0], x, w, inputs), f[1], f[2], bounds[0], bounds[1], bounds[2]);
    }
}

/* x: `count` rows of `inputs` numbers, `step` bytes apart → y: `count` rows of `outputs` numbers, next to each other.
 * bounds: zero point, low, high. */
#define HELIUM_PAIRS_OF_ROWS(name, bits, is_signed)                                                          \
    HELIUM_SHARED void name(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *factors,              \
                            int32_t count, int32_t step, int32_t inputs, int32_t outputs,                     \
                            const int32_t *bounds)                                                            \
    {                                                                                                         \
        const int32_t blocks = outputs >> 2;                                                                  \
        while (count > 0) {                                                                                   \
            /* the last of an odd number is its own neighbour */                                              \
            const int32_t two = count > 1;                                                                    \
            const int32_t pairs = two && !(outputs & 3) ? count >> 1 : 1;                                     \
            if (blocks) {                                                                                     \
                helium_pair_blocks(x, y, pairs, two ? step : 0, two ? outputs : 0, w, factors, inputs,        \
                                   blocks, bounds, bits, is_signed);                                          \
            }                                                                                                 \
            for (int32_t i = 0; outputs & 3 && i <= two; i++) {                                               \
                helium_rest(x + i * step, y + i * outputs + 4 * blocks,                                       \
                            w + blocks * helium_block_bytes(inputs, bits), factors + 9 * blocks, outputs & 3, \
                            inputs, bounds);                                                                  \
            }                                                                                                 \
            x += 2 * pairs * step;                                                                            \
            y += 2 * pairs * outputs;                                                                         \
            count -= 2 * pairs;                                                                               \
        }                                                                                                     \
    }
HELIUM_PAIRS_OF_ROWS(helium_pairs_8, 8, 0)
HELIUM_PAIRS_OF_ROWS(helium_pairs_8_signed, 8, 1)
HELIUM_PAIRS_OF_ROWS(helium_pairs_4, 4, 0)
HELIUM_PAIRS_OF_ROWS(helium_pairs_4_signed, 4, 1)
HELIUM_PAIRS_OF_ROWS(helium_pairs_2, 2, 0)
HELIUM_PAIRS_OF_ROWS(helium_pairs_2_signed, 2, 1)

PINTSIZE_INLINE void helium_multiply_rows(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *factors,
                                          int32_t count, int32_t step, int32_t inputs, int32_t outputs,
                                          const int32_t *bounds, int32_t bits, int32_t is_signed)
{
    (bits == 8   ? is_signed ? helium_pairs_8_signed : helium_pairs_8
     : bits == 4 ? is_signed ? helium_pairs_4_signed : helium_pairs_4
     : is_signed ? helium_pairs_2_signed
                 : helium_pairs_2)(x, y, w, factors, count, step, inputs, outputs, bounds);
}

/* One row. */
#define HELIUM_ROW(name, bits, uniform, is_signed)                                                           \
    HELIUM_SHARED void name(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *factors,              \
                            int32_t inputs, int32_t outputs, const int32_t *bounds)                           \
    {                                                                                                         \
        const int32_t blocks = outputs >> 2;                                                                  \
        if (blocks) {                                                                                         \
            helium_one_blocks(x, y, w, factors, inputs, blocks, bounds, bits, uniform, is_signed);            \
        }                                                                                                     \
        helium_rest(x, y + 4 * blocks, w + blocks * helium_block_bytes(inputs, bits),                         \
                    factors + (uniform ? 4 : 9) * blocks, outputs & 3, inputs, bounds);                       \
    }
HELIUM_ROW(helium_one_8, 8, 0, 0)
HELIUM_ROW(helium_one_8_signed, 8, 0, 1)
HELIUM_ROW(helium_one_8_uniform, 8, 1, 0)
HELIUM_ROW(helium_one_8_uniform_signed, 8, 1, 1)
HELIUM_ROW(helium_one_4, 4, 0, 0)
HELIUM_ROW(helium_one_4_signed, 4, 0, 1)
HELIUM_ROW(helium_one_2, 2, 0, 0)
HELIUM_ROW(helium_one_2_signed, 2, 0, 1)

/* uniform: of 8 bits only. */
PINTSIZE_INLINE void helium_multiply_row(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *factors,
                                         int32_t inputs, int32_t outputs, const int32_t *bounds, int32_t bits,
                                         int32_t uniform, int32_t is_signed)
{
    (uniform     ? is_signed ? helium_one_8_uniform_signed : helium_one_8_uniform
     : bits == 8 ? is_signed ? helium_one_8_signed : helium_one_8
     : bits == 4 ? is_signed ? helium_one_4_signed : helium_one_4
     : is_signed ? helium_one_2_signed
                 : helium_one_2)(x, y, w, factors, inputs, outputs, bounds);
}

/* `count` pixels of zeros (real ones: the zero point). */
HELIUM_SHARED void helium_blank(int8_t *y, int32_t count, int32_t channels, int32_t y_step, int32_t zero_point)
{
    for (; count > 0; count--, y += y_step) {
#if defined(__ARM_FEATURE_MVE)
        for (int32_t c = 0; c < channels; c += 16) {
            vstrbq_p_s8(y + c, vdupq_n_s8((int8_t)zero_point), vctp8q((uint32_t)(channels - c)));
        }
#else
        for (int32_t c = 0; c < channels; c++) {
            y[c] = (int8_t)zero_point;
        }
#endif
    }
}
