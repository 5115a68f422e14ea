/* Codes of one width and grid to another width or grid. */
PINTSIZE_INLINE void widen(const int8_t *x, int8_t *y, int32_t count, int32_t x_zero, int32_t multiplier, int32_t shift)
{
    for (int32_t i = 0; i < count; i++) {
        codes16_out(y)[i] = clamped16(scaled(x[i] - x_zero, multiplier, shift), -32768, 32767);
    }
}

PINTSIZE_INLINE void narrow(const int8_t *x, int8_t *y, int32_t count, int32_t multiplier, int32_t shift,
                            int32_t zero_point)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = requantized(codes16(x)[i], multiplier, shift, zero_point, -128, 127);
    }
}

/* y may be x. */
PINTSIZE_INLINE void rescale_int16(const int8_t *x, int8_t *y, int32_t count, int32_t multiplier, int32_t shift)
{
    for (int32_t i = 0; i < count; i++) {
        codes16_out(y)[i] = clamped16(scaled(codes16(x)[i], multiplier, shift), -32768, 32767);
    }
}
