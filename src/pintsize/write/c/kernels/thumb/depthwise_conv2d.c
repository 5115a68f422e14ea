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

/* x (height, width, channels) → y (out_height, out_width, channels). w (channels / 4, kh, kw, 4), then
 * (kh, kw, channels % 4). shape: height, width, channels, out_height, out_width, kh, sy, sx, top, left, columns of the
 * ring, the input's zero point, zero point, low, high. The ring (kh, columns, channels) holds the rows under the
 * window, so y may be x where they have one shape. */
PINTSIZE_INLINE void thumb_depthwise_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                            const int32_t *multiplier, const int8_t *shift, const int32_t *shape,
                                            int8_t *scratch, int32_t kw)
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
                    const uint8_t *x_row = corner + slot * line + c;
                    if (count == 4) {
                        taps = thumb_taps(acc, x_row, taps, channels, kw);
                    } else {
                        for (int32_t kx = 0; kx < kw; kx++) {
                            for (int32_t j = 0; j < count; j++) {
                                acc[j] += x_row[kx * channels + j] * *taps++;
                            }
                        }
                    }
                    slot = slot + 1 == kh ? 0 : slot + 1;
                }
                for (int32_t j = 0; j < count; j++) {
                    *y++ = thumb_requantized(acc[j] + bias[c + j], multiplier[c + j], shift[c + j], shape + 12);
                }
            }
        }
    }
}
