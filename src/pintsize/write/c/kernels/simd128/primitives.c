/* WebAssembly: two 128-bit registers hold 8 sums. Products are those of int16 pairs. */
#define PINTSIZE_CODE_OFFSET 0
#define PINTSIZE_RUN 2
#define PINTSIZE_OCTETS 1

#if defined(__wasm_simd128__)
#define PINTSIZE_WIDE
#include <wasm_simd128.h>

typedef struct {
    v128_t low, high;
} wide;
typedef wide wide_sums;
typedef wide wide_taps;
typedef int16_t wide_code;
/* as pairs of int16 */
typedef wide wide_weights;
typedef v128_t wide_inputs;

PINTSIZE_INLINE wide wide_zero(void)
{
    const wide zero = {wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)};
    return zero;
}

PINTSIZE_INLINE wide wide_all(int32_t x)
{
    const wide same = {wasm_i32x4_splat(x), wasm_i32x4_splat(x)};
    return same;
}

PINTSIZE_INLINE wide wide_load(const int32_t *x)
{
    const wide loaded = {wasm_v128_load(x), wasm_v128_load(x + 4)};
    return loaded;
}

PINTSIZE_INLINE void wide_save(int32_t *to, wide x)
{
    wasm_v128_store(to, x.low);
    wasm_v128_store(to + 4, x.high);
}

PINTSIZE_INLINE wide wide_add(wide a, wide b)
{
    const wide sum = {wasm_i32x4_add(a.low, b.low), wasm_i32x4_add(a.high, b.high)};
    return sum;
}

/* 16 packed weights as bytes */
PINTSIZE_INLINE v128_t wide_unpacked(const int8_t *w, int32_t bits)
{
    v128_t apart;
    if (bits == 4) {
        const v128_t two = wasm_v128_load64_splat(w);
        apart = wasm_i64x2_shuffle(two, wasm_u16x8_shr(two, 4), 0, 2);
    } else {
        const v128_t four = wasm_v128_load32_splat(w);
        const v128_t two = wasm_i32x4_shuffle(four, wasm_u16x8_shr(four, 2), 0, 4, 0, 4);
        apart = wasm_i64x2_shuffle(two, wasm_u16x8_shr(two, 4), 0, 2);
    }
    const v128_t sign = wasm_i8x16_splat((int8_t)(1 << (bits - 1)));
    const v128_t field = wasm_v128_and(apart, wasm_i8x16_splat((int8_t)((1 << bits) - 1)));
    return wasm_i8x16_sub(wasm_v128_xor(field, sign), sign);
}

PINTSIZE_INLINE wide_weights wide_weigh(const int8_t *w, int32_t bits)
{
    wide_weights pairs;
    if (bits == 8) {
        pairs.low = wasm_i16x8_load8x8(w);
        pairs.high = wasm_i16x8_load8x8(w + 8);
    } else {
        const v128_t bytes = wide_unpacked(w, bits);
        pairs.low = wasm_i16x8_extend_low_i8x16(bytes);
        pairs.high = wasm_i16x8_extend_high_i8x16(bytes);
    }
    return pairs;
}

PINTSIZE_INLINE wide_inputs wide_spread(const wide_code *x)
{
    return wasm_v128_load32_splat(x);
}

PINTSIZE_INLINE wide_sums wide_dot(wide_sums sums, wide_weights w, wide_inputs x)
{
    sums.low = wasm_i32x4_add(sums.low, wasm_i32x4_dot_i16x8(w.low, x));
    sums.high = wasm_i32x4_add(sums.high, wasm_i32x4_dot_i16x8(w.high, x));
    return sums;
}

PINTSIZE_INLINE wide wide_total(wide_sums sums, const int32_t *bias)
{
    return wide_add(sums, wide_load(bias));
}

PINTSIZE_INLINE v128_t high_of_four(v128_t x, v128_t multiplier)
{
    const v128_t half = wasm_i64x2_const_splat((int64_t)1 << 30);
    const v128_t low = wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(x, multiplier), half);
    const v128_t high = wasm_i64x2_add(wasm_i64x2_extmul_high_i32x4(x, multiplier), half);
    return wasm_i32x4_shuffle(wasm_u64x2_shr(low, 31), wasm_u64x2_shr(high, 31), 0, 2, 4, 6);
}

PINTSIZE_INLINE wide wide_high(wide x, wide multiplier)
{
    const wide high = {high_of_four(x.low, multiplier.low), high_of_four(x.high, multiplier.high)};
    return high;
}

PINTSIZE_INLINE wide wide_lowered(wide x)
{
    const wide sign = {wasm_i32x4_shr(x.low, 31), wasm_i32x4_shr(x.high, 31)};
    return wide_add(x, sign);
}

PINTSIZE_INLINE wide wide_times(wide x, const int16_t *factor)
{
    const wide product = {wasm_i32x4_mul(x.low, wasm_i32x4_load16x4(factor)),
                          wasm_i32x4_mul(x.high, wasm_i32x4_load16x4(factor + 4))};
    return product;
}

PINTSIZE_INLINE wide wide_shifted(wide x, int32_t right)
{
    const wide shifted = {wasm_i32x4_shr(x.low, (uint32_t)right), wasm_i32x4_shr(x.high, (uint32_t)right)};
    return shifted;
}

PINTSIZE_INLINE wide wide_raised(const int8_t *x, int32_t zero_point)
{
    const v128_t moved = wasm_i16x8_sub(wasm_i16x8_load8x8(x), wasm_i16x8_splat((int16_t)zero_point));
    const wide raised = {wasm_i32x4_shl(wasm_i32x4_extend_low_i16x8(moved), 20),
                         wasm_i32x4_shl(wasm_i32x4_extend_high_i16x8(moved), 20)};
    return raised;
}

PINTSIZE_INLINE void wide_narrow(int8_t *y, wide x, int32_t zero_point, int32_t low, int32_t high)
{
    const v128_t sixteen = wasm_i16x8_narrow_i32x4(x.low, x.high);
    const v128_t moved = wasm_i16x8_add_sat(sixteen, wasm_i16x8_splat((int16_t)zero_point));
    const v128_t codes = wasm_i8x16_narrow_i16x8(moved, moved);
    const v128_t above = wasm_i8x16_max(codes, wasm_i8x16_splat((int8_t)low));
    wasm_v128_store64_lane(y, wasm_i8x16_min(above, wasm_i8x16_splat((int8_t)high)), 0);
}

PINTSIZE_INLINE void wide_encode(wide_code *to, const int8_t *from, int32_t count)
{
    int32_t i = 0;
    for (; i + 8 <= count; i += 8) {
        wasm_v128_store(to + i, wasm_i16x8_load8x8(from + i));
    }
    for (; i < count; i++) {
        to[i] = from[i];
    }
}

PINTSIZE_INLINE wide_taps wide_weigh_taps(const int8_t *w)
{
    const wide_taps pairs = {wasm_i16x8_load8x8(w), wasm_i16x8_load8x8(w + 8)};
    return pairs;
}

PINTSIZE_INLINE wide wide_two_taps(wide sums, wide_taps w, const int8_t *first, const int8_t *second)
{
    const v128_t pairs = wasm_i8x16_shuffle(wasm_v128_load64_zero(first), wasm_v128_load64_zero(second), 0, 16, 1, 17,
                                            2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    sums.low = wasm_i32x4_add(sums.low, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(pairs), w.low));
    sums.high = wasm_i32x4_add(sums.high, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(pairs), w.high));
    return sums;
}
#endif
