/* AArch64: two 128-bit registers hold 8 sums; byte products where the core has the dot product (from Armv8.2 on). */
#define PINTSIZE_CODE_OFFSET 0
#define PINTSIZE_RUN 4
#define PINTSIZE_OCTETS 1

#if defined(__aarch64__) && defined(__ARM_NEON)
#define PINTSIZE_WIDE
#include <arm_neon.h>

typedef struct {
    int32x4_t low, high;
} wide;
typedef struct {
    int8x16_t low, high;
} wide_weights;
typedef int8_t wide_code;
typedef int8x16_t wide_inputs;
/* first tap, second tap */
typedef struct {
    int8x8_t first, second;
} wide_taps;

PINTSIZE_INLINE wide wide_all(int32_t x)
{
    const wide same = {vdupq_n_s32(x), vdupq_n_s32(x)};
    return same;
}

PINTSIZE_INLINE wide wide_load(const int32_t *x)
{
    const wide loaded = {vld1q_s32(x), vld1q_s32(x + 4)};
    return loaded;
}

PINTSIZE_INLINE void wide_save(int32_t *to, wide x)
{
    vst1q_s32(to, x.low);
    vst1q_s32(to + 4, x.high);
}

PINTSIZE_INLINE wide wide_add(wide a, wide b)
{
    const wide sum = {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)};
    return sum;
}

PINTSIZE_INLINE int8x16_t sign_extended(uint8x16_t field, uint8_t sign)
{
    const uint8x16_t bit = vdupq_n_u8(sign);
    return vreinterpretq_s8_u8(vsubq_u8(veorq_u8(field, bit), bit));
}

PINTSIZE_INLINE wide_weights wide_weigh(const int8_t *w, int32_t bits)
{
    wide_weights unpacked;
    if (bits == 4) {
        const uint8x16_t both = vreinterpretq_u8_s8(vld1q_s8(w));
        unpacked.low = sign_extended(vandq_u8(both, vdupq_n_u8(15)), 8);
        unpacked.high = sign_extended(vshrq_n_u8(both, 4), 8);
    } else if (bits == 2) {
        const uint8x8_t four = vreinterpret_u8_s8(vld1_s8(w));
        const uint8x16_t two = vcombine_u8(four, vshr_n_u8(four, 2));
        unpacked.low = sign_extended(vandq_u8(two, vdupq_n_u8(3)), 2);
        unpacked.high = sign_extended(vandq_u8(vshrq_n_u8(two, 4), vdupq_n_u8(3)), 2);
    } else {
        unpacked.low = vld1q_s8(w);
        unpacked.high = vld1q_s8(w + 16);
    }
    return unpacked;
}

PINTSIZE_INLINE wide_inputs wide_spread(const wide_code *x)
{
    int32_t four;
    memcpy(&four, x, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

#if defined(__ARM_FEATURE_DOTPROD)
typedef wide wide_sums;

PINTSIZE_INLINE wide_sums wide_zero(void)
{
    return wide_all(0);
}

PINTSIZE_INLINE wide_sums wide_dot(wide_sums sums, wide_weights w, wide_inputs x)
{
    sums.low = vdotq_s32(sums.low, w.low, x);
    sums.high = vdotq_s32(sums.high, w.high, x);
    return sums;
}

PINTSIZE_INLINE wide wide_total(wide_sums sums, const int32_t *bias)
{
    return wide_add(sums, wide_load(bias));
}
#else
/* two halves of each sum, to be added at the end */
typedef struct {
    int32x4_t at[4];
} wide_sums;

PINTSIZE_INLINE wide_sums wide_zero(void)
{
    const wide_sums zero = {{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}};
    return zero;
}

PINTSIZE_INLINE wide_sums wide_dot(wide_sums sums, wide_weights w, wide_inputs x)
{
    sums.at[0] = vpadalq_s16(sums.at[0], vmull_s8(vget_low_s8(w.low), vget_low_s8(x)));
    sums.at[1] = vpadalq_s16(sums.at[1], vmull_high_s8(w.low, x));
    sums.at[2] = vpadalq_s16(sums.at[2], vmull_s8(vget_low_s8(w.high), vget_low_s8(x)));
    sums.at[3] = vpadalq_s16(sums.at[3], vmull_high_s8(w.high, x));
    return sums;
}

PINTSIZE_INLINE wide wide_total(wide_sums sums, const int32_t *bias)
{
    const wide total = {vpaddq_s32(sums.at[0], sums.at[1]), vpaddq_s32(sums.at[2], sums.at[3])};
    return wide_add(total, wide_load(bias));
}
#endif

PINTSIZE_INLINE wide wide_high(wide x, wide multiplier)
{
    const wide high = {vqrdmulhq_s32(x.low, multiplier.low), vqrdmulhq_s32(x.high, multiplier.high)};
    return high;
}

PINTSIZE_INLINE wide wide_lowered(wide x)
{
    const wide lowered = {vsraq_n_s32(x.low, x.low, 31), vsraq_n_s32(x.high, x.high, 31)};
    return lowered;
}

PINTSIZE_INLINE wide wide_times(wide x, const int16_t *factor)
{
    const int16x8_t factors = vld1q_s16(factor);
    const wide product = {vmulq_s32(x.low, vmovl_s16(vget_low_s16(factors))),
                          vmulq_s32(x.high, vmovl_high_s16(factors))};
    return product;
}

PINTSIZE_INLINE wide wide_shifted(wide x, int32_t right)
{
    const int32x4_t left = vdupq_n_s32(-right);
    const wide shifted = {vshlq_s32(x.low, left), vshlq_s32(x.high, left)};
    return shifted;
}

PINTSIZE_INLINE wide wide_raised(const int8_t *x, int32_t zero_point)
{
    const int16x8_t moved = vsubq_s16(vmovl_s8(vld1_s8(x)), vdupq_n_s16((int16_t)zero_point));
    const wide raised = {vshlq_n_s32(vmovl_s16(vget_low_s16(moved)), 20), vshlq_n_s32(vmovl_high_s16(moved), 20)};
    return raised;
}

PINTSIZE_INLINE void wide_narrow(int8_t *y, wide x, int32_t zero_point, int32_t low, int32_t high)
{
    const int16x8_t sixteen = vqmovn_high_s32(vqmovn_s32(x.low), x.high);
    const int8x8_t codes = vqmovn_s16(vqaddq_s16(sixteen, vdupq_n_s16((int16_t)zero_point)));
    vst1_s8(y, vmin_s8(vmax_s8(codes, vdup_n_s8((int8_t)low)), vdup_n_s8((int8_t)high)));
}

PINTSIZE_INLINE void wide_encode(wide_code *to, const int8_t *from, int32_t count)
{
    memcpy(to, from, (size_t)count);
}

PINTSIZE_INLINE wide_taps wide_weigh_taps(const int8_t *w)
{
    const int8x8x2_t apart = vld2_s8(w);
    const wide_taps taps = {apart.val[0], apart.val[1]};
    return taps;
}

/* two products fit int16: weights are at least -127 */
PINTSIZE_INLINE wide wide_two_taps(wide sums, wide_taps w, const int8_t *first, const int8_t *second)
{
    const int16x8_t both = vmlal_s8(vmull_s8(vld1_s8(first), w.first), vld1_s8(second), w.second);
    sums.low = vaddw_s16(sums.low, vget_low_s16(both));
    sums.high = vaddw_high_s16(sums.high, both);
    return sums;
}
#endif
