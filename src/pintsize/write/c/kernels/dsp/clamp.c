/* The bounds of a fused activation that int8 itself does not set. */
PINTSIZE_INLINE void dsp_clamp(int8_t *y, int32_t count, int32_t low, int32_t high)
{
    int32_t i = 0;
#if DSP_ASSEMBLER
    const uint32_t lows = (uint32_t)(low & 255) * 0x01010101u;
    const uint32_t highs = (uint32_t)(high & 255) * 0x01010101u;
    for (; i + 4 <= count; i += 4) {
        uint32_t v;
        uint32_t t;
        memcpy(&v, y + i, 4);
        __asm("ssub8 %1, %0, %2\n sel %0, %0, %2\n ssub8 %1, %3, %0\n sel %0, %0, %3"
              : "+r"(v), "=&r"(t)
              : "r"(lows), "r"(highs)
              : "cc");
        memcpy(y + i, &v, 4);
    }
#endif
    for (; i < count; i++) {
        y[i] = (int8_t)(y[i] < low ? low : y[i] > high ? high : y[i]);
    }
}
