/* y = a + b; y may be a or b. *_exact: the addend's shift is 0, so nothing is rounded a second time. */
#if defined(__ARM_FEATURE_MVE)
PINTSIZE_INLINE int32x4_t helium_addend(int32x4_t x, int32_t zero, int32_t multiplier, int32_t shift, int32_t exact)
{
    x = vqrdmulhq_n_s32(vshlq_n_s32(vsubq_n_s32(x, zero), 20), multiplier);
    return exact ? x : vrshlq_n_s32(vaddq_s32(x, vshrq_n_s32(x, 31)), shift);
}
#endif

/* numbers: count; zero point, multiplier, shift of a and of b; multiplier, shift, zero point of y; low, high. */
PINTSIZE_INLINE void helium_add(const int8_t *a, const int8_t *b, int8_t *y, const int32_t *numbers, int32_t a_exact,
                                int32_t b_exact)
{
    const int32_t count = numbers[0];
    const int32_t multiplier = numbers[7], shift = numbers[8], zero_point = numbers[9];
#if defined(__ARM_FEATURE_MVE)
    const int32x4_t low = vdupq_n_s32(numbers[10]);
    const int32x4_t high = vdupq_n_s32(numbers[11]);
    for (int32_t i = 0; i < count; i += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)(count - i));
        const int32x4_t left =
            helium_addend(vldrbq_z_s32(a + i, lanes), numbers[1], numbers[2], numbers[3], a_exact);
        const int32x4_t right =
            helium_addend(vldrbq_z_s32(b + i, lanes), numbers[4], numbers[5], numbers[6], b_exact);
        int32x4_t sum = vqrdmulhq_n_s32(vaddq_s32(left, right), multiplier);
        sum = vrshlq_n_s32(vaddq_s32(sum, vshrq_n_s32(sum, 31)), shift);
        sum = vminq_s32(vmaxq_s32(vaddq_n_s32(sum, zero_point), low), high);
        vstrbq_p_s32(y + i, sum, lanes);
    }
#else
    for (int32_t i = 0; i < count; i++) {
        const int32_t left = scaled((a[i] - numbers[1]) * (1 << 20), numbers[2], numbers[3]);
        const int32_t right = scaled((b[i] - numbers[4]) * (1 << 20), numbers[5], numbers[6]);
        y[i] = requantized(left + right, multiplier, shift, zero_point, numbers[10], numbers[11]);
    }
    (void)a_exact, (void)b_exact;
#endif
}
