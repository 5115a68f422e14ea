/* acc + a * w / 2^16, the product downwards: SMLAWB, which clang finds by itself. */
PINTSIZE_INLINE int32_t half_product(int32_t acc, int32_t a, int16_t w)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__GNUC__) && !defined(__clang__)
    int32_t sum;
    __asm("smlawb %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(w), "r"(acc));
    return sum;
#elif defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__) /* no product of 64 bits */
    return acc + (a >> 16) * w + (((a & 0xffff) * w) >> 16);
#else
    return acc + (int32_t)(((int64_t)a * w) >> 16);
#endif
}

/* a = (a + b * (c - i s)) / 2 and b = (a - b * (c - i s)) / 2, each re, im; turned: b is multiplied by -i as well.
 * minus_s is -s. */
PINTSIZE_INLINE void butterfly(int32_t *a, int32_t *b, int16_t c, int16_t s, int16_t minus_s, int32_t turned)
{
    int32_t re = a[0] >> 1;
    int32_t im = a[1] >> 1;
    const int32_t b_re = b[0];
    const int32_t b_im = b[1];
    SIGNAL_OPAQUE(re); /* 2 * re is no bits cleared in a[0], which would need a register of its own */
    SIGNAL_OPAQUE(im);
    if (turned) {
        const int32_t sum = half_product(half_product(re, b_im, c), b_re, minus_s);
        const int32_t difference = half_product(half_product(im, b_re, c), b_im, s);
        a[0] = sum;
        a[1] = 2 * im - difference;
        b[0] = 2 * re - sum;
        b[1] = difference;
    } else {
        const int32_t sum = half_product(half_product(re, b_re, c), b_im, s);
        const int32_t other = half_product(half_product(im, b_im, c), b_re, minus_s);
        a[0] = sum;
        a[1] = other;
        b[0] = 2 * re - sum;
        b[1] = 2 * im - other;
    }
}

/* The same with 1 in place of c - i s. */
PINTSIZE_INLINE void plain_butterfly(int32_t *a, int32_t *b, int32_t turned)
{
    const int32_t re = a[0] >> 1;
    const int32_t im = a[1] >> 1;
    const int32_t t = b[turned] >> 1;
    const int32_t u = turned ? -(b[0] >> 1) : b[1] >> 1;
    a[0] = re + t;
    a[1] = im + u;
    b[0] = re - t;
    b[1] = im - u;
}

/* fft / 2 complex numbers in bit-reversed order, which end at `end` → their transform, halved at every stage. */
PINTSIZE_LAYER void fourier(int32_t *z, const int32_t *end, const int16_t *cosines, int32_t fft)
{
    SIGNAL_OPAQUE(z);
    SIGNAL_OPAQUE(end);
    for (int32_t *a = z; a < end; a += 8) {
        plain_butterfly(a, a + 2, 0);
        plain_butterfly(a + 4, a + 6, 0);
        plain_butterfly(a, a + 4, 0);
        plain_butterfly(a + 2, a + 6, 1);
        SIGNAL_PLAIN_LOOP;
    }
    for (int32_t half = 8; half < fft; half *= 2) { /* in int32_t: twice as many as complex numbers */
        for (int32_t *a = z; a < end; a += 2 * half) {
            plain_butterfly(a, a + half, 0);
            plain_butterfly(a + half / 2, a + half / 2 + half, 1);
            SIGNAL_PLAIN_LOOP;
        }
        const int16_t *cosine = cosines;
        const int16_t *sine = cosines + fft / 4;
        for (int32_t j = 2; j < half / 2; j += 2) {
            cosine += fft / half;
            sine -= fft / half;
            const int16_t c = *cosine;
            const int16_t s = *sine;
            const int16_t minus_s = (int16_t)-s;
            for (int32_t *a = z + j; a < end;) { /* a step forth each time, which takes one register */
                int32_t *a_turned = a + half / 2;
                SIGNAL_OPAQUE(a_turned);
                int32_t *b = a_turned + half / 2;
                SIGNAL_OPAQUE(b);
                int32_t *b_turned = b + half / 2;
                SIGNAL_OPAQUE(b_turned);
                butterfly(a, b, c, s, minus_s, 0);
                butterfly(a_turned, b_turned, c, s, minus_s, 1);
                a = b_turned + half / 2;
                SIGNAL_PLAIN_LOOP;
            }
        }
    }
}

/* The transform of fft / 2 complex numbers → the spectrum of fft real ones: fft / 2 + 1 complex numbers. */
PINTSIZE_LAYER void real_spectrum(int32_t *z, const int16_t *cosines, int32_t fft)
{
    const int32_t first = z[0];
    z[0] = first + z[1];
    z[fft] = first - z[1];
    z[1] = 0;
    z[fft + 1] = 0;
    z[fft / 2 + 1] = -z[fft / 2 + 1];
    for (int32_t k = 1; k < fft / 4; k++) {
        int32_t *const a = z + 2 * k;
        int32_t *const b = z + fft - 2 * k;
        const int16_t c = cosines[k];
        const int16_t s = cosines[fft / 4 - k];
        const int32_t re = (a[0] + b[0]) >> 1;
        const int32_t im = (a[1] - b[1]) >> 1;
        const int32_t odd_re = a[1] + b[1];
        const int32_t odd_im = b[0] - a[0];
        const int32_t t = half_product(half_product(0, odd_re, c), odd_im, s);
        const int32_t u = half_product(half_product(0, odd_im, c), odd_re, (int16_t)-s);
        a[0] = re + t;
        a[1] = im + u;
        b[0] = re - t;
        b[1] = u - im;
        SIGNAL_PLAIN_LOOP;
    }
}

/* log2 of x > 0 with 15 fractional bits: the place of the leading bit, then a table. */
PINTSIZE_LAYER int32_t log2_of(uint64_t x)
{
    static const uint16_t table[33] = {
        0,     1455,  2866,  4236,  5568,  6863,  8124,  9352,  10549, 11716, 12855, 13968, 15055, 16117, 17156, 18173,
        19168, 20143, 21098, 22034, 22952, 23852, 24736, 25604, 26455, 27292, 28114, 28922, 29717, 30498, 31267, 32024,
        32768,
    };
    int32_t place = 31;
    uint32_t top = (uint32_t)(x >> 32);
    uint32_t rest = (uint32_t)x;
    if (top == 0) {
        place -= 32;
        top = rest;
        rest = 0;
    }
    for (int32_t bits = 16; bits > 0; bits >>= 1) {
        if (!(top >> (32 - bits))) {
            place -= bits;
            top = top << bits | rest >> (32 - bits);
            rest <<= bits;
        }
        SIGNAL_PLAIN_LOOP;
    }
    const uint32_t segment = (top >> 26) - 32u;
    const uint32_t along = (top >> 10) & 0xffffu;
    const uint32_t between = (uint32_t)(table[segment + 1] - table[segment]) * along >> 16;
    return (place + 32) * 32768 + (int32_t)(table[segment] + between);
}

/* Bits below `highest` of i in the opposite order; place: this of i - 2. */
PINTSIZE_INLINE int32_t next_place(int32_t place, int32_t highest, int32_t i)
{
#if defined(__GNUC__) && defined(__thumb2__)
    uint32_t turned;
    (void)place;
    __asm("rbit %0, %1" : "=r"(turned) : "r"(i));
    return (int32_t)(turned >> (__builtin_clz((uint32_t)highest) - 1));
#else
    int32_t bit = highest;
    (void)i;
    for (; place & bit; bit >>= 1) {
        place ^= bit;
    }
    return place | bit;
#endif
}

/* Samples times the window, two as one complex number, in bit-reversed order. The window is even and a mirror image. */
PINTSIZE_INLINE void load_frame(int32_t *z, const int8_t *x, const int16_t *weights, int32_t window, int32_t fft,
                                int32_t wide, int32_t zero_point)
{
    int32_t place = 0;
    int32_t i = 0;
    for (; i < window / 2; place = next_place(place, fft / 2, i)) {
        z[place] = sample_at(x, i, wide, zero_point) * weights[i];
        z[place + 1] = sample_at(x, i + 1, wide, zero_point) * weights[i + 1];
        i += 2;
        SIGNAL_PLAIN_LOOP;
    }
    for (; i < window; place = next_place(place, fft / 2, i)) {
        z[place] = sample_at(x, i, wide, zero_point) * weights[window - i];
        z[place + 1] = sample_at(x, i + 1, wide, zero_point) * weights[window - i - 1];
        i += 2;
        SIGNAL_PLAIN_LOOP;
    }
    for (; i < fft; place = next_place(place, fft / 2, i)) {
        z[place] = 0;
        z[place + 1] = 0;
        i += 2;
        SIGNAL_PLAIN_LOOP;
    }
}

/* x: samples; y (frames, bands); weights: half of the window; slopes: per bin from starts[0] on how much of it rises,
 * of 4096. In scratch: fft + 2 numbers of 32 bits. */
PINTSIZE_INLINE void log_mel(const int8_t *x, int8_t *y, const int16_t *weights, const int16_t *cosines,
                             const int16_t *starts, const int16_t *slopes, int8_t *scratch, int32_t frames, int32_t hop,
                             int32_t window, int32_t fft, int32_t bands, int32_t wide, int32_t zero_point,
                             int32_t least_high, int32_t least_low, int32_t octaves, int32_t y_wide, int32_t multiplier,
                             int32_t shift, int32_t y_zero_point)
{
    int32_t *const z = (int32_t *)(void *)scratch;
    const uint64_t least = (uint64_t)least_high << 31 | (uint64_t)least_low;
    for (int32_t f = 0; f < frames; f++) {
        load_frame(z, x + f * hop * (wide ? 2 : 1), weights, window, fft, wide, zero_point);
        fourier(z, z + fft, cosines, fft);
        real_spectrum(z, cosines, fft);
        const int32_t *bin = z + 2 * starts[0];
        const int16_t *slope = slopes;
        uint64_t before = 0;
        for (int32_t b = 0; b <= bands; b++) {
            uint64_t sum = 0;
            uint64_t rising = 0;
            for (int32_t left = starts[b + 1] - starts[b]; left > 0; left--, bin += 2) {
                const uint64_t power = (uint64_t)((int64_t)bin[0] * bin[0] + (int64_t)bin[1] * bin[1]) >> 10;
                sum += power;
                rising += power * (uint16_t)*slope++;
                SIGNAL_PLAIN_LOOP;
            }
            if (b > 0) {
                const int32_t log = log2_of(before + (sum << 12) - rising + least) + octaves;
                store_code(y, f * bands + b - 1, y_wide, log, multiplier, shift, y_zero_point);
            }
            before = rising;
        }
    }
}
