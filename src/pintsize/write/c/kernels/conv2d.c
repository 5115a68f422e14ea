PINTSIZE_INLINE void filled(int8_t *to, int32_t value, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = (int8_t)value;
    }
}

PINTSIZE_INLINE void copied(const int8_t *from, int8_t *to, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

/* The inputs under a window as one row of bytes, the zero point where the window lies outside. (iy, ix): its corner;
 * pitch: bytes of the row from pixel to pixel, which the weights' packing sets. */
PINTSIZE_INLINE void window_row(const int8_t *x, int8_t *row, int32_t iy, int32_t ix, int32_t height, int32_t width,
                                int32_t channels, int32_t pitch, int32_t kh, int32_t kw, int32_t dy, int32_t dx,
                                int32_t padded, int32_t zero_point)
{
    const int32_t run = dx == 1 && pitch == channels ? kw : 1; /* pixels that lie next to each other */
    for (int32_t ky = 0; ky < kh; ky++) {
        const int32_t py = iy + ky * dy;
        for (int32_t kx = 0; kx < kw; kx += run, row += run * pitch) {
            const int32_t px = ix + kx * dx;
            if (!padded || (py >= 0 && py < height && px >= 0 && px + run <= width)) {
                copied(x + (py * width + px) * channels, row, run * channels);
            } else if (py < 0 || py >= height || px >= width || px + run <= 0) {
                filled(row, zero_point, run * channels);
            } else {
                const int32_t from = px < 0 ? -px : 0;
                const int32_t to = px + run > width ? width - px : run;
                filled(row, zero_point, from * channels);
                copied(x + (py * width + px + from) * channels, row + from * channels, (to - from) * channels);
                filled(row + to * channels, zero_point, (run - to) * channels);
            }
        }
    }
}

/* x (height, width, channels), w (outputs, kh, kw, channels) packed, y (out_height, out_width, outputs), two pixels at
 * a time, whose windows scratch holds. bias has -zero_point * sum(weights) in it. */
PINTSIZE_INLINE void conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                            const int32_t *multiplier, const int8_t *shift, int8_t *scratch, int32_t height,
                            int32_t width, int32_t channels, int32_t out_height, int32_t out_width, int32_t outputs,
                            int32_t kh, int32_t kw, int32_t sy, int32_t sx, int32_t top, int32_t left, int32_t dy,
                            int32_t dx, int32_t padded, int32_t bits, int32_t most, int32_t in_zero_point,
                            int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t pitch = row_bytes(channels, bits) * 8 / bits;
    const int32_t inputs = kh * kw * pitch;
    int32_t waiting = 0; /* windows in scratch */
    for (int32_t iy = -top; iy < out_height * sy - top; iy += sy) {
        for (int32_t ix = -left; ix < out_width * sx - left; ix += sx) {
            window_row(x, scratch + waiting * inputs, iy, ix, height, width, channels, pitch, kh, kw, dy, dx, padded,
                       in_zero_point);
            waiting++;
            if (waiting == 2) {
                two_rows(scratch, y, w, bias, multiplier, shift, inputs, outputs, bits, most, zero_point, low, high);
                y += 2 * outputs;
                waiting = 0;
            }
        }
    }
    if (waiting && out_height * out_width % 2) {
        one_row(scratch, y, w, bias, multiplier, shift, inputs, outputs, bits, most, zero_point, low, high);
    }
}
