/* Four outputs at once share each load of x. stride: bytes from one output's weights to the next one's. */
PINTSIZE_INLINE void dot4_centered(int32_t acc[4], int32_t count, const int8_t *x, const int8_t *w, int32_t stride,
                                   int32_t n, int32_t bits, int32_t zero_point)
{
    for (int32_t i = 0; i < n; i++) {
        const int32_t v = x[i] - zero_point;
        for (int32_t j = 0; j < count; j++) {
            acc[j] += v * weight_at(w + j * stride, i, bits);
        }
    }
}

/* One output pixel gathers: tap k of input pixel i falls on output i * s + k - top, so i = (o + top - k) / s. */
PINTSIZE_INLINE void transpose_conv2d_taps(int32_t acc[4], int32_t count, const int8_t *x, const int8_t *w,
                                           int32_t stride, int32_t oy, int32_t ox, int32_t height, int32_t width,
                                           int32_t channels, int32_t kh, int32_t kw, int32_t sy, int32_t sx,
                                           int32_t bits, int32_t zero_point)
{
    const int32_t tap = row_bytes(channels, bits);
    for (int32_t ky = oy % sy; ky < kh && ky <= oy; ky += sy) {
        const int32_t iy = (oy - ky) / sy;
        if (iy >= height) {
            continue;
        }
        for (int32_t kx = ox % sx; kx < kw && kx <= ox; kx += sx) {
            const int32_t ix = (ox - kx) / sx;
            if (ix < width) {
                dot4_centered(acc, count, x + (iy * width + ix) * channels, w + (ky * kw + kx) * tap, stride,
                              channels, bits, zero_point);
            }
        }
    }
}

/* x (height, width, channels), w (outputs, kh, kw, channels) packed, y (out_height, out_width, outputs). How many taps
 * meet an output pixel depends on where it lies, so the zero point is not in bias. */
PINTSIZE_INLINE void transpose_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                      const int32_t *multiplier, const int8_t *shift, int32_t height, int32_t width,
                                      int32_t channels, int32_t out_height, int32_t out_width, int32_t outputs,
                                      int32_t kh, int32_t kw, int32_t sy, int32_t sx, int32_t top, int32_t left,
                                      int32_t bits, int32_t in_zero_point, int32_t zero_point, int32_t low,
                                      int32_t high)
{
    const int32_t stride = kh * kw * row_bytes(channels, bits);
    for (int32_t oy = top; oy < top + out_height; oy++) {
        for (int32_t ox = left; ox < left + out_width; ox++) {
            int32_t o = 0;
            for (; o + 4 <= outputs; o += 4) {
                int32_t acc[4] = {bias[o], bias[o + 1], bias[o + 2], bias[o + 3]};
                transpose_conv2d_taps(acc, 4, x, w + o * stride, stride, oy, ox, height, width, channels, kh, kw, sy,
                                      sx, bits, in_zero_point);
                for (int32_t j = 0; j < 4; j++) {
                    *y++ = requantized(acc[j], multiplier[o + j], shift[o + j], zero_point, low, high);
                }
            }
            for (; o < outputs; o++) {
                int32_t acc[4] = {bias[o], 0, 0, 0};
                transpose_conv2d_taps(acc, 1, x, w + o * stride, stride, oy, ox, height, width, channels, kh, kw, sy,
                                      sx, bits, in_zero_point);
                *y++ = requantized(acc[0], multiplier[o], shift[o], zero_point, low, high);
            }
        }
    }
}
