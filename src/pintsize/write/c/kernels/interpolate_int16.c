/* A number in steps of the table, brought there; the table between its entries, 2^bits steps apart, and beyond them. */
PINTSIZE_INLINE int32_t steps16(int32_t x, int32_t multiplier, int32_t shift)
{
    return (x * multiplier + (int32_t)((1u << shift) >> 1)) >> shift;
}

PINTSIZE_INLINE int32_t interpolated16(int32_t steps, int32_t bits, int32_t beyond)
{
    const int32_t size = steps < 0 ? -steps : steps;
    const int32_t entry = size >> bits;
    if (entry >= 255) {
        return beyond;
    }
    return sigmoid_table[entry] * (1 << bits)
           + (size - entry * (1 << bits)) * (sigmoid_table[entry + 1] - sigmoid_table[entry]);
}

/* Sigmoids of int16 codes with 15 fractional bits; y may be x. */
PINTSIZE_INLINE void sigmoid_int16(const int8_t *x, int8_t *y, int32_t count, int32_t multiplier, int32_t shift)
{
    for (int32_t i = 0; i < count; i++) {
        const int32_t steps = steps16(codes16(x)[i], multiplier, shift);
        const int32_t result = interpolated16(steps, 9, 0x7FFF << 10);
        codes16_out(y)[i] = (int16_t)((steps >= 0 ? result + (1 << 9) : (1 << 25) - result + (1 << 9) - 1) >> 10);
    }
}

/* Hyperbolic tangents of int16 codes with 15 fractional bits; y may be x. */
PINTSIZE_INLINE void tanh_int16(const int8_t *x, int8_t *y, int32_t count, int32_t multiplier, int32_t shift)
{
    for (int32_t i = 0; i < count; i++) {
        const int32_t steps = steps16(codes16(x)[i], multiplier, shift);
        const int32_t result = interpolated16(steps, 8, 0xFFFF << 8) - (1 << 23);
        codes16_out(y)[i] = (int16_t)((steps >= 0 ? result + (1 << 7) : (1 << 7) - 1 - result) >> 8);
    }
}
