/* x (height, width, channels) → y (out_height, out_width, channels); taps outside do not count; halves go
 * away from 0. */
PINTSIZE_INLINE void helium_average_pool2d(const int8_t *x, int8_t *y, int32_t height, int32_t width,
                                           int32_t channels, int32_t out_height, int32_t out_width, int32_t kh,
                                           int32_t kw, int32_t sy, int32_t sx, int32_t top, int32_t left)
{
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++) {
            const int32_t y0 = oy * sy - top;
            const int32_t x0 = ox * sx - left;
            const int32_t from_y = y0 < 0 ? 0 : y0;
            const int32_t from_x = x0 < 0 ? 0 : x0;
            const int32_t to_y = y0 + kh > height ? height : y0 + kh;
            const int32_t to_x = x0 + kw > width ? width : x0 + kw;
            const int32_t count = (to_y - from_y) * (to_x - from_x);
            for (int32_t c = 0; c < channels; c += 4) {
                int32_t sums[4] = {0, 0, 0, 0};
                const int32_t lanes = channels - c < 4 ? channels - c : 4;
#if defined(__ARM_FEATURE_MVE)
                int32x4_t total = vdupq_n_s32(0);
                const mve_pred16_t there = vctp32q((uint32_t)lanes);
                for (int32_t py = from_y; py < to_y; py++) {
                    const int8_t *pixel = x + (py * width + from_x) * channels + c;
                    for (int32_t px = from_x; px < to_x; px++, pixel += channels) {
                        total = vaddq_s32(total, vldrbq_z_s32(pixel, there));
                    }
                }
                vstrwq_s32(sums, total);
#else
                for (int32_t py = from_y; py < to_y; py++) {
                    for (int32_t px = from_x; px < to_x; px++) {
                        for (int32_t j = 0; j < lanes; j++) {
                            sums[j] += x[(py * width + px) * channels + c + j];
                        }
                    }
                }
#endif
                for (int32_t j = 0; j < lanes; j++) {
                    *y++ = (int8_t)((sums[j] >= 0 ? sums[j] + count / 2 : sums[j] - count / 2) / count);
                }
            }
        }
    }
}
