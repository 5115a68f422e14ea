/* `count` pixels of `channels` bytes, `x_step` apart → y, `y_step` apart. */
PINTSIZE_INLINE void helium_spread(const int8_t *x, int8_t *y, int32_t count, int32_t channels, int32_t x_step,
                                   int32_t y_step)
{
#if defined(__ARM_FEATURE_MVE)
    if (channels < 8 && x_step == channels && y_step < 64) {
        /* as many whole pixels as a vector holds; 63 * 3 + 15 is in reach of 8-bit offsets */
        const int32_t together = channels < 4 ? 4 : 16 / channels;
        const uint8x16_t lane = vidupq_n_u8(0, 1);
        uint8x16_t offsets = lane;
        for (int32_t i = 1; i < together; i++) {
            const mve_pred16_t behind = vcmpcsq_n_u8(lane, (uint8_t)(i * channels));
            offsets = vaddq_m_n_u8(offsets, offsets, (uint8_t)(y_step - channels), behind);
        }
        for (; count > 0; count -= together) {
            const int32_t bytes = (count < together ? count : together) * channels;
            const mve_pred16_t lanes = vctp8q((uint32_t)bytes);
            vstrbq_scatter_offset_p_s8(y, offsets, vldrbq_z_s8(x, lanes), lanes);
            x += bytes;
            y += together * y_step;
        }
        return;
    }
    for (; count > 0; count--, x += x_step, y += y_step) {
        for (int32_t c = 0; c < channels; c += 16) {
            const mve_pred16_t lanes = vctp8q((uint32_t)(channels - c));
            vstrbq_p_s8(y + c, vldrbq_z_s8(x + c, lanes), lanes);
        }
    }
#else
    for (; count > 0; count--, x += x_step, y += y_step) {
        memcpy(y, x, (size_t)channels);
    }
#endif
}

/* The input rows under one row of outputs, column by column: strip (columns, kh, channels), so that a window is one
 * run of numbers. With horizontal dilation, columns of one residue are neighbours. */
HELIUM_SHARED void helium_fill_strip(const int8_t *x, int8_t *strip, const int32_t *shape, int32_t iy)
{
    const int32_t height = shape[0], width = shape[1], channels = shape[2], kh = shape[6], left = shape[11];
    const int32_t dy = shape[12], dx = shape[13], columns = shape[14], zero_point = shape[15];
    const int32_t step = kh * channels;
    const int32_t per_residue = (columns + dx - 1) / dx;
    for (int32_t residue = 0; residue < dx; residue++) {
        const int32_t total = (columns - residue + dx - 1) / dx;
        int32_t before = left > residue ? (left - residue + dx - 1) / dx : 0;
        before = before > total ? total : before;
        const int32_t first = residue + before * dx - left;
        int32_t inside = first < width ? (width - first + dx - 1) / dx : 0;
        inside = inside > total - before ? total - before : inside;
        int8_t *to = strip + residue * per_residue * step;
        for (int32_t ky = 0; ky < kh; ky++, to += channels) {
            const int32_t py = iy + ky * dy;
            if (py < 0 || py >= height) {
                helium_blank(to, total, channels, step, zero_point);
                continue;
            }
            helium_blank(to, before, channels, step, zero_point);
            helium_spread(x + (py * width + first) * channels, to + before * step, inside, channels, dx * channels,
                          step);
            helium_blank(to + (before + inside) * step, total - before - inside, channels, step, zero_point);
        }
    }
}

/* x (height, width, channels) → y (out_height, out_width, outputs). w in blocks over (kw, kh, channels). shape:
 * height, width, channels, out_height, out_width, outputs, kh, kw, sy, sx, top, left, dy, dx, columns of the strip, the
 * input's zero point, zero point, low, high. */
PINTSIZE_INLINE void helium_conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *factors,
                                   const int32_t *shape, int8_t *scratch, int32_t bits, int32_t dilated,
                                   int32_t is_signed)
{
    const int32_t out_width = shape[4], outputs = shape[5], kh = shape[6], sx = shape[9], dx = shape[13];
    const int32_t step = kh * shape[2];
    const int32_t per_residue = (shape[14] + dx - 1) / dx;
    for (int32_t oy = 0; oy < shape[3]; oy++) {
        helium_fill_strip(x, scratch, shape, oy * shape[8] - shape[10]);
        if (!dilated) {
            helium_multiply_rows(scratch, y, w, factors, out_width, sx * step, step * shape[7], outputs, shape + 16,
                                 bits, is_signed);
        } else {
            for (int32_t ox = 0; ox < out_width; ox++) {
                const int32_t column = ox * sx % dx * per_residue + ox * sx / dx;
                helium_multiply_row(scratch + column * step, y + ox * outputs, w, factors, step * shape[7], outputs,
                                    shape + 16, bits, 0, is_signed);
            }
        }
        y += out_width * outputs;
    }
}

/* A window of one pixel, nothing padded, but with strides. shape as above. */
PINTSIZE_INLINE void helium_conv2d_strided(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *factors,
                                           const int32_t *shape, int32_t bits, int32_t is_signed)
{
    for (int32_t oy = 0; oy < shape[3]; oy++) {
        helium_multiply_rows(x, y, w, factors, shape[4], shape[9] * shape[2], shape[2], shape[5], shape + 16,
                             bits, is_signed);
        x += shape[8] * shape[1] * shape[2];
        y += shape[4] * shape[5];
    }
}
