/* x (height, width, channels) → y (out_height, out_width, channels); taps outside do not count; halves away from 0.
 * scratch: the sums of all channels. The innermost loops are those that compilers turn into vectors. */
PINTSIZE_INLINE void wide_average_pool2d(const int8_t *x, int8_t *y, int8_t *scratch, int32_t height, int32_t width,
                                         int32_t channels, int32_t out_height, int32_t out_width, int32_t kh,
                                         int32_t kw, int32_t sy, int32_t sx, int32_t top, int32_t left)
{
    int32_t *sums = (int32_t *)(void *)scratch;
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++, y += channels) {
            const int32_t y0 = oy * sy - top;
            const int32_t x0 = ox * sx - left;
            const int32_t from_y = y0 < 0 ? 0 : y0;
            const int32_t from_x = x0 < 0 ? 0 : x0;
            const int32_t to_y = y0 + kh > height ? height : y0 + kh;
            const int32_t to_x = x0 + kw > width ? width : x0 + kw;
            const int32_t count = (to_y - from_y) * (to_x - from_x);
            for (int32_t c = 0; c < channels; c++) {
                sums[c] = 0;
            }
            for (int32_t py = from_y; py < to_y; py++) {
                for (int32_t px = from_x; px < to_x; px++) {
                    const int8_t *pixel = x + (py * width + px) * channels;
                    for (int32_t c = 0; c < channels; c++) {
                        sums[c] += pixel[c];
                    }
                }
            }
            for (int32_t c = 0; c < channels; c++) {
                y[c] = (int8_t)((sums[c] + (sums[c] >= 0 ? count / 2 : -(count / 2))) / count);
            }
        }
    }
}
