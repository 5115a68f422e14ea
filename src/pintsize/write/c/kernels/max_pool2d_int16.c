/* x (height, width, channels) int16 → y (out_height, out_width, channels); taps outside never win. */
PINTSIZE_INLINE void max_pool2d_int16(const int8_t *x, int8_t *y, int32_t height, int32_t width, int32_t channels,
                                      int32_t out_height, int32_t out_width, int32_t kh, int32_t kw, int32_t sy,
                                      int32_t sx, int32_t top, int32_t left, int32_t dy, int32_t dx)
{
    code16_t *out = codes16_out(y);
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++) {
            for (int32_t c = 0; c < channels; c++) {
                int16_t best = -32768;
                for (int32_t ky = 0; ky < kh; ky++) {
                    const int32_t py = oy * sy - top + ky * dy;
                    for (int32_t kx = 0; kx < kw; kx++) {
                        const int32_t px = ox * sx - left + kx * dx;
                        if (py >= 0 && py < height && px >= 0 && px < width) {
                            const int16_t v = codes16(x)[(py * width + px) * channels + c];
                            best = v > best ? v : best;
                        }
                    }
                }
                *out++ = best;
            }
        }
    }
}
