/* x (height, width, channels) with the zero point around it. */
PINTSIZE_INLINE void pad(const int8_t *x, int8_t *y, int32_t height, int32_t width, int32_t channels, int32_t top,
                         int32_t bottom, int32_t left, int32_t right, int32_t zero_point)
{
    for (int32_t oy = 0; oy < height + top + bottom; oy++) {
        for (int32_t ox = 0; ox < width + left + right; ox++) {
            const int32_t py = oy - top;
            const int32_t px = ox - left;
            const int32_t there = py >= 0 && py < height && px >= 0 && px < width;
            for (int32_t c = 0; c < channels; c++) {
                *y++ = there ? x[(py * width + px) * channels + c] : (int8_t)zero_point;
            }
        }
    }
}
