/* One output pixel, `count` (4 or 1) output channels from w. x0: top left corner of the window, may lie outside.
 * bias has -zero_point * sum(weights) in it, so taps outside the input add zero_point * weight. */
PINTSIZE_INLINE void conv2d_taps(int32_t acc[4], int32_t count, const int8_t *x, const int8_t *w, int32_t stride,
                                 int32_t iy, int32_t ix, int32_t height, int32_t width, int32_t channels, int32_t kh,
                                 int32_t kw, int32_t dy, int32_t dx, int32_t padded, int32_t zero_point, int32_t bits)
{
    /* without horizontal dilation the taps of a row are neighbours: one run of kw * channels numbers */
    const int32_t merge = dx == 1 && bits == 8;
    const int32_t run = merge ? kw : 1;
    const int32_t tap = row_bytes(channels, bits);
    for (int32_t ky = 0; ky < kh; ky++) {
        const int32_t y = iy + ky * dy;
        for (int32_t kx = 0; kx < kw; kx += run) {
            const int8_t *row = w + (ky * kw + kx) * tap;
            const int32_t first = ix + kx * dx;
            int32_t from = 0;
            int32_t to = run;
            if (padded) {
                if (y < 0 || y >= height || first >= width || first + run <= 0) {
                    to = 0;
                } else {
                    from = first < 0 ? -first : 0;
                    to = first + run > width ? width - first : run;
                }
                for (int32_t j = 0; j < count; j++) {
                    const int8_t *wj = row + j * stride;
                    acc[j] = dot_constant(acc[j], zero_point, wj, from * channels, bits);
                    acc[j] = dot_constant(acc[j], zero_point, wj + to * tap, (run - to) * channels, bits);
                }
                if (to == 0) {
                    continue;
                }
            }
            const int8_t *pixels = x + (y * width + first + from) * channels;
            if (count == 4) {
                dot4(acc, pixels, row + from * tap, stride, (to - from) * channels, bits);
            } else {
                acc[0] = dot(acc[0], pixels, row + from * tap, (to - from) * channels, bits);
            }
        }
    }
}

/* x (height, width, channels), w (outputs, kh, kw, channels) packed, y (out_height, out_width, outputs). */
PINTSIZE_INLINE void conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                            const int32_t *multiplier, const int8_t *shift, int32_t height, int32_t width,
                            int32_t channels, int32_t out_height, int32_t out_width, int32_t outputs, int32_t kh,
                            int32_t kw, int32_t sy, int32_t sx, int32_t top, int32_t left, int32_t dy, int32_t dx,
                            int32_t padded, int32_t bits, int32_t in_zero_point, int32_t zero_point, int32_t low,
                            int32_t high)
{
    const int32_t stride = kh * kw * row_bytes(channels, bits);
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++) {
            const int32_t iy = oy * sy - top;
            const int32_t ix = ox * sx - left;
            int32_t o = 0;
            for (; o + 4 <= outputs; o += 4) {
                int32_t acc[4] = {bias[o], bias[o + 1], bias[o + 2], bias[o + 3]};
                conv2d_taps(acc, 4, x, w + o * stride, stride, iy, ix, height, width, channels, kh, kw, dy, dx,
                            padded, in_zero_point, bits);
                for (int32_t j = 0; j < 4; j++) {
                    *y++ = requantized(acc[j], multiplier[o + j], shift[o + j], zero_point, low, high);
                }
            }
            for (; o < outputs; o++) {
                int32_t acc[4] = {bias[o], 0, 0, 0};
                conv2d_taps(acc, 1, x, w + o * stride, stride, iy, ix, height, width, channels, kh, kw, dy, dx,
                            padded, in_zero_point, bits);
                *y++ = requantized(acc[0], multiplier[o], shift[o], zero_point, low, high);
            }
        }
    }
}
