/* Weights of 8, 4 or 2 bits, low bits first within a byte; `bits` is a literal, so only one branch is compiled. */
PINTSIZE_INLINE int32_t weight_at(const int8_t *w, int32_t i, int32_t bits)
{
    if (bits == 8) {
        return w[i];
    }
    if (bits == 4) {
        const uint32_t field = ((uint32_t)(uint8_t)w[i >> 1] >> (4 * (i & 1))) & 15u;
        return (int32_t)(field ^ 8u) - 8;
    }
    const uint32_t field = ((uint32_t)(uint8_t)w[i >> 2] >> (2 * (i & 3))) & 3u;
    return (int32_t)(field ^ 2u) - 2;
}

/* Bytes of a row of n weights. */
PINTSIZE_INLINE int32_t row_bytes(int32_t n, int32_t bits)
{
    return (n * bits + 7) / 8;
}

/* Four outputs at once share each load of x. stride: bytes from one output's weights to the next one's. */
PINTSIZE_INLINE void dot4(int32_t acc[4], const int8_t *x, const int8_t *w, int32_t stride, int32_t n, int32_t bits)
{
    if (bits == 4) {
        int32_t i = 0;
        for (; i + 1 < n; i += 2) {
            const int32_t x0 = x[i];
            const int32_t x1 = x[i + 1];
            for (int32_t j = 0; j < 4; j++) {
                const uint32_t pair = (uint8_t)w[j * stride + (i >> 1)];
                acc[j] += x0 * ((int32_t)((pair & 15u) ^ 8u) - 8);
                acc[j] += x1 * ((int32_t)((pair >> 4) ^ 8u) - 8);
            }
        }
        w += i >> 1;
        x += i;
        n -= i;
    }
    for (int32_t i = 0; i < n; i++) {
        const int32_t v = x[i];
        for (int32_t j = 0; j < 4; j++) {
            acc[j] += v * weight_at(w + j * stride, i, bits);
        }
    }
}

PINTSIZE_INLINE int32_t dot(int32_t acc, const int8_t *x, const int8_t *w, int32_t n, int32_t bits)
{
    for (int32_t i = 0; i < n; i++) {
        acc += x[i] * weight_at(w, i, bits);
    }
    return acc;
}

/* Where the window lies outside the input, the input is the zero point. */
PINTSIZE_INLINE int32_t dot_constant(int32_t acc, int32_t x, const int8_t *w, int32_t n, int32_t bits)
{
    for (int32_t i = 0; i < n; i++) {
        acc += x * weight_at(w, i, bits);
    }
    return acc;
}
