/* Eight numbers at a time. An instruction set's own file comes before this one; where the processor lacks that set,
 * these plain bodies compute the same from the same constants.
 *
 * wide          8 int32 numbers, one per output channel
 * wide_sums     8 sums while they grow
 * wide_code     an activation as the products take it, PINTSIZE_CODE_OFFSET higher than the int8 number
 * wide_weights  8 outputs x a run of PINTSIZE_RUN inputs; wide_inputs: such a run, the same for all 8 outputs
 * wide_taps     8 channels x 2 taps of a depthwise convolution */
#if !defined(PINTSIZE_WIDE)
typedef struct {
    int32_t at[8];
} wide;
typedef wide wide_sums;
typedef int16_t wide_code;
typedef struct {
    int8_t at[8 * PINTSIZE_RUN];
} wide_weights;
typedef const wide_code *wide_inputs;
typedef const int8_t *wide_taps;

PINTSIZE_INLINE wide wide_zero(void)
{
    const wide zero = {{0, 0, 0, 0, 0, 0, 0, 0}};
    return zero;
}

PINTSIZE_INLINE wide wide_all(int32_t x)
{
    const wide same = {{x, x, x, x, x, x, x, x}};
    return same;
}

PINTSIZE_INLINE wide wide_load(const int32_t *x)
{
    wide loaded;
    memcpy(loaded.at, x, sizeof loaded.at);
    return loaded;
}

PINTSIZE_INLINE void wide_save(int32_t *to, wide x)
{
    memcpy(to, x.at, sizeof x.at);
}

PINTSIZE_INLINE wide wide_add(wide a, wide b)
{
    for (int32_t i = 0; i < 8; i++) {
        a.at[i] += b.at[i];
    }
    return a;
}

/* weights of 8, 4 or 2 bits: those of a byte are PINTSIZE_RUN * bits places apart, low bits first */
PINTSIZE_INLINE wide_weights wide_weigh(const int8_t *w, int32_t bits)
{
    wide_weights unpacked;
    const int32_t bytes = PINTSIZE_RUN * bits;
    const uint32_t sign = 1u << (bits - 1);
    for (int32_t i = 0; i < 8 * PINTSIZE_RUN; i++) {
        const uint32_t field = ((uint32_t)(uint8_t)w[i % bytes] >> (bits * (i / bytes))) & (2u * sign - 1u);
        unpacked.at[i] = (int8_t)((int32_t)(field ^ sign) - (int32_t)sign);
    }
    return unpacked;
}

PINTSIZE_INLINE wide_inputs wide_spread(const wide_code *x)
{
    return x;
}

PINTSIZE_INLINE wide_sums wide_dot(wide_sums sums, wide_weights w, wide_inputs x)
{
    for (int32_t i = 0; i < 8; i++) {
        for (int32_t k = 0; k < PINTSIZE_RUN; k++) {
            sums.at[i] += w.at[PINTSIZE_RUN * i + k] * x[k];
        }
    }
    return sums;
}

PINTSIZE_INLINE wide wide_total(wide_sums sums, const int32_t *bias)
{
    return wide_add(sums, wide_load(bias));
}

/* x * multiplier / 2^31, halves up */
PINTSIZE_INLINE wide wide_high(wide x, wide multiplier)
{
    for (int32_t i = 0; i < 8; i++) {
        x.at[i] = (int32_t)(((int64_t)x.at[i] * multiplier.at[i] + ((int64_t)1 << 30)) >> 31);
    }
    return x;
}

/* 1 less where negative: then halves of the shift that follows round away from zero */
PINTSIZE_INLINE wide wide_lowered(wide x)
{
    for (int32_t i = 0; i < 8; i++) {
        x.at[i] += x.at[i] >> 31;
    }
    return x;
}

PINTSIZE_INLINE wide wide_times(wide x, const int16_t *factor)
{
    for (int32_t i = 0; i < 8; i++) {
        x.at[i] *= factor[i];
    }
    return x;
}

PINTSIZE_INLINE wide wide_shifted(wide x, int32_t right)
{
    for (int32_t i = 0; i < 8; i++) {
        x.at[i] >>= right;
    }
    return x;
}

/* (x - zero_point) * 2^20 of 8 codes */
PINTSIZE_INLINE wide wide_raised(const int8_t *x, int32_t zero_point)
{
    wide raised;
    for (int32_t i = 0; i < 8; i++) {
        raised.at[i] = (x[i] - zero_point) * (1 << 20);
    }
    return raised;
}

/* 8 codes x + zero_point within [low, high] */
PINTSIZE_INLINE void wide_narrow(int8_t *y, wide x, int32_t zero_point, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < 8; i++) {
        y[i] = clamped(x.at[i] + zero_point, low, high);
    }
}

/* count: a multiple of 4 */
PINTSIZE_INLINE void wide_encode(wide_code *to, const int8_t *from, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = (wide_code)(from[i] + PINTSIZE_CODE_OFFSET);
    }
}

PINTSIZE_INLINE wide_taps wide_weigh_taps(const int8_t *w)
{
    return w;
}

/* 8 channels of one pixel and of another */
PINTSIZE_INLINE wide wide_two_taps(wide sums, wide_taps w, const int8_t *first, const int8_t *second)
{
    for (int32_t i = 0; i < 8; i++) {
        sums.at[i] += first[i] * w[2 * i] + second[i] * w[2 * i + 1];
    }
    return sums;
}
#endif
