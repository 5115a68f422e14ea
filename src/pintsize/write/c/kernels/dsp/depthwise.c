/* Depthwise layers, one channel after the other over a band of rows: two channels' pixels are set apart as planes of
 * 16-bit numbers, padding included; a channel's weights then stay in registers. */
enum {
    DSP_DW_FACTORS, DSP_DW_CHANNELS = 7, DSP_DW_HEIGHT, DSP_DW_WIDTH, DSP_DW_OUT_HEIGHT, DSP_DW_OUT_WIDTH, DSP_DW_BAND,
    DSP_DW_PITCH, DSP_DW_KH, DSP_DW_KW, DSP_DW_SY, DSP_DW_SX, DSP_DW_TOP, DSP_DW_LEFT, DSP_DW_DY, DSP_DW_DX,
    DSP_DW_ZERO_POINT
};

/* What the products of one channel take. weights: by rows of taps, taps 0 and 1, then 1 and 2. */
typedef struct {
    uint32_t weights[6];
    int32_t bias;
    int32_t multiplier;
    int32_t addend;
    int32_t shift;
    int32_t stride;    /* bytes to the next output */
    int32_t pitch;     /* bytes of a plane's row */
    int32_t row_bytes; /* how far a row of outputs goes along its plane */
    int32_t x_gap;     /* from there to the next row of outputs' taps */
    int32_t rows;
    int32_t odd; /* whether one more output follows those that come in twos */
    int32_t end;
} dsp_lane;

#if DSP_ASSEMBLER
/* On the stack from 36 on: the lane. r0, r12, lr walk along three rows of the plane. */
#define DSP_TAPS_TWO(row, first, second)                                                                              \
    "ldrd r10, r11, [" row "], #4\n smlad r2, r10, " first ", r2\n smlabt r2, r11, " second ", r2\n"                  \
    "smlatb r3, r10, " first ", r3\n smlad r3, r11, " second ", r3\n"
#define DSP_TAPS_ONE(row, first, second)                                                                              \
    "ldrd r10, r11, [" row "], #4\n smlad r2, r10, " first ", r2\n smlabt r2, r11, " second ", r2\n"
#define DSP_ROUND_RECTIFIED(acc) "smmla " acc ", " acc ", r10, r11\n"
#define DSP_ROUND_SIGNED(acc)                                                                                         \
    "cmp " acc ", #0\n smmla " acc ", " acc ", r10, r11\n it lt\n sublt " acc ", " acc ", #128\n"
#define DSP_LANE_TWO(round)                                                                                           \
    "ldr r2, [sp, #60]\n mov r3, r2\n" DSP_TAPS_TWO("r0", "r4", "r5") DSP_TAPS_TWO("r12", "r6", "r7")                 \
    DSP_TAPS_TWO("lr", "r8", "r9") "ldrd r10, r11, [sp, #64]\n" round("r2") round("r3")                               \
    "ldrd r10, r11, [sp, #72]\n asr r2, r2, r10\n asr r3, r3, r10\n ssat r2, #8, r2\n ssat r3, #8, r3\n"              \
    "strb r2, [r1]\n strb r3, [r1, r11]\n add r1, r1, r11, lsl #1\n"
#define DSP_LANE_ONE(round)                                                                                           \
    "ldr r2, [sp, #60]\n" DSP_TAPS_ONE("r0", "r4", "r5") DSP_TAPS_ONE("r12", "r6", "r7")                              \
    DSP_TAPS_ONE("lr", "r8", "r9") "ldrd r10, r11, [sp, #64]\n" round("r2")                                           \
    "ldrd r10, r11, [sp, #72]\n asr r2, r2, r10\n ssat r2, #8, r2\n strb r2, [r1]\n add r1, r1, r11\n"
#define DSP_LANE(name, outputs, odd_output)                                                                           \
    DSP_NAKED void name(const int16_t *x, int8_t *y, int32_t unused, int32_t unused_too, dsp_lane lane)               \
    {                                                                                                                 \
        __asm volatile("push {r4-r11, lr}\n add r12, sp, #36\n ldm r12, {r4-r9}\n"                                    \
                       "1:\n ldrd r2, r3, [sp, #80]\n add r12, r0, r2\n add lr, r12, r2\n"                            \
                       "add r3, r3, r0\n str r3, [sp, #100]\n b 3f\n"                                                 \
                       "2:\n" outputs                                                                                 \
                       "3:\n ldr r10, [sp, #100]\n cmp r0, r10\n bne.w 2b\n" odd_output                               \
                       "ldrd r10, r11, [sp, #88]\n add r0, r0, r10\n subs r11, r11, #1\n str r11, [sp, #92]\n bne.w 1b\n"\
                       "pop {r4-r11, pc}\n");                                                                         \
    }
#define DSP_IF_ODD(output) "ldr r10, [sp, #96]\n cmp r10, #0\n beq.w 4f\n" output "4:\n"
DSP_LANE(dsp_lane_1_rectified, DSP_LANE_TWO(DSP_ROUND_RECTIFIED), DSP_IF_ODD(DSP_LANE_ONE(DSP_ROUND_RECTIFIED)))
DSP_LANE(dsp_lane_1_signed, DSP_LANE_TWO(DSP_ROUND_SIGNED), DSP_IF_ODD(DSP_LANE_ONE(DSP_ROUND_SIGNED)))
DSP_LANE(dsp_lane_2_rectified, DSP_LANE_ONE(DSP_ROUND_RECTIFIED), )
DSP_LANE(dsp_lane_2_signed, DSP_LANE_ONE(DSP_ROUND_SIGNED), )

/* Pixels of two channels into two planes, row after row. On the stack: 20 width, 24 rows, 28 bytes from the end of a
 * plane's row to the next one's start. */
DSP_NAKED void dsp_set_apart(int16_t *first, int16_t *second, const int8_t *x, int32_t channels, int32_t width,
                             int32_t rows, int32_t gap)
{
    __asm volatile("push {r4-r7, lr}\n ldr r7, [sp, #28]\n ldr r12, [sp, #24]\n"
                   "1:\n ldr r4, [sp, #20]\n subs r4, r4, #2\n blt 3f\n"
                   "2:\n ldrh r5, [r2]\n ldrh r6, [r2, r3]\n add r2, r2, r3, lsl #1\n orr r5, r5, r6, lsl #16\n"
                   "sxtb16 r6, r5\n sxtb16 r5, r5, ror #8\n str r6, [r0], #4\n str r5, [r1], #4\n"
                   "subs r4, r4, #2\n bge 2b\n"
                   "3:\n adds r4, r4, #2\n beq 4f\n ldrsb r5, [r2]\n ldrsb r6, [r2, #1]\n add r2, r2, r3\n"
                   "strh r5, [r0], #2\n strh r6, [r1], #2\n"
                   "4:\n add r0, r0, r7\n add r1, r1, r7\n subs r12, r12, #1\n bne 1b\n pop {r4-r7, pc}\n");
}
#endif

/* One channel's outputs of 3 by 3 taps; with steps of 1 they come in twos. */
PINTSIZE_INLINE void dsp_run_lane(const int16_t *x, int8_t *y, const dsp_lane *lane, int32_t step, int32_t negatives)
{
#if DSP_ASSEMBLER
    (step == 1 ? negatives ? dsp_lane_1_signed : dsp_lane_1_rectified
     : negatives ? dsp_lane_2_signed : dsp_lane_2_rectified)(x, y, 0, 0, *lane);
#else
    const int32_t outputs = lane->row_bytes / 4 * (step == 1 ? 2 : 1) + lane->odd;
    for (int32_t r = 0; r < lane->rows; r++) {
        for (int32_t i = 0; i < outputs; i++, y += lane->stride) {
            const int16_t *taps = x + r * step * (lane->pitch / 2) + i * step;
            int32_t acc = lane->bias;
            for (int32_t ky = 0; ky < 3; ky++, taps += lane->pitch / 2) {
                acc = dsp_multiply_pairs(acc, dsp_pair(taps[0], taps[1]), lane->weights[2 * ky]);
                acc += taps[2] * dsp_high(lane->weights[2 * ky + 1]);
            }
            *y = dsp_requantized(acc, lane->multiplier, lane->addend, lane->shift, negatives ? 1 << 7 : 0);
        }
    }
#endif
}

DSP_SHARED void dsp_fill_row(int16_t *row, int32_t value, int32_t count)
{
    for (; count > 0; count--) {
        *row++ = (int16_t)value;
        DSP_PLAIN_LOOP;
    }
}

/* Rows from iy on, `count` of them, of channels c and, if two, c + 1. Left and right stand what they are always. */
DSP_SHARED void dsp_planes(int16_t *planes, const int8_t *x, const int16_t *shape, int32_t iy, int32_t count,
                           int32_t plane, int32_t two)
{
    const int32_t channels = shape[DSP_DW_CHANNELS];
    const int32_t width = shape[DSP_DW_WIDTH];
    const int32_t pitch = shape[DSP_DW_PITCH];
    int32_t inside = shape[DSP_DW_HEIGHT] - (iy > 0 ? iy : 0);
    int32_t above = iy < 0 ? -iy : 0;
    above = above > count ? count : above;
    inside = inside > count - above ? count - above : inside > 0 ? inside : 0;
    for (int32_t p = 0; p < 2; p++) {
        dsp_fill_row(planes + p * plane, shape[DSP_DW_ZERO_POINT], above * pitch);
        dsp_fill_row(planes + p * plane + (above + inside) * pitch, shape[DSP_DW_ZERO_POINT],
                     (count - above - inside) * pitch);
    }
    planes += above * pitch + shape[DSP_DW_LEFT];
    x += (iy + above) * width * channels;
#if DSP_ASSEMBLER
    if (two && inside > 0) {
        dsp_set_apart(planes, planes + plane, x, channels, width, inside, 2 * (pitch - width));
        return;
    }
#endif
    for (; inside > 0; inside--, planes += pitch) {
        for (int32_t i = 0; i < width; i++, x += channels) {
            planes[i] = x[0];
            if (two) {
                planes[i + plane] = x[1];
            }
            DSP_PLAIN_LOOP;
        }
    }
}

PINTSIZE_INLINE void dsp_lane_of(dsp_lane *lane, const int8_t *channels, const int16_t *shape, int32_t channel)
{
    dsp_channel numbers;
    dsp_channel_of(&numbers, channels, shape + DSP_DW_FACTORS, channel);
    lane->bias = numbers.bias;
    lane->multiplier = numbers.multiplier;
    lane->addend = numbers.addend;
    lane->shift = numbers.shift;
}

/* x (height, width, channels), y (out_height, out_width, channels), in bands of rows; a band's outputs may lie on the
 * same channels of its own inputs. w: [channels][9]. In scratch: two planes. step: 1 or 2, both ways. */
PINTSIZE_INLINE void dsp_depthwise(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *channels,
                                   const int8_t *packed, int8_t *scratch, int32_t bits, int32_t step,
                                   int32_t negatives)
{
    int16_t shape[DSP_SHAPE_MOST];
    dsp_numbers(shape, packed);
    int16_t *const planes = (int16_t *)(void *)scratch;
    const int32_t count = shape[DSP_DW_CHANNELS];
    const int32_t pitch = shape[DSP_DW_PITCH];
    const int32_t width = shape[DSP_DW_OUT_WIDTH];
    const int32_t plane = ((shape[DSP_DW_BAND] - 1) * step + 3) * pitch;
    const int32_t scale = shape[DSP_DW_FACTORS + 1];
    dsp_lane lane;
    lane.stride = count;
    lane.pitch = 2 * pitch;
    lane.odd = step == 1 ? width % 2 : 0;
    lane.row_bytes = step == 1 ? width / 2 * 4 : width * 4;
    lane.x_gap = step * lane.pitch - lane.row_bytes - 4 * lane.odd;
    dsp_fill_row(planes, shape[DSP_DW_ZERO_POINT], 2 * plane);
    for (int32_t oy = 0; oy < shape[DSP_DW_OUT_HEIGHT]; oy += shape[DSP_DW_BAND]) {
        const int32_t left = shape[DSP_DW_OUT_HEIGHT] - oy;
        lane.rows = left < shape[DSP_DW_BAND] ? left : shape[DSP_DW_BAND];
        for (int32_t c = 0; c < count; c++, y++) {
            if (c % 2 == 0) {
                dsp_planes(planes, x + c, shape, oy * step - shape[DSP_DW_TOP], (lane.rows - 1) * step + 3, plane,
                           c + 1 < count);
            }
            dsp_lane_of(&lane, channels, shape, c);
            for (int32_t ky = 0; ky < 3; ky++) {
                int32_t taps[3];
                for (int32_t kx = 0; kx < 3; kx++) {
                    taps[kx] = weight_at(w + c * row_bytes(9, bits), 3 * ky + kx, bits) * (1 << scale);
                }
                lane.weights[2 * ky] = dsp_pair(taps[0], taps[1]);
                lane.weights[2 * ky + 1] = dsp_pair(taps[1], taps[2]);
            }
            dsp_run_lane(planes + (c % 2 ? plane : 0), y, &lane, step, negatives);
        }
        y += (lane.rows * width - 1) * count;
    }
}

/* As dsp_depthwise, for any window. w: [channels][kh * kw]; in scratch after the planes: a channel's taps. */
PINTSIZE_INLINE void dsp_depthwise_any(const int8_t *x, int8_t *y, const int8_t *w, const int8_t *channels,
                                       const int8_t *packed, int8_t *scratch, int32_t bits, int32_t negatives)
{
    int16_t shape[DSP_SHAPE_MOST];
    dsp_numbers(shape, packed);
    int16_t *const planes = (int16_t *)(void *)scratch;
    const int32_t count = shape[DSP_DW_CHANNELS];
    const int32_t pitch = shape[DSP_DW_PITCH];
    const int32_t width = shape[DSP_DW_OUT_WIDTH];
    const int32_t kh = shape[DSP_DW_KH];
    const int32_t kw = shape[DSP_DW_KW];
    const int32_t sy = shape[DSP_DW_SY];
    const int32_t high = (kh - 1) * shape[DSP_DW_DY] + 1;
    const int32_t plane = ((shape[DSP_DW_BAND] - 1) * sy + high) * pitch;
    int16_t *const taps = planes + 2 * plane;
    dsp_fill_row(planes, shape[DSP_DW_ZERO_POINT], 2 * plane);
    for (int32_t oy = 0; oy < shape[DSP_DW_OUT_HEIGHT]; oy += shape[DSP_DW_BAND]) {
        const int32_t left = shape[DSP_DW_OUT_HEIGHT] - oy;
        const int32_t rows = left < shape[DSP_DW_BAND] ? left : shape[DSP_DW_BAND];
        for (int32_t c = 0; c < count; c++) {
            if (c % 2 == 0) {
                dsp_planes(planes, x + c, shape, oy * sy - shape[DSP_DW_TOP], (rows - 1) * sy + high, plane, c + 1 < count);
            }
            dsp_lane lane;
            dsp_lane_of(&lane, channels, shape, c);
            for (int32_t i = 0; i < kh * kw; i++) {
                taps[i] = (int16_t)(weight_at(w + c * row_bytes(kh * kw, bits), i, bits) * (1 << shape[DSP_DW_FACTORS + 1]));
            }
            int8_t *to = y + oy * width * count + c;
            for (int32_t r = 0; r < rows; r++) {
                const int16_t *corner = planes + c % 2 * plane + r * sy * pitch;
                for (int32_t i = 0; i < width; i++, to += count, corner += shape[DSP_DW_SX]) {
                    int32_t acc = lane.bias;
                    const int16_t *tap = taps;
                    for (int32_t ky = 0; ky < kh; ky++) {
                        const int16_t *at = corner + ky * shape[DSP_DW_DY] * pitch;
                        for (int32_t kx = 0; kx < kw; kx++, at += shape[DSP_DW_DX]) {
                            acc += *at * *tap++;
                        }
                    }
                    *to = dsp_requantized(acc, lane.multiplier, lane.addend, lane.shift, negatives ? 1 << 7 : 0);
                }
            }
        }
    }
}
