/* Sums of products of inputs with four channels' weights, 16 inputs at a time. Narrow weights lie next to each other in
 * bytes: 4 bits, a vector of the channels 0 (lowest) and 1, then one of 2 and 3; 2 bits, one vector of all four. They
 * are multiplied as the highest bits of a byte, 16 (or 64) times as large, and so are the sums. */
#if defined(HELIUM_ASSEMBLER)
/* 16 inputs of two pixels (q0, q1) times four channels. The instruction takes even registers only: pixel 0 sums up in
 * r0, r2, r4, r6, pixel 1 in r8, r10, r12, lr. */
#define HELIUM_PAIR_16_8                                                                                       \
    "vldrb.8 q0, [%[x0]], #16\n vldrb.8 q1, [%[x1]], #16\n vldrb.8 q2, [%[w]], #16\n"                          \
    "vmladava.s8 r0, q0, q2\n vldrb.8 q3, [%[w]], #16\n vmladava.s8 r8, q1, q2\n vmladava.s8 r2, q0, q3\n"     \
    "vldrb.8 q2, [%[w]], #16\n vmladava.s8 r10, q1, q3\n vmladava.s8 r4, q0, q2\n vldrb.8 q3, [%[w]], #16\n"   \
    "vmladava.s8 r12, q1, q2\n vmladava.s8 r6, q0, q3\n vmladava.s8 lr, q1, q3\n"
#define HELIUM_PAIR_REST_8                                                                                     \
    "vctp.8 %[k]\n vpstt\n vldrbt.8 q0, [%[x0]]\n vldrbt.8 q1, [%[x1]]\n vldrb.8 q2, [%[w]]\n"                 \
    "add %[w], %[w], %[k]\n vmladava.s8 r0, q0, q2\n vldrb.8 q3, [%[w]]\n vmladava.s8 r8, q1, q2\n"            \
    "add %[w], %[w], %[k]\n vmladava.s8 r2, q0, q3\n vldrb.8 q2, [%[w]]\n vmladava.s8 r10, q1, q3\n"           \
    "add %[w], %[w], %[k]\n vmladava.s8 r4, q0, q2\n vldrb.8 q3, [%[w]]\n vmladava.s8 r12, q1, q2\n"           \
    "add %[w], %[w], %[k]\n vmladava.s8 r6, q0, q3\n vmladava.s8 lr, q1, q3\n"
#define HELIUM_ONE_16_8                                                                                        \
    "vldrb.8 q0, [%[x0]], #16\n vldrb.8 q2, [%[w]], #16\n vldrb.8 q3, [%[w]], #16\n vmladava.s8 r0, q0, q2\n"  \
    "vldrb.8 q2, [%[w]], #16\n vmladava.s8 r2, q0, q3\n vldrb.8 q3, [%[w]], #16\n vmladava.s8 r4, q0, q2\n"    \
    "vmladava.s8 r6, q0, q3\n"
#define HELIUM_ONE_REST_8                                                                                      \
    "vctp.8 %[k]\n vpst\n vldrbt.8 q0, [%[x0]]\n vldrb.8 q2, [%[w]]\n add %[w], %[w], %[k]\n"                  \
    "vldrb.8 q3, [%[w]]\n add %[w], %[w], %[k]\n vmladava.s8 r0, q0, q2\n vldrb.8 q2, [%[w]]\n"                \
    "add %[w], %[w], %[k]\n vmladava.s8 r2, q0, q3\n vldrb.8 q3, [%[w]]\n add %[w], %[w], %[k]\n"              \
    "vmladava.s8 r4, q0, q2\n vmladava.s8 r6, q0, q3\n"

/* The four channels' weights one after the other, each followed by what takes it. */
#define HELIUM_NARROW_4(take)                                                                                \
    "vldrb.8 q2, [%[w]], #16\n vshl.i8 q3, q2, #4\n" take("q3", "r0", "r8")                                    \
    "vand q2, q2, %q[mask]\n" take("q2", "r2", "r10") "vldrb.8 q2, [%[w]], #16\n vshl.i8 q3, q2, #4\n"         \
    take("q3", "r4", "r12") "vand q2, q2, %q[mask]\n" take("q2", "r6", "lr")
#define HELIUM_NARROW_2(take)                                                                                \
    "vldrb.8 q2, [%[w]], #16\n vshl.i8 q3, q2, #6\n" take("q3", "r0", "r8")                                    \
    "vshl.i8 q3, q2, #4\n vand q3, q3, %q[mask]\n" take("q3", "r2", "r10")                                    \
    "vshl.i8 q3, q2, #2\n vand q3, q3, %q[mask]\n" take("q3", "r4", "r12")                                    \
    "vand q2, q2, %q[mask]\n" take("q2", "r6", "lr")
#define HELIUM_TAKE_PAIR(w, s, t) "vmladava.s8 " s ", q0, " w "\n vmladava.s8 " t ", q1, " w "\n"
#define HELIUM_TAKE_ONE(w, s, t) "vmladava.s8 " s ", q0, " w "\n"
#define HELIUM_LOAD_PAIR "vldrb.8 q0, [%[x0]], #16\n vldrb.8 q1, [%[x1]], #16\n"
#define HELIUM_LOAD_PAIR_REST "vctp.8 %[k]\n vpstt\n vldrbt.8 q0, [%[x0]]\n vldrbt.8 q1, [%[x1]]\n"
#define HELIUM_LOAD_ONE "vldrb.8 q0, [%[x0]], #16\n"
#define HELIUM_LOAD_ONE_REST "vctp.8 %[k]\n vpst\n vldrbt.8 q0, [%[x0]]\n"
#define HELIUM_PAIR_16_4 HELIUM_LOAD_PAIR HELIUM_NARROW_4(HELIUM_TAKE_PAIR)
#define HELIUM_PAIR_REST_4 HELIUM_LOAD_PAIR_REST HELIUM_NARROW_4(HELIUM_TAKE_PAIR)
#define HELIUM_ONE_16_4 HELIUM_LOAD_ONE HELIUM_NARROW_4(HELIUM_TAKE_ONE)
#define HELIUM_ONE_REST_4 HELIUM_LOAD_ONE_REST HELIUM_NARROW_4(HELIUM_TAKE_ONE)
#define HELIUM_PAIR_16_2 HELIUM_LOAD_PAIR HELIUM_NARROW_2(HELIUM_TAKE_PAIR)
#define HELIUM_PAIR_REST_2 HELIUM_LOAD_PAIR_REST HELIUM_NARROW_2(HELIUM_TAKE_PAIR)
#define HELIUM_ONE_16_2 HELIUM_LOAD_ONE HELIUM_NARROW_2(HELIUM_TAKE_ONE)
#define HELIUM_ONE_REST_2 HELIUM_LOAD_ONE_REST HELIUM_NARROW_2(HELIUM_TAKE_ONE)
#define HELIUM_UNSCALED_8(sums) ""
#define HELIUM_UNSCALED_4(sums) "vshr.s32 " sums ", " sums ", #4\n"
#define HELIUM_UNSCALED_2(sums) "vshr.s32 " sums ", " sums ", #6\n"
#define HELIUM_MASK(bits) vdupq_n_s8((bits) == 4 ? -16 : -64)

#define HELIUM_INPUTS(by_16, rest)                                                                           \
    "subs %[k], %[k], #64\n blo 2f\n 1:\n" by_16 by_16 by_16 by_16 "subs %[k], %[k], #64\n bhs 1b\n"          \
    "2: adds %[k], %[k], #48\n bmi 4f\n 3:\n" by_16 "subs %[k], %[k], #16\n bpl 3b\n"                          \
    "4: adds %[k], %[k], #16\n beq 5f\n" rest "5:\n"
#endif

/* Bytes of a block of four channels. */
PINTSIZE_INLINE int32_t helium_block_bytes(int32_t inputs, int32_t bits)
{
    return bits == 8 ? 4 * inputs : (inputs + 15) / 16 * 8 * bits;
}

/* Channel j's narrow weight, of a byte that has it. */
PINTSIZE_INLINE int32_t helium_field(int8_t byte, int32_t j, int32_t bits)
{
    const int32_t above = 8 - bits - (bits == 4 ? j & 1 : j) * bits;
    return (int8_t)(uint8_t)((uint32_t)(uint8_t)byte << above) >> (8 - bits);
}

/* Input i of channel j within a block. */
PINTSIZE_INLINE int32_t helium_weight(const int8_t *w, int32_t inputs, int32_t i, int32_t j, int32_t bits)
{
    if (bits < 8) {
        return helium_field(w[i / 16 * 8 * bits + (bits == 4 ? j / 2 * 16 : 0) + i % 16], j, bits);
    }
    const int32_t whole = inputs & ~15;
    return i < whole ? w[(i & ~15) * 4 + j * 16 + (i & 15)] : w[whole * 4 + j * (inputs - whole) + i - whole];
}
