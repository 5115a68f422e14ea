/* The inputs under a window whose corner is (iy, ix), as one row of bytes; gives their sum. shape as below. */
PINTSIZE_INLINE int32_t thumb_gather(const int8_t *x, uint8_t *row, const int32_t *shape, int32_t iy, int32_t ix)
{
    const int32_t height = shape[0], width = shape[1], channels = shape[2], kh = shape[6], kw = shape[7];
    const int32_t dy = shape[12], dx = shape[13];
    const int8_t zero = (int8_t)shape[14];
    const int32_t run = dx == 1 ? kw : 1; /* pixels that lie next to each other */
    int32_t sum = 0;
    for (int32_t ky = 0, py = iy; ky < kh; ky++, py += dy) {
        for (int32_t kx = 0, px = ix; kx < kw; kx += run, px += dx * run) {
            int32_t from = px < 0 ? -px : 0;
            int32_t to = px + run > width ? width - px : run;
            if (py < 0 || py >= height || from >= to) {
                from = run;
                to = run;
            }
            sum += thumb_copy(&zero, row, from * channels, 0);
            sum += thumb_copy(x + (py * width + px + from) * channels, row + from * channels, (to - from) * channels,
                              1);
            sum += thumb_copy(&zero, row + to * channels, (run - to) * channels, 0);
            row += run * channels;
        }
    }
    return sum;
}

/* x (height, width, channels) → y (out_height, out_width, outputs). shape: height, width, channels, out_height,
 * out_width, outputs, kh, kw, sy, sx, top, left, dy, dx, the input's zero point, zero point, low, high,
 * step of the factors. */
PINTSIZE_INLINE void thumb_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                                  const int32_t *multiplier, const int8_t *shift, const int32_t *shape,
                                  int8_t *scratch, int32_t bits)
{
    uint8_t *row = (uint8_t *)scratch;
    const int32_t inputs = thumb_padded(row, shape[6] * shape[7] * shape[2], bits);
    for (int32_t oy = 0; oy < shape[3]; oy++) {
        for (int32_t ox = 0; ox < shape[4]; ox++, y += shape[5]) {
            const int32_t sum = thumb_gather(x, row, shape, oy * shape[8] - shape[10], ox * shape[9] - shape[11]);
            thumb_pixel(row, sum, y, w, bias, multiplier, shift, inputs, shape[5], shape + 15, bits);
        }
    }
}
