/* Σ x[i] * w[i], pair by pair (SMLAD) where there is such an instruction. */
PINTSIZE_INLINE int32_t products_of_samples(int32_t sum, const code16_t *x, const int16_t *w, int32_t n)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__GNUC__) && !defined(__ARM_BIG_ENDIAN)
    for (; n >= 4; n -= 4, x += 4, w += 4) {
        uint32_t samples[2];
        uint32_t weights[2];
        memcpy(samples, x, 8);
        memcpy(weights, w, 8);
        __asm("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(samples[0]), "r"(weights[0]));
        __asm("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(samples[1]), "r"(weights[1]));
    }
#endif
    for (; n > 0; n--) {
        sum += *x++ * *w++;
    }
    return sum;
}

/* x (…, channels), y (outputs, channels); weights (up, taps) with 14 fractional bits, each row of which adds up to 1. */
PINTSIZE_INLINE void resample(const int8_t *x, int8_t *y, const int16_t *weights, int32_t outputs, int32_t channels,
                              int32_t up, int32_t down, int32_t taps, int32_t wide, int32_t zero_point)
{
    int32_t first = 0;
    int32_t place = 0;
    for (int32_t i = 0; i < outputs; i++) {
        const int16_t *const row = weights + place * taps;
        for (int32_t k = 0; k < channels; k++) {
            int32_t sum = 1 << 13;
            if (wide && channels == 1) {
                sum = products_of_samples(sum, codes16(x) + first, row, taps);
            } else {
                for (int32_t t = 0; t < taps; t++) {
                    sum += sample_at(x, (first + t) * channels + k, wide, zero_point) * row[t];
                    SIGNAL_PLAIN_LOOP;
                }
            }
            const int32_t code = (sum >> 14) + zero_point;
            if (wide) {
                codes16_out(y)[i * channels + k] = clamped16(code, -32768, 32767);
            } else {
                y[i * channels + k] = clamped(code, -128, 127);
            }
            SIGNAL_PLAIN_LOOP;
        }
        for (place += down; place >= up; place -= up) {
            first++;
        }
    }
}
