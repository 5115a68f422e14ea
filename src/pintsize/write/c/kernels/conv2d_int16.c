/* One output of one pixel. (iy, ix): top left corner of the window; taps outside the input are 0. */
PINTSIZE_INLINE int64_t conv2d_int16_sum(const code16_t *x, const int8_t *w, int32_t iy, int32_t ix, int32_t height,
                                         int32_t width, int32_t channels, int32_t kh, int32_t kw, int32_t dy,
                                         int32_t dx, int32_t bits, int32_t wide)
{
    /* without horizontal dilation the taps of a row are neighbours: one run of kw * channels numbers */
    const int32_t run = dx == 1 && bits == 8 ? kw : 1;
    const int32_t tap = row_bytes(channels, bits);
    int64_t sum = 0;
    for (int32_t ky = 0; ky < kh; ky++) {
        const int32_t y = iy + ky * dy;
        if (y < 0 || y >= height) {
            continue;
        }
        for (int32_t kx = 0; kx < kw; kx += run) {
            const int32_t first = ix + kx * dx;
            const int32_t from = first < 0 ? -first : 0;
            const int32_t to = first + run > width ? width - first : run;
            if (from < to) {
                sum += dot16(x + (y * width + first + from) * channels, w + (ky * kw + kx + from) * tap, 0,
                             (to - from) * channels, bits, wide);
            }
        }
    }
    return sum;
}

/* x (height, width, channels), w (outputs, kh, kw, channels) packed, y (out_height, out_width, outputs). */
PINTSIZE_INLINE void conv2d_int16(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                  const int16_t *multiplier, const int8_t *shift, int32_t height, int32_t width,
                                  int32_t channels, int32_t out_height, int32_t out_width, int32_t outputs, int32_t kh,
                                  int32_t kw, int32_t sy, int32_t sx, int32_t top, int32_t left, int32_t dy, int32_t dx,
                                  int32_t bits, int32_t wide, int32_t low, int32_t high)
{
    const int32_t stride = kh * kw * row_bytes(channels, bits);
    code16_t *out = codes16_out(y);
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++) {
            for (int32_t o = 0; o < outputs; o++) {
                const int64_t sum = conv2d_int16_sum(codes16(x), w + o * stride, oy * sy - top, ox * sx - left, height,
                                                     width, channels, kh, kw, dy, dx, bits, wide);
                *out++ = requantized16(bias[o] + sum, multiplier[o], shift[o], low, high);
            }
        }
    }
}
