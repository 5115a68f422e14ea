PINTSIZE_INLINE void wide_fill(int8_t *to, int32_t value, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = (int8_t)value;
    }
}

/* x (height, width, channels) with `border` around it: (top + height + bottom, left + width + right, channels). */
PINTSIZE_INLINE void wide_bordered(int8_t *to, const int8_t *x, int32_t height, int32_t width, int32_t channels,
                                   int32_t top, int32_t bottom, int32_t left, int32_t right, int32_t border)
{
    const int32_t line = (left + width + right) * channels;
    wide_fill(to, border, top * line);
    to += top * line;
    for (int32_t y = 0; y < height; y++, to += line) {
        wide_fill(to, border, left * channels);
        memcpy(to + left * channels, x + y * width * channels, (size_t)(width * channels));
        wide_fill(to + (left + width) * channels, border, right * channels);
    }
    wide_fill(to, border, bottom * line);
}
