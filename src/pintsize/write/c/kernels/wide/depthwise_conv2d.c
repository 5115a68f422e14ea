/* x (height, width, channels) → y (out_height, out_width, channels), 8 channels and up to 4 pixels at a time.
 * w: per 8 channels, per 2 taps (the last one alone has a 0 beside it), 8 pairs. scratch: the bordered input, and
 * 8 bytes that are read where channels are no multiple of 8. x is read before y is written. */
PINTSIZE_INLINE void wide_depthwise_pixels(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                           const int32_t *multiplier, const int16_t *factor, int32_t pixels,
                                           int32_t count, int32_t row, int32_t channels, int32_t kh, int32_t kw,
                                           int32_t sx, int32_t dy, int32_t dx, int32_t shift, int32_t factors,
                                           int32_t is_signed, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t step = sx * channels;
    wide a0 = wide_load(bias), a1 = a0, a2 = a0, a3 = a0;
    for (int32_t t = 0; t < kh * kw; t += 2, w += 16) {
        const wide_taps k = wide_weigh_taps(w);
        const int32_t u = t + 1 < kh * kw ? t + 1 : t;
        const int8_t *first = x + t / kw * dy * row + t % kw * dx * channels;
        const int8_t *second = x + u / kw * dy * row + u % kw * dx * channels;
        a0 = wide_two_taps(a0, k, first, second);
        if (pixels == 4) {
            a1 = wide_two_taps(a1, k, first + step, second + step);
            a2 = wide_two_taps(a2, k, first + 2 * step, second + 2 * step);
            a3 = wide_two_taps(a3, k, first + 3 * step, second + 3 * step);
        }
    }
    wide_requantize(y, a0, count, multiplier, factor, shift, factors, is_signed, zero_point, low, high);
    if (pixels == 4) {
        wide_requantize(y + channels, a1, count, multiplier, factor, shift, factors, is_signed, zero_point, low, high);
        wide_requantize(y + 2 * channels, a2, count, multiplier, factor, shift, factors, is_signed, zero_point, low,
                        high);
        wide_requantize(y + 3 * channels, a3, count, multiplier, factor, shift, factors, is_signed, zero_point, low,
                        high);
    }
}

PINTSIZE_INLINE void wide_depthwise_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                           const int32_t *multiplier, const int16_t *factor, int8_t *scratch,
                                           int32_t height, int32_t width, int32_t channels, int32_t out_height,
                                           int32_t out_width, int32_t kh, int32_t kw, int32_t sy, int32_t sx,
                                           int32_t top, int32_t bottom, int32_t left, int32_t right, int32_t dy,
                                           int32_t dx, int32_t in_zero_point, int32_t shift, int32_t factors,
                                           int32_t is_signed, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t row = (left + width + right) * channels;
    const int32_t taps = (kh * kw + 1) / 2 * 16;
    wide_bordered(scratch, x, height, width, channels, top, bottom, left, right, in_zero_point);
    wide_fill(scratch + row * (top + height + bottom), 0, 8);
    for (int32_t c = 0; c < channels; c += 8, w += taps) {
        const int32_t count = channels % 8 == 0 ? 8 : channels - c;
        for (int32_t oy = 0; oy < out_height; oy++) {
            const int8_t *line = scratch + oy * sy * row + c;
            int8_t *to = y + oy * out_width * channels + c;
            int32_t ox = 0;
            for (; ox + 4 <= out_width; ox += 4) {
                wide_depthwise_pixels(line + ox * sx * channels, to + ox * channels, w, bias + c, multiplier + c,
                                      factor + c, 4, count, row, channels, kh, kw, sx, dy, dx, shift, factors,
                                      is_signed, zero_point, low, high);
            }
            for (; ox < out_width; ox++) {
                wide_depthwise_pixels(line + ox * sx * channels, to + ox * channels, w, bias + c, multiplier + c,
                                      factor + c, 1, count, row, channels, kh, kw, sx, dy, dx, shift, factors,
                                      is_signed, zero_point, low, high);
            }
        }
    }
}
