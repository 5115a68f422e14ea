/* One channel of the rows under a band of outputs, as a plane of `pitch` columns; where the window lies outside the
 * input, the plane keeps what it held. iy: the input row of the plane's first. */
PINTSIZE_INLINE void channel_plane(const int8_t *x, int8_t *plane, int32_t iy, int32_t rows, int32_t pitch,
                                   int32_t left, int32_t height, int32_t width, int32_t channels)
{
    const int32_t columns = pitch - left < width ? pitch - left : width;
    for (int32_t r = iy < 0 ? -iy : 0; r < rows && iy + r < height; r++) {
        const int8_t *from = x + (iy + r) * width * channels;
        for (int32_t i = 0; i < columns; i++, from += channels) {
            plane[r * pitch + left + i] = *from;
        }
    }
}

/* The sum of 3 by 3 taps, or of any, which then are read again for every output. */
PINTSIZE_INLINE int32_t plane_taps(int32_t acc, const int8_t *corner, const int8_t *taps, int32_t pitch, int32_t kh,
                                   int32_t kw, int32_t dy, int32_t dx)
{
    for (int32_t ky = 0; ky < kh; ky++) {
        for (int32_t kx = 0; kx < kw; kx++) {
            acc += corner[ky * dy * pitch + kx * dx] * taps[ky * kw + kx];
        }
    }
    return acc;
}

PINTSIZE_INLINE int32_t plane_taps_3x3(int32_t acc, const int8_t *corner, const int32_t taps[9], int32_t pitch,
                                       int32_t dy, int32_t dx)
{
    const int8_t *second = corner + dy * pitch;
    const int8_t *third = second + dy * pitch;
    acc += corner[0] * taps[0] + corner[dx] * taps[1] + corner[2 * dx] * taps[2];
    acc += second[0] * taps[3] + second[dx] * taps[4] + second[2 * dx] * taps[5];
    return acc + third[0] * taps[6] + third[dx] * taps[7] + third[2 * dx] * taps[8];
}

/* x (height, width, channels), w (kh, kw, channels * depth) packed, y (out_height, out_width, channels * depth).
 * bias has -zero_point * sum(weights) in it. `band` rows of outputs at a time, channel by channel: scratch holds the
 * channel's inputs (pitch columns), then its taps. With one band, depth 1 and equal shapes y may be x. */
PINTSIZE_INLINE void depthwise_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                      const int32_t *multiplier, const int8_t *shift, int8_t *scratch, int32_t height,
                                      int32_t width, int32_t channels, int32_t out_height, int32_t out_width,
                                      int32_t depth, int32_t kh, int32_t kw, int32_t sy, int32_t sx, int32_t top,
                                      int32_t left, int32_t dy, int32_t dx, int32_t band, int32_t pitch, int32_t bits,
                                      int32_t most, int32_t in_zero_point, int32_t zero_point, int32_t low,
                                      int32_t high)
{
    const int32_t outputs = channels * depth;
    const int32_t rows = (band - 1) * sy + (kh - 1) * dy + 1;
    int8_t *taps = scratch + rows * pitch;
    for (int32_t first = 0; first < out_height; first += band) {
        const int32_t count = out_height - first < band ? out_height - first : band;
        for (int32_t i = 0; i < rows * pitch; i++) {
            scratch[i] = (int8_t)in_zero_point;
        }
        for (int32_t o = 0; o < outputs; o++) {
            const int32_t start = bias[o], factor = multiplier[o], by = shift[o];
            int32_t nine[9];
            if (o % depth == 0) {
                channel_plane(x + o / depth, scratch, first * sy - top, rows, pitch, left, height, width, channels);
            }
            for (int32_t i = 0; i < kh * kw; i++) {
                const int8_t tap = (int8_t)weight_at(w + i * row_bytes(outputs, bits), o, bits);
                if (kh == 3 && kw == 3) {
                    nine[i] = tap;
                } else {
                    taps[i] = tap;
                }
            }
            int8_t *to = y + first * out_width * outputs + o;
            for (int32_t r = 0; r < count; r++) {
                const int8_t *corner = scratch + r * sy * pitch;
                for (int32_t i = 0; i < out_width; i++, corner += sx, to += outputs) {
                    const int32_t acc = kh == 3 && kw == 3
                                            ? plane_taps_3x3(start, corner, nine, pitch, dy, dx)
                                            : plane_taps(start, corner, taps, pitch, kh, kw, dy, dx);
                    *to = rescaled(acc, factor, by, most, zero_point, low, high);
                }
            }
        }
    }
}
