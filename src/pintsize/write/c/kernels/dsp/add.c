/* y = a + b by tables of what every code adds, twice as large as the reference's addends, so that a rounding high
 * multiply takes them as they are. numbers: how many (four at a time), the zero point, multiplier and shift of a, those
 * of b, then multiplier, addend and shift of the sum. In scratch: the tables. y may be a or b. */
DSP_SHARED void dsp_addends(int32_t *table, const int32_t *numbers)
{
    for (int32_t i = 0; i < 256; i++) {
        const int32_t code = (i ^ 128) - 128;
        table[i] = 2 * scaled((code - numbers[0]) * (1 << 20), numbers[1], numbers[2]);
        DSP_PLAIN_LOOP;
    }
}

#if DSP_ASSEMBLER
#define DSP_SUM                                                                                                       \
    "ldrb r9, [r0], #1\n ldrb r10, [r1], #1\n ldr r9, [r3, r9, lsl #2]\n ldr r10, [r12, r10, lsl #2]\n"               \
    "add r9, r9, r10\n smmlar r10, r9, r5, r6\n add r9, r10, r9, asr #31\n asr r9, r9, r7\n ssat r9, #8, r9\n"        \
    "strb r9, [r2], #1\n"
DSP_NAKED void dsp_sums(const int8_t *a, const int8_t *b, int8_t *y, const int32_t *tables, int32_t count,
                        const int32_t *sum)
{
    __asm volatile("push {r4-r10, lr}\n ldrd r4, r8, [sp, #32]\n ldm r8, {r5, r6, r7}\n add r12, r3, #1024\n"
                   "1:\n" DSP_SUM DSP_SUM DSP_SUM DSP_SUM "subs r4, r4, #4\n bne 1b\n pop {r4-r10, pc}\n");
}
#else
PINTSIZE_INLINE void dsp_sums(const int8_t *a, const int8_t *b, int8_t *y, const int32_t *tables, int32_t count,
                              const int32_t *sum)
{
    for (int32_t i = 0; i < count; i++) {
        const int32_t twice = tables[(uint8_t)a[i]] + tables[256 + (uint8_t)b[i]];
        const int32_t high = (int32_t)(((int64_t)twice * sum[0] + ((int64_t)1 << 31)) >> 32) + sum[1];
        const int32_t out = (high - (twice < 0)) >> sum[2];
        y[i] = (int8_t)(out < -128 ? -128 : out > 127 ? 127 : out);
    }
}
#endif

PINTSIZE_INLINE void dsp_add(const int8_t *a, const int8_t *b, int8_t *y, const int32_t *numbers, int8_t *scratch)
{
    int32_t *const tables = (int32_t *)(void *)scratch;
    dsp_addends(tables, numbers + 1);
    dsp_addends(tables + 256, numbers + 4);
    dsp_sums(a, b, y, tables, numbers[0], numbers + 7);
}
