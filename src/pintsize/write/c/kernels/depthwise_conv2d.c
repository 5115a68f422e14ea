/* x (height, width, channels), w (kh, kw, channels * depth) packed, y (out_height, out_width, channels * depth).
 * bias has -zero_point * sum(weights) in it, so taps outside the input see the zero point. */
PINTSIZE_INLINE void depthwise_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                      const int32_t *multiplier, const int8_t *shift, int32_t height, int32_t width,
                                      int32_t channels, int32_t out_height, int32_t out_width, int32_t depth,
                                      int32_t kh, int32_t kw, int32_t sy, int32_t sx, int32_t top, int32_t left,
                                      int32_t dy, int32_t dx, int32_t bits, int32_t in_zero_point,
                                      int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t outputs = channels * depth;
    const int32_t tap = row_bytes(outputs, bits);
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++) {
            const int32_t iy = oy * sy - top;
            const int32_t ix = ox * sx - left;
            const int32_t inside = iy >= 0 && ix >= 0 && iy + (kh - 1) * dy < height && ix + (kw - 1) * dx < width;
            for (int32_t o = 0; o < outputs; o++) {
                const int8_t *channel = x + o / depth;
                int32_t acc = bias[o];
                if (inside) {
                    const int8_t *corner = channel + (iy * width + ix) * channels;
                    for (int32_t ky = 0; ky < kh; ky++) {
                        for (int32_t kx = 0; kx < kw; kx++) {
                            acc += corner[(ky * dy * width + kx * dx) * channels]
                                   * weight_at(w + (ky * kw + kx) * tap, o, bits);
                        }
                    }
                } else {
                    for (int32_t ky = 0; ky < kh; ky++) {
                        for (int32_t kx = 0; kx < kw; kx++) {
                            const int32_t py = iy + ky * dy;
                            const int32_t px = ix + kx * dx;
                            const int32_t there = py >= 0 && py < height && px >= 0 && px < width;
                            acc += (there ? channel[(py * width + px) * channels] : in_zero_point)
                                   * weight_at(w + (ky * kw + kx) * tap, o, bits);
                        }
                    }
                }
                *y++ = requantized(acc, multiplier[o], shift[o], zero_point, low, high);
            }
        }
    }
}
