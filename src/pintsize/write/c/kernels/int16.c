/* int16 numbers in memory that is handed over as bytes. */
PINTSIZE_INLINE int32_t saturated_int16(int32_t x)
{
    return x < -32768 ? -32768 : x > 32767 ? 32767 : x;
}

PINTSIZE_INLINE int32_t load_int16(const int8_t *memory, int32_t i)
{
    int16_t value;
    memcpy(&value, memory + 2 * i, 2);
    return value;
}

PINTSIZE_INLINE void store_int16(int8_t *memory, int32_t i, int32_t x)
{
    const int16_t value = (int16_t)x;
    memcpy(memory + 2 * i, &value, 2);
}
