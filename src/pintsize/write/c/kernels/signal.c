/* Keeps a loop as it is: unrolled, this code would be several times as long and hardly faster. */
#if defined(__GNUC__)
#define SIGNAL_PLAIN_LOOP __asm volatile("")
#define SIGNAL_OPAQUE(x) __asm("" : "+r"(x)) /* forget what is known of it */
#else
#define SIGNAL_PLAIN_LOOP
#define SIGNAL_OPAQUE(x)
#endif

/* Samples of a signal: int16 where wide, else int8, each `zero_point` too large. */
PINTSIZE_INLINE int32_t sample_at(const int8_t *x, int32_t i, int32_t wide, int32_t zero_point)
{
    return (wide ? codes16(x)[i] : x[i]) - zero_point;
}

/* x, requantized, as number i of y. */
PINTSIZE_INLINE void store_code(int8_t *y, int32_t i, int32_t wide, int32_t x, int32_t multiplier, int32_t shift,
                                int32_t zero_point)
{
    const int32_t code = scaled(x, multiplier, shift) + zero_point;
    if (wide) {
        codes16_out(y)[i] = clamped16(code, -32768, 32767);
    } else {
        y[i] = clamped(code, -128, 127);
    }
}
