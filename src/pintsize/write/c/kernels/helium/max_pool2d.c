/* x (height, width, channels) → y (out_height, out_width, channels); taps outside never win. */
PINTSIZE_INLINE void helium_max_pool2d(const int8_t *x, int8_t *y, int32_t height, int32_t width, int32_t channels,
                                       int32_t out_height, int32_t out_width, int32_t kh, int32_t kw, int32_t sy,
                                       int32_t sx, int32_t top, int32_t left, int32_t dy, int32_t dx)
{
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++, y += channels) {
            for (int32_t c = 0; c < channels; c += 16) {
#if defined(__ARM_FEATURE_MVE)
                const mve_pred16_t lanes = vctp8q((uint32_t)(channels - c));
                int8x16_t best = vdupq_n_s8(-128);
#else
                const int32_t lanes = channels - c < 16 ? channels - c : 16;
                int8_t best[16];
                for (int32_t i = 0; i < lanes; i++) {
                    best[i] = -128;
                }
#endif
                for (int32_t ky = 0; ky < kh; ky++) {
                    const int32_t py = oy * sy - top + ky * dy;
                    for (int32_t kx = 0; kx < kw; kx++) {
                        const int32_t px = ox * sx - left + kx * dx;
                        if (py < 0 || py >= height || px < 0 || px >= width) {
                            continue;
                        }
                        const int8_t *pixel = x + (py * width + px) * channels + c;
#if defined(__ARM_FEATURE_MVE)
                        best = vmaxq_m_s8(best, best, vldrbq_z_s8(pixel, lanes), lanes);
#else
                        for (int32_t i = 0; i < lanes; i++) {
                            best[i] = pixel[i] > best[i] ? pixel[i] : best[i];
                        }
#endif
                    }
                }
#if defined(__ARM_FEATURE_MVE)
                vstrbq_p_s8(y + c, best, lanes);
#else
                for (int32_t i = 0; i < lanes; i++) {
                    y[c + i] = best[i];
                }
#endif
            }
        }
    }
}
