/* y = table[x + 128]; y may be x. */
PINTSIZE_INLINE void helium_lookup(const int8_t *x, int8_t *y, const int8_t *table, int32_t count)
{
#if defined(__ARM_FEATURE_MVE)
    for (int32_t i = 0; i < count; i += 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)(count - i));
        const uint8x16_t places = vreinterpretq_u8_s8(veorq_s8(vldrbq_z_s8(x + i, lanes), vdupq_n_s8(-128)));
        vstrbq_p_s8(y + i, vldrbq_gather_offset_z_s8(table, places, lanes), lanes);
    }
#else
    for (int32_t i = 0; i < count; i++) {
        y[i] = table[x[i] + 128];
    }
#endif
}
