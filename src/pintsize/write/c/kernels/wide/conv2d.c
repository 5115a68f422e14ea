/* A convolution whose channels are a multiple of 4: the input with its border is encoded once, and read in place.
 * scratch: the bordered input, then its codes. x is read before y is written. */
PINTSIZE_INLINE void wide_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                 const int32_t *multiplier, const int16_t *factor, int8_t *scratch, int32_t height,
                                 int32_t width, int32_t channels, int32_t out_height, int32_t out_width,
                                 int32_t outputs, int32_t kh, int32_t kw, int32_t sy, int32_t sx, int32_t top,
                                 int32_t bottom, int32_t left, int32_t right, int32_t bits, int32_t in_zero_point,
                                 int32_t shift, int32_t factors, int32_t is_signed, int32_t zero_point, int32_t low,
                                 int32_t high)
{
    const int32_t row = (left + width + right) * channels;
    const int32_t count = row * (top + height + bottom);
    const int32_t quads = kw * channels / 4;
    wide_code *codes = (wide_code *)(void *)(scratch + count);
    wide_bordered(scratch, x, height, width, channels, top, bottom, left, right, in_zero_point);
    wide_encode(codes, scratch, count);
    for (int32_t oy = 0; oy < out_height; oy++) {
        const wide_code *line = codes + oy * sy * row;
        int32_t ox = 0;
        for (; ox + 4 <= out_width; ox += 4, y += 4 * outputs) {
            wide_pixels(line + ox * sx * channels, y, w, bias, multiplier, factor, 4, sx * channels, row, kh, quads,
                        outputs, bits, shift, factors, is_signed, zero_point, low, high);
        }
        for (; ox < out_width; ox++, y += outputs) {
            wide_pixels(line + ox * sx * channels, y, w, bias, multiplier, factor, 1, sx * channels, row, kh, quads,
                        outputs, bits, shift, factors, is_signed, zero_point, low, high);
        }
    }
}

/* Any other convolution: the windows of 4 pixels are gathered, then encoded. scratch: the bordered input in whole
 * fours of bytes, the windows of 4 pixels, and their codes. */
PINTSIZE_INLINE void wide_gathered(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                   const int32_t *multiplier, const int16_t *factor, int8_t *scratch, int32_t height,
                                   int32_t width, int32_t channels, int32_t out_height, int32_t out_width,
                                   int32_t outputs, int32_t kh, int32_t kw, int32_t sy, int32_t sx, int32_t top,
                                   int32_t bottom, int32_t left, int32_t right, int32_t dy, int32_t dx, int32_t bits,
                                   int32_t in_zero_point, int32_t shift, int32_t factors, int32_t is_signed,
                                   int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t row = (left + width + right) * channels;
    const int32_t quads = (kh * kw * channels + 3) / 4;
    const int32_t run = dx == 1 ? kw : 1;
    int8_t *windows = scratch + (row * (top + height + bottom) + 3) / 4 * 4;
    wide_code *codes = (wide_code *)(void *)(windows + 16 * quads);
    const int32_t pixels = out_height * out_width;
    wide_bordered(scratch, x, height, width, channels, top, bottom, left, right, in_zero_point);
    wide_fill(windows, 0, 16 * quads);
    for (int32_t done = 0, oy = 0, ox = 0, count = 4; done < pixels; done += count, y += count * outputs) {
        count = done + 4 <= pixels ? 4 : 1;
        for (int32_t p = 0; p < count; p++) {
            const int8_t *corner = scratch + oy * sy * row + ox * sx * channels;
            int8_t *to = windows + 4 * quads * p;
            for (int32_t ky = 0; ky < kh; ky++) {
                for (int32_t kx = 0; kx < kw; kx += run, to += run * channels) {
                    memcpy(to, corner + ky * dy * row + kx * dx * channels, (size_t)(run * channels));
                }
            }
            ox = ox + 1 == out_width ? 0 : ox + 1;
            oy += ox == 0;
        }
        wide_encode(codes, windows, 16 * quads);
        if (count == 4) {
            wide_pixels(codes, y, w, bias, multiplier, factor, 4, 4 * quads, 0, 1, quads, outputs, bits, shift, factors,
                        is_signed, zero_point, low, high);
        } else {
            wide_pixels(codes, y, w, bias, multiplier, factor, 1, 4 * quads, 0, 1, quads, outputs, bits, shift, factors,
                        is_signed, zero_point, low, high);
        }
    }
}
