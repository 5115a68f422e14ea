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
