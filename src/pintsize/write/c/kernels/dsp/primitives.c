/* What the kernels for cores with the DSP extension (Cortex-M4, M7, M33) stand on. Every fast body has a plain C one
 * that computes the same, so that the program runs anywhere. */
#if defined(__clang__)
#define DSP_SHARED static __attribute__((noinline, unused))
#elif defined(__GNUC__) /* a clone for one layer's numbers would warn of what that layer does not have */
#define DSP_SHARED static __attribute__((noinline, noclone, unused))
#else
#define DSP_SHARED static
#endif
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && !defined(__ARM_BIG_ENDIAN)
#define DSP_ASSEMBLER 1
/* The bodies read their parameters, and write registers, behind the compiler's back: it must neither drop the ones nor
 * rely on the others. */
#if defined(__clang__)
#define DSP_NAKED static __attribute__((naked, noinline, unused))
#else
#define DSP_NAKED static __attribute__((naked, noipa, unused))
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
#else
#define DSP_ASSEMBLER 0
#endif

/* Two signed 16-bit numbers in a word. */
PINTSIZE_INLINE uint32_t dsp_pair(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xffffu) | (uint32_t)high << 16;
}

PINTSIZE_INLINE int32_t dsp_low(uint32_t pair)
{
    return (int32_t)((pair & 0xffffu) ^ 0x8000u) - 0x8000;
}

PINTSIZE_INLINE int32_t dsp_high(uint32_t pair)
{
    return dsp_low(pair >> 16);
}

/* acc + both products: SMLAD. */
PINTSIZE_INLINE int32_t dsp_multiply_pairs(int32_t acc, uint32_t a, uint32_t b)
{
    return acc + dsp_low(a) * dsp_low(b) + dsp_high(a) * dsp_high(b);
}

/* Keeps a compiler from taking a short loop for a call of memset or memcpy, or from unrolling it. */
#if defined(__GNUC__)
#define DSP_PLAIN_LOOP __asm volatile("" ::: "memory")
#else
#define DSP_PLAIN_LOOP
#endif

/* Number i of 16 bits, and numbers i and i + 1 as one of 32, of a constant that has no alignment. */
PINTSIZE_INLINE uint32_t dsp_word(const int8_t *bytes)
{
    return (uint32_t)(uint8_t)bytes[0] | (uint32_t)(uint8_t)bytes[1] << 8 | (uint32_t)(uint8_t)bytes[2] << 16
           | (uint32_t)(uint8_t)bytes[3] << 24;
}

PINTSIZE_INLINE uint32_t dsp_wide(const int16_t *halves)
{
    return (uint32_t)(uint16_t)halves[0] | (uint32_t)(uint16_t)halves[1] << 16;
}

DSP_SHARED int8_t *dsp_fill(int8_t *to, int32_t value, int32_t count)
{
    for (; count > 0; count--) {
        *to++ = (int8_t)value;
        DSP_PLAIN_LOOP;
    }
    return to;
}

DSP_SHARED int8_t *dsp_copy(int8_t *to, const int8_t *from, int32_t count)
{
    for (; count >= 4; count -= 4, to += 4, from += 4) {
        memcpy(to, from, 4);
        DSP_PLAIN_LOOP;
    }
    for (; count > 0; count--) {
        *to++ = *from++;
        DSP_PLAIN_LOOP;
    }
    return to;
}

/* Numbers of 16 bits that a constant tells in a byte each: how many, then they; DSP_WIDER says that two bytes follow. */
enum { DSP_WIDER = -127, DSP_SHAPE_MOST = 32 };

DSP_SHARED void dsp_numbers(int16_t *to, const int8_t *from)
{
    for (int32_t left = *from++; left > 0; left--) {
        int32_t number = *from++;
        if (number == DSP_WIDER) {
            number = (uint8_t)from[0] + from[1] * 256;
            from += 2;
        }
        *to++ = (int16_t)number;
        DSP_PLAIN_LOOP;
    }
}
