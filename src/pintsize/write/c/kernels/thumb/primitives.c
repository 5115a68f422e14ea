/* ARMv6-M (Cortex-M0, M0+): eight registers, 32-bit products only. Bytes load with their place in the instruction only
 * when they are unsigned, so inputs and weights are kept 128 larger, from 0 to 255:
 * sum of x * w = sum of (x + 128)(w + 128) - 128 * sum of x - a constant that is in the bias. */
#if defined(__GNUC__)
#define THUMB_SHARED static __attribute__((noinline, unused))
#else
#define THUMB_SHARED static
#endif
#if defined(__ARM_ARCH_6M__) && defined(__OPTIMIZE__)
#define THUMB_1
#endif
/* The inner loops take the eight low registers, and high ones for what stays the same: k0, k1. Where GCC optimizes for
 * size, it hands out no high registers: k0 and k1 come in a and b, and move on. */
#if defined(__OPTIMIZE_SIZE__) && !defined(__clang__)
#define THUMB_K0 "r12"
#define THUMB_K1 "lr"
#define THUMB_KEEP(k0, k1) (a = (int32_t)(k0), b = (int32_t)(k1))
#define THUMB_LOOP(code, ...)                                                                                \
    __asm__ volatile(".syntax unified\n mov r12, %[a]\n mov lr, %[b]\n" code                                  \
                     : [x] "+l"(x), [w] "+l"(w), [s0] "+l"(s0), [s1] "+l"(s1), [s2] "+l"(s2), [s3] "+l"(s3),  \
                       [a] "+l"(a), [b] "+l"(b)                                                               \
                     :                                                                                        \
                     : "r12", "lr", "cc", "memory")
#else
#define THUMB_K0 "%[k0]"
#define THUMB_K1 "%[k1]"
#define THUMB_KEEP(k0, k1) ((void)0)
#define THUMB_LOOP(code, ...)                                                                                \
    __asm__ volatile(".syntax unified\n" code                                                                 \
                     : [x] "+l"(x), [w] "+l"(w), [s0] "+l"(s0), [s1] "+l"(s1), [s2] "+l"(s2), [s3] "+l"(s3),  \
                       [a] "=&l"(a), [b] "=&l"(b)                                                             \
                     : __VA_ARGS__                                                                            \
                     : "cc", "memory")
#endif

/* x * multiplier * 2^(shift - 31), rounded twice, for |x| < 2^30 and shift in -31..0, without products of 64 bits. */
PINTSIZE_INLINE int32_t thumb_scaled(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t high = x >> 15;
    const int32_t low = x & 0x7fff;
    const int32_t upper = multiplier >> 16;
    const int32_t lower = multiplier & 0xffff;
    const int32_t carry = (int32_t)(((uint32_t)(low * lower) + 0x40000000u) >> 15);
    const int32_t cross = high * lower;
    const int32_t half_sum = (cross >> 1) + (carry >> 1) + (cross & carry & 1);
    const int32_t result = high * upper + ((half_sum + low * upper) >> 15);
    const int32_t half = (int32_t)((1u << -shift) >> 1);
    return (result + half + (shift < 0 ? result >> 31 : 0)) >> -shift;
}

/* bounds: zero point, low, high. */
THUMB_SHARED int8_t thumb_requantized(int32_t acc, int32_t multiplier, int32_t shift, const int32_t *bounds)
{
    return clamped(thumb_scaled(acc, multiplier, shift) + bounds[0], bounds[1], bounds[2]);
}

/* Inputs as unsigned bytes, 128 larger; step 0 repeats the first. Gives their sum. */
THUMB_SHARED int32_t thumb_copy(const int8_t *x, uint8_t *y, int32_t count, int32_t step)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < count; i++, x += step) {
        const int32_t v = (uint8_t)*x ^ 128;
        y[i] = (uint8_t)v;
        sum += v;
    }
    return sum;
}

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

/* One pixel, all channels: x as thumb_copy gives it, w (outputs / 4, inputs, 4), then (outputs % 4, inputs). bounds:
 * zero point, low, high, and from one multiplier and shift to the next: 1, or 0 where one serves all. */
THUMB_SHARED void thumb_pixel(const uint8_t *x, int32_t sum, int8_t *y, const int8_t *weight, const int32_t *bias,
                              const int32_t *multiplier, const int8_t *shift, int32_t inputs, int32_t outputs,
                              const int32_t *bounds)
{
    const uint8_t *w = (const uint8_t *)weight;
    const int32_t all = -128 * sum;
    for (int32_t left = outputs; left > 0; left -= 4) {
        const int32_t count = left < 4 ? left : 4;
        int32_t acc[4] = {all, all, all, all};
        if (count == 4) {
            w = thumb_dot4(acc, x, w, inputs);
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
