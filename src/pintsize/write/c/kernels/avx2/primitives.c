/* x86: 256-bit registers hold 8 sums. Codes are raised by 128 because the byte products (VNNI) take them unsigned. */
#define PINTSIZE_CODE_OFFSET 128
#define PINTSIZE_RUN 4
#define PINTSIZE_OCTETS 2

#if defined(__AVX2__)
#define PINTSIZE_WIDE
#include <immintrin.h>

typedef __m256i wide;
typedef __m256i wide_sums;
typedef __m256i wide_taps;

PINTSIZE_INLINE wide wide_zero(void)
{
    return _mm256_setzero_si256();
}

PINTSIZE_INLINE wide wide_all(int32_t x)
{
    return _mm256_set1_epi32(x);
}

PINTSIZE_INLINE wide wide_load(const int32_t *x)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)x);
}

PINTSIZE_INLINE void wide_save(int32_t *to, wide x)
{
    _mm256_storeu_si256((__m256i *)(void *)to, x);
}

PINTSIZE_INLINE wide wide_add(wide a, wide b)
{
    return _mm256_add_epi32(a, b);
}

PINTSIZE_INLINE __m128i load_8_bytes(const int8_t *x)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)x);
}

PINTSIZE_INLINE __m128i load_16_bytes(const int8_t *x)
{
    return _mm_loadu_si128((const __m128i *)(const void *)x);
}

/* 32 weights as bytes */
PINTSIZE_INLINE __m256i wide_unpacked(const int8_t *w, int32_t bits)
{
    if (bits == 4) {
        const __m128i both = load_16_bytes(w);
        const __m256i apart = _mm256_inserti128_si256(_mm256_castsi128_si256(both), _mm_srli_epi16(both, 4), 1);
        const __m256i field = _mm256_and_si256(apart, _mm256_set1_epi8(15));
        return _mm256_sub_epi8(_mm256_xor_si256(field, _mm256_set1_epi8(8)), _mm256_set1_epi8(8));
    }
    if (bits == 2) {
        const __m256i four = _mm256_broadcastq_epi64(load_8_bytes(w));
        const __m256i apart = _mm256_srlv_epi64(four, _mm256_set_epi64x(6, 4, 2, 0));
        const __m256i field = _mm256_and_si256(apart, _mm256_set1_epi8(3));
        return _mm256_sub_epi8(_mm256_xor_si256(field, _mm256_set1_epi8(2)), _mm256_set1_epi8(2));
    }
    return _mm256_loadu_si256((const __m256i *)(const void *)w);
}

#if (defined(__AVX512VNNI__) && defined(__AVX512VL__)) || defined(__AVXVNNI__)
typedef uint8_t wide_code;
typedef __m256i wide_weights;
typedef __m256i wide_inputs;

PINTSIZE_INLINE wide_weights wide_weigh(const int8_t *w, int32_t bits)
{
    return wide_unpacked(w, bits);
}

PINTSIZE_INLINE wide_inputs wide_spread(const wide_code *x)
{
    int32_t four;
    memcpy(&four, x, sizeof four);
    return _mm256_set1_epi32(four);
}

PINTSIZE_INLINE wide_sums wide_dot(wide_sums sums, wide_weights w, wide_inputs x)
{
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    return _mm256_dpbusd_epi32(sums, x, w);
#else
    return _mm256_dpbusd_avx_epi32(sums, x, w);
#endif
}

PINTSIZE_INLINE void wide_encode(wide_code *to, const int8_t *from, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = (wide_code)(from[i] + 128);
    }
}
#else
/* no byte products: bytes become pairs of int16, of inputs 0 and 2 (even) and of 1 and 3 (odd) */
typedef int16_t wide_code;
typedef struct {
    __m256i even, odd;
} wide_weights;
typedef wide_weights wide_inputs;

PINTSIZE_INLINE wide_weights wide_weigh(const int8_t *w, int32_t bits)
{
    const __m256i bytes = wide_unpacked(w, bits);
    const wide_weights pairs = {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
    return pairs;
}

PINTSIZE_INLINE wide_inputs wide_spread(const wide_code *x)
{
    int32_t even;
    int32_t odd;
    memcpy(&even, x, sizeof even);
    memcpy(&odd, x + 2, sizeof odd);
    const wide_inputs pairs = {_mm256_set1_epi32(even), _mm256_set1_epi32(odd)};
    return pairs;
}

PINTSIZE_INLINE wide_sums wide_dot(wide_sums sums, wide_weights w, wide_inputs x)
{
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(w.even, x.even));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(w.odd, x.odd));
}

/* within four codes the order is 0, 2, 1, 3 */
PINTSIZE_INLINE void wide_encode(wide_code *to, const int8_t *from, int32_t count)
{
    int32_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const __m128i codes = _mm_xor_si128(load_16_bytes(from + i), _mm_set1_epi8(-128));
        const __m128i even = _mm_and_si128(codes, _mm_set1_epi16(255));
        const __m128i odd = _mm_srli_epi16(codes, 8);
        _mm_storeu_si128((__m128i *)(void *)(to + i), _mm_unpacklo_epi32(even, odd));
        _mm_storeu_si128((__m128i *)(void *)(to + i + 8), _mm_unpackhi_epi32(even, odd));
    }
    for (; i < count; i += 4) {
        to[i] = (wide_code)(from[i] + 128);
        to[i + 1] = (wide_code)(from[i + 2] + 128);
        to[i + 2] = (wide_code)(from[i + 1] + 128);
        to[i + 3] = (wide_code)(from[i + 3] + 128);
    }
}
#endif

PINTSIZE_INLINE wide wide_total(wide_sums sums, const int32_t *bias)
{
    return _mm256_add_epi32(sums, wide_load(bias));
}

PINTSIZE_INLINE wide wide_high(wide x, wide multiplier)
{
    const __m256i half = _mm256_set1_epi64x((int64_t)1 << 30);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), half);
    const __m256i odd =
        _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(multiplier, 32)), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_add_epi64(odd, odd), 0xaa);
}

PINTSIZE_INLINE wide wide_lowered(wide x)
{
    return _mm256_add_epi32(x, _mm256_srai_epi32(x, 31));
}

PINTSIZE_INLINE wide wide_times(wide x, const int16_t *factor)
{
    const __m128i factors = _mm_loadu_si128((const __m128i *)(const void *)factor);
    return _mm256_mullo_epi32(x, _mm256_cvtepi16_epi32(factors));
}

PINTSIZE_INLINE wide wide_shifted(wide x, int32_t right)
{
    return _mm256_srai_epi32(x, right);
}

PINTSIZE_INLINE wide wide_raised(const int8_t *x, int32_t zero_point)
{
    const __m256i codes = _mm256_cvtepi8_epi32(load_8_bytes(x));
    return _mm256_slli_epi32(_mm256_sub_epi32(codes, _mm256_set1_epi32(zero_point)), 20);
}

PINTSIZE_INLINE void wide_narrow(int8_t *y, wide x, int32_t zero_point, int32_t low, int32_t high)
{
    const __m128i sixteen = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    const __m128i moved = _mm_adds_epi16(sixteen, _mm_set1_epi16((int16_t)zero_point));
    const __m128i codes = _mm_packs_epi16(moved, moved);
    const __m128i above = _mm_max_epi8(codes, _mm_set1_epi8((int8_t)low));
    _mm_storel_epi64((__m128i *)(void *)y, _mm_min_epi8(above, _mm_set1_epi8((int8_t)high)));
}

PINTSIZE_INLINE wide_taps wide_weigh_taps(const int8_t *w)
{
    return _mm256_cvtepi8_epi16(load_16_bytes(w));
}

PINTSIZE_INLINE wide wide_two_taps(wide sums, wide_taps w, const int8_t *first, const int8_t *second)
{
    const __m128i pairs = _mm_unpacklo_epi8(load_8_bytes(first), load_8_bytes(second));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_cvtepi8_epi16(pairs), w));
}
#endif
