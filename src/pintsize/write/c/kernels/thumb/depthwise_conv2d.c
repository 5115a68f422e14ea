/* Four channels, one row of taps: acc += x * w; x: unsigned, `step` from tap to tap; w (kw, 4). */
#define THUMB_TAP(x, w, acc)                                                                                 \
    "ldrb %[a], [%[x], #" x "]\n ldrb %[b], [%[w], #" w "]\n sxtb %[b], %[b]\n muls %[b], %[a], %[b]\n"        \
    "adds %[" acc "], %[" acc "], %[b]\n"
#define THUMB_TAPS(w0, w1, w2, w3)                                                                           \
    THUMB_TAP("0", w0, "s0") THUMB_TAP("1", w1, "s1") THUMB_TAP("2", w2, "s2") THUMB_TAP("3", w3, "s3")
PINTSIZE_INLINE const int8_t *thumb_taps(int32_t acc[4], const uint8_t *x, const int8_t *w, int32_t step, int32_t kw)
{
#if defined(THUMB_1)
    int32_t s0 = acc[0], s1 = acc[1], s2 = acc[2], s3 = acc[3], a, b;
    if (kw == 3) {
        THUMB_KEEP(step, step);
        THUMB_LOOP(THUMB_TAPS("0", "1", "2", "3") "add %[x], " THUMB_K0 "\n" THUMB_TAPS("4", "5", "6", "7")
                   "add %[x], " THUMB_K0 "\n" THUMB_TAPS("8", "9", "10", "11") "adds %[w], #12\n",
                   [k0] "h"(step));
    } else {
        const int8_t *end = w + 4 * kw;
        THUMB_KEEP(step, end);
        THUMB_LOOP("1:\n" THUMB_TAPS("0", "1", "2", "3") "add %[x], " THUMB_K0 "\n adds %[w], #4\n"
                   "cmp %[w], " THUMB_K1 "\n bne 1b\n",
                   [k0] "h"(step), [k1] "h"(end));
    }
    acc[0] = s0;
    acc[1] = s1;
    acc[2] = s2;
    acc[3] = s3;
#else
    for (int32_t kx = 0; kx < kw; kx++, x += step, w += 4) {
        for (int32_t j = 0; j < 4; j++) {
            acc[j] += x[j] * w[j];
        }
    }
#endif
    return w;
}

/* The same with narrow weights of one tap, the four channels' from the lowest bits of a halfword (4 bits) or byte on. */
#define THUMB_NARROW_TAP(x, left, right, acc)                                                                \
    "ldrb %[a], [%[x], #" x "]\n lsls %[c], %[b], #" left "\n asrs %[c], %[c], #" right "\n"                   \
    "muls %[c], %[a], %[c]\n adds %[" acc "], %[" acc "], %[c]\n"
#define THUMB_NARROW_TAPS(load, l0, l1, l2, l3, right)                                                       \
    __asm__ volatile(".syntax unified\n " load " %[b], [%[a]]\n" THUMB_NARROW_TAP("0", l0, right, "s0")         \
                     THUMB_NARROW_TAP("1", l1, right, "s1") THUMB_NARROW_TAP("2", l2, right, "s2")             \
                     THUMB_NARROW_TAP("3", l3, right, "s3")                                                   \
                     : [s0] "+l"(acc[0]), [s1] "+l"(acc[1]), [s2] "+l"(acc[2]), [s3] "+l"(acc[3]),             \
                       [a] "+l"(a), [b] "=&l"(b), [c] "=&l"(c)                                                \
                     : [x] "l"(x)                                                                             \
                     : "cc", "memory")
PINTSIZE_INLINE void thumb_narrow_tap(int32_t acc[4], const uint8_t *x, const int8_t *w, int32_t bits)
{
#if defined(THUMB_1)
    int32_t a = (int32_t)w, b, c;
    if (bits == 4) {
        THUMB_NARROW_TAPS("ldrh", "28", "24", "20", "16", "28");
    } else {
        THUMB_NARROW_TAPS("ldrb", "30", "28", "26", "24", "30");
    }
#else
    for (int32_t j = 0; j < 4; j++) {
        acc[j] += x[j] * weight_at(w, j, bits);
    }
#endif
}

/* One row of taps of four channels, or of fewer at the end. Gives the next row's weights. */
PINTSIZE_INLINE const int8_t *thumb_row_of_taps(int32_t acc[4], const uint8_t *x, const int8_t *w, int32_t step,
                                                int32_t kw, int32_t count, int32_t bits)
{
    if (bits == 8 && count == 4) {
        return thumb_taps(acc, x, w, step, kw);
    }
    for (int32_t kx = 0; kx < kw; kx++) {
        if (bits < 8 && count == 4) {
            thumb_narrow_tap(acc, x + kx * step, w, bits);
        } else {
            for (int32_t j = 0; j < count; j++) {
                acc[j] += x[kx * step + j] * weight_at(w, j, bits);
            }
        }
        w += bits == 8 ? count : bits / 2;
    }
    return w;
}

/* x (height, width, channels) → y (out_height, out_width, channels). w (channels / 4, kh, kw, 4), then
 * (kh, kw, channels % 4), which narrow weights fill up to 4. shape: height, width, channels, out_height, out_width, kh, sy, sx, top, left, columns of the
 * ring, the input's zero point, zero point, low, high. The ring (kh, columns, channels) holds the rows under the
 * window, so y may be x where they have one shape. */
PINTSIZE_INLINE void thumb_depthwise_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                            const int32_t *multiplier, const int8_t *shift, const int32_t *shape,
                                            int8_t *scratch, int32_t kw, int32_t bits)
{
    uint8_t *ring = (uint8_t *)scratch;
    const int32_t height = shape[0], channels = shape[2], kh = shape[5], columns = shape[10];
    const int8_t zero = (int8_t)shape[11];
    const int32_t line = columns * channels, left = shape[9];
    const int32_t inside = (columns - left < shape[1] ? columns - left : shape[1]) * channels;
    thumb_copy(&zero, ring, kh * line, 0);
    for (int32_t oy = 0, row = 0; oy < shape[3]; oy++) {
        const int32_t iy = oy * shape[6] - shape[8];
        row = row < iy ? iy : row;
        for (; row < iy + kh; row++) {
            uint8_t *to = ring + (row + shape[8]) % kh * line + left * channels;
            thumb_copy(row < height ? x + row * shape[1] * channels : &zero, to, inside, row < height);
        }
        const int32_t first = oy * shape[6] % kh;
        for (int32_t ox = 0; ox < shape[4]; ox++) {
            const uint8_t *corner = ring + ox * shape[7] * channels;
            const int8_t *taps = w;
            for (int32_t c = 0; c < channels; c += 4) {
                const int32_t count = channels - c < 4 ? channels - c : 4;
                int32_t acc[4] = {0, 0, 0, 0};
                for (int32_t ky = 0, slot = first; ky < kh; ky++) {
                    taps = thumb_row_of_taps(acc, corner + slot * line + c, taps, channels, kw, count, bits);
                    slot = slot + 1 == kh ? 0 : slot + 1;
                }
                for (int32_t j = 0; j < count; j++) {
                    *y++ = thumb_requantized(acc[j] + bias[c + j], multiplier[c + j], shift[c + j], shape + 12);
                }
            }
        }
    }
}
