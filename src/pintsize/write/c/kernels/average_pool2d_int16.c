/* x (height, width, channels) int16 → y (out_height, out_width, channels); taps outside do not count; halves away
 * from 0. */
PINTSIZE_INLINE void average_pool2d_int16(const int8_t *x, int8_t *y, int32_t height, int32_t width, int32_t channels,
                                          int32_t out_height, int32_t out_width, int32_t kh, int32_t kw, int32_t sy,
                                          int32_t sx, int32_t top, int32_t left)
{
    code16_t *out = codes16_out(y);
    for (int32_t oy = 0; oy < out_height; oy++) {
        for (int32_t ox = 0; ox < out_width; ox++) {
            const int32_t y0 = oy * sy - top;
            const int32_t x0 = ox * sx - left;
            const int32_t from_y = y0 < 0 ? 0 : y0;
            const int32_t from_x = x0 < 0 ? 0 : x0;
            const int32_t to_y = y0 + kh > height ? height : y0 + kh;
            const int32_t to_x = x0 + kw > width ? width : x0 + kw;
            const int32_t count = (to_y - from_y) * (to_x - from_x);
            for (int32_t c = 0; c < channels; c++) {
                int32_t sum = 0;
                for (int32_t py = from_y; py < to_y; py++) {
                    for (int32_t px = from_x; px < to_x; px++) {
                        sum += codes16(x)[(py * width + px) * channels + c];
                    }
                }
                *out++ = (int16_t)((sum >= 0 ? sum + count / 2 : sum - count / 2) / count);
            }
        }
    }
}
