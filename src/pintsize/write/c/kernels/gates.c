/* Fixed-point arithmetic inside recurrent layers. What enters an activation function has 12 fractional bits, what
 * leaves it 15. Between the points of the table lies a straight line. */
static int32_t gate_sigmoid(int32_t x)
{
    const int32_t sized = 3 * (x < 0 ? -x : x);
    const int32_t i = sized >> 9;
    int32_t value = 32767 << 10;
    if (i < 255) {
        value = ((int32_t)sigmoid_table[i] << 9) + (sized & 511) * (sigmoid_table[i + 1] - sigmoid_table[i]);
    }
    return (x >= 0 ? value + 512 : (1 << 25) - value + 511) >> 10;
}

/* thrice: three times the number, with 12 fractional bits; tanh(x) = 2 sigmoid(2 x) - 1. */
static int32_t gate_tanh(int32_t thrice)
{
    const int32_t sized = thrice < 0 ? -thrice : thrice;
    const int32_t i = sized >> 8;
    int32_t value = 65535 << 8;
    if (i < 255) {
        value = ((int32_t)sigmoid_table[i] << 8) + (sized & 255) * (sigmoid_table[i + 1] - sigmoid_table[i]);
    }
    return (thrice >= 0 ? value - (1 << 23) + 128 : (1 << 23) - value + 127) >> 8;
}

/* tanh of an int16 number with other fractional bits than 12. */
PINTSIZE_INLINE int32_t state_tanh(int32_t x, int32_t fraction_bits)
{
    const int32_t wider = fraction_bits < 12 ? 12 - fraction_bits : 0;
    const int32_t narrower = fraction_bits > 12 ? fraction_bits - 12 : 0;
    return gate_tanh((3 * x * ((int32_t)1 << wider) + (int32_t)((1u << narrower) >> 1)) >> narrower);
}

/* a * b / 2^places of int16 numbers, rounded twice as a requantization; places is 2 to 31. */
PINTSIZE_INLINE int32_t gate_product(int32_t a, int32_t b, int32_t places)
{
    const int32_t high = (a * b + 1) >> 1;
    return saturated_int16((high + ((int32_t)1 << (places - 2)) + (high >> 31)) >> (places - 1));
}
