/* x (height, width, channels), w (kh, kw, channels * depth) packed, y (out_height, out_width, channels * depth). */
PINTSIZE_INLINE void depthwise_conv2d_int16(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                            const int16_t *multiplier, const int8_t *shift, int32_t height,
                                            int32_t width, int32_t channels, int32_t out_height, int32_t out_width,
                                            int32_t depth, int32_t kh, int32_t kw, int32_t sy, int32_t sx, int32_t top,
                                            int32_t left, int32_t dy, int32_t dx, int32_t bits, int32_t wide,
                                            int32_t low, int32_t high)
{
    const int32_t outputs = channels * depth;
    const int32_t tap = row_bytes(outputs, bits);
    code16_t *out = codes16_out(y);
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++) {
            for (int32_t o = 0; o < outputs; o++) {
                int64_t acc = bias[o];
                for (int32_t ky = 0; ky < kh; ky++) {
                    const int32_t py = oy * sy - top + ky * dy;
                    for (int32_t kx = 0; kx < kw && py >= 0 && py < height; kx++) {
                        const int32_t px = ox * sx - left + kx * dx;
                        if (px >= 0 && px < width) {
                            acc += dot16(codes16(x) + (py * width + px) * channels + o / depth,
                                         w + (ky * kw + kx) * tap, o, 1, bits, wide);
                        }
                    }
                }
                *out++ = requantized16(acc, multiplier[o], shift[o], low, high);
            }
        }
    }
}
