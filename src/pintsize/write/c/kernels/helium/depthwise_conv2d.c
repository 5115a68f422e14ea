/* One row of x (count, channels) into one slot of every column of the ring (channels, columns, kh); zeros for null. */
PINTSIZE_INLINE void helium_file_row(const int8_t *x, int8_t *ring, int32_t channels, int32_t count, int32_t kh,
                                     int32_t plane, int32_t zero_point)
{
#if defined(__ARM_FEATURE_MVE)
    const uint16x8_t planes = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)plane);
    for (int32_t c = 0; c < channels; c += 8) {
        const mve_pred16_t lanes = vctp16q((uint32_t)(channels - c));
        int8_t *to = ring + c * plane;
        if (x && c + 8 <= channels) {
            const int8_t *from = x + c;
            for (int32_t column = 0; column < count; column++, from += channels, to += kh) {
                vstrbq_scatter_offset_s16(to, planes, vldrbq_s16(from));
            }
        } else if (x) {
            const int8_t *from = x + c;
            for (int32_t column = 0; column < count; column++, from += channels, to += kh) {
                vstrbq_scatter_offset_p_s16(to, planes, vldrbq_z_s16(from, lanes), lanes);
            }
        } else {
            for (int32_t column = 0; column < count; column++, to += kh) {
                vstrbq_scatter_offset_p_s16(to, planes, vdupq_n_s16((int16_t)zero_point), lanes);
            }
        }
    }
#else
    for (int32_t c = 0; c < channels; c++) {
        for (int32_t column = 0; column < count; column++) {
            ring[c * plane + column * kh] = x ? x[column * channels + c] : (int8_t)zero_point;
        }
    }
#endif
}

#if defined(HELIUM_ASSEMBLER)
#define HELIUM_MOVED(v, above, bits) vshrq_n_s8(vshlq_n_s8(v, above), 8 - (bits))
#define HELIUM_FIELD(v, j, bits)                                                                             \
    ((bits) == 8 ? (v) : (bits) == 4 ? HELIUM_MOVED(v, (j) % 2 ? 0 : 4, 4) : HELIUM_MOVED(v, 6 - 2 * (j), 2))
/* Two windows of channel p, `next` bytes apart, times the weights w; the second load leads on to the next pair. */
#define HELIUM_WINDOWS(p, w, s, t, next)                                                                     \
    "vldrb.8 q5, [%[" p "]], #" next "\n vldrb.8 q6, [%[" p "]], #" next "\n vmladav.s8 " s ", q5, %q[" w "]\n" \
    "vmladav.s8 " t ", q6, %q[" w "]\n"
#define HELIUM_WINDOWS_FAR(p, w, s, t, next)                                                                 \
    "vldrb.8 q5, [%[" p "]]\n add %[" p "], %[" p "], lr\n vldrb.8 q6, [%[" p "]]\n add %[" p "], %[" p "], lr\n" \
    "vmladav.s8 " s ", q5, %q[" w "]\n vmladav.s8 " t ", q6, %q[" w "]\n"
/* Pairs of pixels of four channels, one vector a window. numbers: the distance of two windows, from pixel to pixel of
 * y, from pair to pair, zero point, then vectors: low, high, biases, shifts; then pixels. The last of an odd number:
 * its neighbour is stored first, at the same place. */
#define HELIUM_PAIRS(windows, next, rounding)                                                                \
    __asm__ volatile(                                                                                         \
        "0: ldr lr, [%[n]]\n" windows("p0", "w0", "r0", "r8", next) windows("p1", "w1", "r2", "r10", next) \
            windows("p2", "w2", "r4", "r12", next) windows("p3", "w3", "r6", "lr", next)                      \
        "vmov q5[2], q5[0], r0, r4\n vmov q5[3], q5[1], r2, r6\n vmov q6[2], q6[0], r8, r12\n"                 \
        "vmov q6[3], q6[1], r10, lr\n vldrw.32 q7, [%[n], #48]\n vadd.i32 q5, q5, q7\n vadd.i32 q6, q6, q7\n" \
        "vqrdmulh.s32 q5, q5, %q[factor]\n vqrdmulh.s32 q6, q6, %q[factor]\n" rounding("q5", "q6", "q7")      \
        "vldrw.32 q7, [%[n], #64]\n vrshl.s32 q5, q5, q7\n vrshl.s32 q6, q6, q7\n ldr r0, [%[n], #12]\n"      \
        "vadd.i32 q5, q5, r0\n vadd.i32 q6, q6, r0\n vldrw.32 q7, [%[n], #16]\n vmax.s32 q5, q5, q7\n"        \
        "vmax.s32 q6, q6, q7\n vldrw.32 q7, [%[n], #32]\n vmin.s32 q5, q5, q7\n vmin.s32 q6, q6, q7\n"        \
        "ldrd r0, r2, [%[n], #4]\n ldr r4, [%[n], #80]\n subs r4, r4, #2\n str r4, [%[n], #80]\n it mi\n"     \
        "movmi r0, #0\n add r0, r0, %[y]\n vstrb.32 q6, [r0]\n vstrb.32 q5, [%[y]]\n add %[y], %[y], r2\n"    \
        "bgt 0b\n"                                                                                            \
        : [p0] "+" HELIUM_HIGH(p[0]), [p1] "+" HELIUM_HIGH(p[1]), [p2] "+r"(p[2]), [p3] "+r"(p[3]),           \
          [y] "+l"(y)                                                                                         \
        : [n] "r"(numbers), [w0] "w"(w0), [w1] "w"(w1), [w2] "w"(w2), [w3] "w"(w3), [factor] "w"(factor)      \
        : "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "q5", "q6", "q7", "cc", "memory")
#endif

/* Tap i of channel j in w (4, kw, kh); narrow weights: (kw, kh) bytes of the channels 0 and 1, then of 2 and 3 (4 bits),
 * or of all four (2 bits). */
PINTSIZE_INLINE int32_t helium_tap(const int8_t *w, int32_t taps, int32_t i, int32_t j, int32_t bits)
{
    return bits == 8 ? w[j * taps + i] : helium_field(w[(bits == 4 ? j / 2 * taps : 0) + i], j, bits);
}

/* One row of four channels, whose windows begin at p, `next` bytes apart. w: their taps, order: of the ring's slots. */
PINTSIZE_INLINE void helium_row_of_four(const int8_t *p[4], int8_t *y, const int8_t *w, const int8_t *order,
                                        const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                                        int32_t numbers[21], int32_t count, int32_t taps, int32_t next,
                                        int32_t bits, int32_t is_signed)
{
#if defined(HELIUM_ASSEMBLER)
    const uint8x16_t places = vreinterpretq_u8_s8(vldrbq_s8(order));
    const mve_pred16_t lanes = vctp8q((uint32_t)taps);
    /* the vector that has the channel; for narrow weights moved up, and down with its sign */
    const int8x16_t v0 = vldrbq_gather_offset_z_s8(w, places, lanes);
    const int8x16_t v1 = bits < 8 ? v0 : vldrbq_gather_offset_z_s8(w + taps, places, lanes);
    const int8x16_t v2 = bits == 2 ? v0 : vldrbq_gather_offset_z_s8(w + (bits == 8 ? 2 : 1) * taps, places, lanes);
    const int8x16_t v3 = bits < 8 ? v2 : vldrbq_gather_offset_z_s8(w + 3 * taps, places, lanes);
    const int8x16_t w0 = HELIUM_FIELD(v0, 0, bits);
    const int8x16_t w1 = HELIUM_FIELD(v1, 1, bits);
    const int8x16_t w2 = HELIUM_FIELD(v2, 2, bits);
    const int8x16_t w3 = HELIUM_FIELD(v3, 3, bits);
    const int32x4_t factor = vldrwq_s32(multiplier);
    vstrwq_s32(numbers + 12, vldrwq_s32(bias));
    vstrwq_s32(numbers + 16, vldrbq_s32(shift));
    numbers[20] = count;
    if (next == 3 && is_signed) {
        HELIUM_PAIRS(HELIUM_WINDOWS, "3", HELIUM_SIGNED);
    } else if (next == 3) {
        HELIUM_PAIRS(HELIUM_WINDOWS, "3", HELIUM_UNSIGNED);
    } else if (next == 6 && is_signed) {
        HELIUM_PAIRS(HELIUM_WINDOWS, "6", HELIUM_SIGNED);
    } else if (next == 6) {
        HELIUM_PAIRS(HELIUM_WINDOWS, "6", HELIUM_UNSIGNED);
    } else if (is_signed) {
        HELIUM_PAIRS(HELIUM_WINDOWS_FAR, "", HELIUM_SIGNED);
    } else {
        HELIUM_PAIRS(HELIUM_WINDOWS_FAR, "", HELIUM_UNSIGNED);
    }
#else
    for (int32_t column = 0; column < count; column++, y += numbers[1]) {
        for (int32_t j = 0; j < 4; j++) {
            int32_t acc = bias[j];
            for (int32_t i = 0; i < taps; i++) {
                acc += p[j][column * next + i] * helium_tap(w, taps, order[i], j, bits);
            }
            y[j] = requantized(acc, multiplier[j], shift[j], numbers[3], numbers[4], numbers[8]);
        }
    }
    (void)is_signed;
#endif
}

/* The same where a window takes several vectors: 16 * vectors numbers of `tile` for each channel's turned weights. */
PINTSIZE_INLINE void helium_row_of_four_large(const int8_t *p[4], int8_t *y, const int8_t *w, const int8_t *order,
                                              int8_t *tile, const int32_t *bias, const int32_t *multiplier,
                                              const int8_t *shift, int32_t count, int32_t outputs, int32_t taps,
                                              int32_t next, int32_t bits, int32_t zero_point, int32_t low,
                                              int32_t high)
{
    for (int32_t j = 0; j < 4; j++) {
        for (int32_t i = 0; i < taps; i++) {
            tile[i] = (int8_t)helium_tap(w, taps, order[i], j, bits);
        }
        for (int32_t column = 0; column < count; column++) {
            const int32_t acc = helium_dot(bias[j], p[j] + column * next, tile, taps);
            y[column * outputs + j] = requantized(acc, multiplier[j], shift[j], zero_point, low, high);
        }
    }
}

/* x (height, width, channels) → y (out_height, out_width, channels * depth), at least four. w (outputs, kw, kh),
 * narrow ones in blocks of four, the last of which may have channels again. shape: height, width, channels, out_height, out_width, depth, sy, top, left, columns of the ring, the input's
 * zero point, zero point, low, high. The ring holds the rows under the window, so y may be x where they have one
 * shape. next: kh * sx. */
PINTSIZE_INLINE void helium_depthwise_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                             const int32_t *multiplier, const int8_t *shift, const int32_t *shape,
                                             int8_t *scratch, int32_t kh, int32_t kw, int32_t next, int32_t bits,
                                             int32_t single, int32_t is_signed)
{
    const int32_t height = shape[0], width = shape[1], channels = shape[2], out_width = shape[4];
    const int32_t depth = single ? 1 : shape[5], sy = shape[6], top = shape[7], left = shape[8];
    const int32_t plane = kh * shape[9], taps = kh * kw, outputs = channels * depth;
    const int32_t inside = shape[9] - left < width ? shape[9] - left : width;
    int8_t *order = scratch;
    int8_t *tile = order + (taps + 15) / 16 * 16;
    int8_t *ring = taps > 16 ? tile + taps : tile;
    int32_t numbers[21];
    numbers[0] = next;
    numbers[1] = outputs;
    numbers[2] = 2 * outputs;
    numbers[3] = shape[11];
    for (int32_t i = 4; i < 12; i++) {
        numbers[i] = shape[i < 8 ? 12 : 13];
    }
    helium_blank(ring, 1, channels * plane, 0, shape[10]);
    for (int32_t oy = 0, row = 0; oy < shape[3]; oy++) {
        const int32_t iy = oy * sy - top;
        row = row < iy ? iy : row;
        for (; row < iy + kh; row++) {
            helium_file_row(row < height ? x + row * width * channels : 0, ring + left * kh + (row + top) % kh,
                            channels, inside, kh, plane, shape[10]);
        }
        for (int32_t slot = 0; slot < kh; slot++) {
            const int32_t ky = (slot + kh - oy * sy % kh) % kh;
            for (int32_t kx = 0; kx < kw; kx++) {
                order[kx * kh + slot] = (int8_t)(kx * kh + ky);
            }
        }
        for (int32_t block = 0; block < outputs; block += 4) {
            const int32_t o = block + 4 > outputs ? outputs - 4 : block; /* the last may compute some again */
            const int8_t *taps_of = w + (bits == 8 ? o * taps : block / 4 * (taps * bits / 2));
            const int8_t *p[4];
            p[0] = ring + (single ? o : o / depth) * plane;
            for (int32_t j = 1; j < 4; j++) {
                p[j] = single ? p[j - 1] + plane : ring + (o + j) / depth * plane;
            }
            if (taps > 16) {
                helium_row_of_four_large(p, y + o, taps_of, order, tile, bias + o, multiplier + o, shift + o,
                                         out_width, outputs, taps, next, bits, shape[11], shape[12], shape[13]);
            } else {
                helium_row_of_four(p, y + o, taps_of, order, bias + o, multiplier + o, shift + o, numbers,
                                   out_width, taps, next, bits, is_signed);
            }
        }
        y += out_width * outputs;
    }
}
