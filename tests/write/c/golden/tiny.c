/* tiny: written by pintsize. Portable C99; no heap, nothing from the C library but memcpy. */
#include "model.h"

#include <string.h>

#if defined(__GNUC__)
#define PINTSIZE_INLINE static inline __attribute__((always_inline, unused))
#define PINTSIZE_LAYER static __attribute__((noinline))
#else
#define PINTSIZE_INLINE static inline
#define PINTSIZE_LAYER static
#endif

/* x * multiplier * 2^(shift - 31), rounded twice: the product to 32 bits with halves up, then the right shift with
 * halves away from zero. multiplier is in [2^30, 2^31) or 0; |x| < 2^30; shift is in -31..30, and a positive one
 * saturates x at 2^(30 - shift), which ends far outside int8 all the same. */
PINTSIZE_INLINE int32_t scaled(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        const int32_t most = ((int32_t)1 << 30) >> shift;
        x = x > most ? most : x < -most ? -most : x;
    }
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int64_t product = (int64_t)(x * ((int32_t)1 << left)) * multiplier;
    const int32_t high = (int32_t)((product + ((int64_t)1 << 30)) >> 31);
    const int32_t half = (int32_t)((1u << right) >> 1);
    return (high + half + (right > 0 ? high >> 31 : 0)) >> right;
}

PINTSIZE_INLINE int8_t clamped(int32_t x, int32_t low, int32_t high)
{
    return (int8_t)(x < low ? low : x > high ? high : x);
}

PINTSIZE_INLINE int8_t requantized(int32_t acc, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t low,
                                   int32_t high)
{
    return clamped(scaled(acc, multiplier, shift) + zero_point, low, high);
}

/* Weights of 8, 4 or 2 bits, low bits first within a byte; `bits` is a literal, so only one branch is compiled. */
PINTSIZE_INLINE int32_t weight_at(const int8_t *w, int32_t i, int32_t bits)
{
    if (bits == 8) {
        return w[i];
    }
    if (bits == 4) {
        const uint32_t field = ((uint32_t)(uint8_t)w[i >> 1] >> (4 * (i & 1))) & 15u;
        return (int32_t)(field ^ 8u) - 8;
    }
    const uint32_t field = ((uint32_t)(uint8_t)w[i >> 2] >> (2 * (i & 3))) & 3u;
    return (int32_t)(field ^ 2u) - 2;
}

/* Bytes of a row of n weights. */
PINTSIZE_INLINE int32_t row_bytes(int32_t n, int32_t bits)
{
    return (n * bits + 7) / 8;
}

/* Four outputs at once share each load of x. stride: bytes from one output's weights to the next one's. */
PINTSIZE_INLINE void dot4(int32_t acc[4], const int8_t *x, const int8_t *w, int32_t stride, int32_t n, int32_t bits)
{
    if (bits == 4) {
        int32_t i = 0;
        for (; i + 1 < n; i += 2) {
            const int32_t x0 = x[i];
            const int32_t x1 = x[i + 1];
            for (int32_t j = 0; j < 4; j++) {
                const uint32_t pair = (uint8_t)w[j * stride + (i >> 1)];
                acc[j] += x0 * ((int32_t)((pair & 15u) ^ 8u) - 8);
                acc[j] += x1 * ((int32_t)((pair >> 4) ^ 8u) - 8);
            }
        }
        w += i >> 1;
        x += i;
        n -= i;
    }
    for (int32_t i = 0; i < n; i++) {
        const int32_t v = x[i];
        for (int32_t j = 0; j < 4; j++) {
            acc[j] += v * weight_at(w + j * stride, i, bits);
        }
    }
}

PINTSIZE_INLINE int32_t dot(int32_t acc, const int8_t *x, const int8_t *w, int32_t n, int32_t bits)
{
    for (int32_t i = 0; i < n; i++) {
        acc += x[i] * weight_at(w, i, bits);
    }
    return acc;
}

/* Where the window lies outside the input, the input is the zero point. */
PINTSIZE_INLINE int32_t dot_constant(int32_t acc, int32_t x, const int8_t *w, int32_t n, int32_t bits)
{
    for (int32_t i = 0; i < n; i++) {
        acc += x * weight_at(w, i, bits);
    }
    return acc;
}

/* The loops below just fit the registers of Thumb-2, if the compiler moves no loads ahead of sums and counts with these
 * pointers. It unrolls by itself where it may move them. */
#if defined(__GNUC__) && defined(__thumb2__)
#define ROWS_UNROLLED 4
#define ROWS_IN_ORDER(a, b) __asm__ volatile("" : "+r"(a), "+r"(b) : : "memory")
#else
#define ROWS_UNROLLED 1
#define ROWS_IN_ORDER(a, b) (void)0
#endif

PINTSIZE_INLINE int8_t saturated(int32_t x, int32_t low, int32_t high)
{
#if defined(__GNUC__) && defined(__thumb2__)
    if (low == -128 && high == 127) {
        int32_t found;
        __asm__("ssat %0, #8, %1" : "=r"(found) : "r"(x) : "cc");
        return (int8_t)found;
    }
#endif
    return clamped(x, low, high);
}

/* requantized, where no shift is above `most` (1, 0 or -1, a literal): most factors are below 1/2. */
PINTSIZE_INLINE int8_t rescaled(int32_t acc, int32_t multiplier, int32_t shift, int32_t most, int32_t zero_point,
                                int32_t low, int32_t high)
{
    if (most > 0) {
        return requantized(acc, multiplier, shift, zero_point, low, high);
    }
    const int32_t right = -shift;
    const int32_t product = (int32_t)(((int64_t)acc * multiplier + ((int64_t)1 << 30)) >> 31);
    const int32_t half = (int32_t)((1u << right) >> 1);
    const int32_t below = most < 0 || right > 0 ? product >> 31 : 0;
    return saturated(((product + half + below) >> right) + zero_point, low, high);
}

/* Inputs that a loop takes at a time, at most `most`: whole bytes of narrow weights, else none are left over. */
PINTSIZE_INLINE int32_t rows_step(int32_t n, int32_t most, int32_t bits)
{
    if (bits < 8) {
        return 4;
    }
    return n % most == 0 ? most : n % 2 == 0 && most > 1 ? 2 : 1;
}

/* acc += x[i] * w[i] of four rows of w, `stride` bytes apart. */
PINTSIZE_INLINE void column_1x4(int32_t acc[4], const int8_t *x, const int8_t *w, int32_t stride, int32_t i,
                                int32_t bits)
{
    int32_t v = x[i];
    for (int32_t j = 0; j < 4; j++) {
        acc[j] += v * weight_at(w + j * stride, i, bits);
        ROWS_IN_ORDER(acc[j], v);
    }
}

/* The same for two rows of x, `next` bytes apart: sums has four of the first, then four of the second. */
PINTSIZE_INLINE void column_2x4(int32_t sums[8], const int8_t *x, int32_t next, const int8_t *w, int32_t stride,
                                int32_t i, int32_t bits)
{
    const int32_t first = x[i];
    const int32_t second = x[i + next];
    int32_t weight = weight_at(w, i, bits);
    sums[0] += first * weight;
    sums[4] += second * weight;
    ROWS_IN_ORDER(sums[0], sums[4]);
    weight = weight_at(w + stride, i, bits);
    sums[1] += first * weight;
    sums[5] += second * weight;
    ROWS_IN_ORDER(sums[1], sums[5]);
    weight = weight_at(w + 2 * stride, i, bits);
    sums[2] += first * weight;
    sums[6] += second * weight;
    ROWS_IN_ORDER(sums[2], sums[6]);
    weight = weight_at(w + 3 * stride, i, bits);
    sums[3] += first * weight;
    sums[7] += second * weight;
    ROWS_IN_ORDER(sums[3], sums[7]);
}

PINTSIZE_INLINE void dot1x4(int32_t acc[4], const int8_t *x, const int8_t *w, int32_t stride, int32_t n, int32_t bits)
{
    const int32_t step = rows_step(n, 4, bits);
    const int8_t *end = x + n / step * step;
    for (; x != end; x += step, w += step * bits / 8) {
        column_1x4(acc, x, w, stride, 0, bits);
        if (step > 1) {
            column_1x4(acc, x, w, stride, 1, bits);
        }
        if (step > 2) {
            column_1x4(acc, x, w, stride, 2, bits);
            column_1x4(acc, x, w, stride, 3, bits);
        }
        ROWS_IN_ORDER(x, w);
    }
    for (int32_t i = 0; i < n % step; i++) {
        column_1x4(acc, x, w, stride, i, bits);
    }
}

PINTSIZE_INLINE void dot2x4(int32_t acc[8], const int8_t *x, int32_t next, const int8_t *w, int32_t stride, int32_t n,
                            int32_t bits)
{
    const int32_t step = rows_step(n, ROWS_UNROLLED, bits);
    /* no index of these varies, so they are registers */
    int32_t sums[8] = {acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]};
    const int8_t *end = x + n / step * step;
    for (; x != end; x += step, w += step * bits / 8) {
        column_2x4(sums, x, next, w, stride, 0, bits);
        if (step > 1) {
            column_2x4(sums, x, next, w, stride, 1, bits);
        }
        if (step > 2) {
            column_2x4(sums, x, next, w, stride, 2, bits);
            column_2x4(sums, x, next, w, stride, 3, bits);
        }
        ROWS_IN_ORDER(x, w);
    }
    for (int32_t i = 0; i < n % step; i++) {
        column_2x4(sums, x, next, w, stride, i, bits);
    }
    acc[0] = sums[0];
    acc[1] = sums[1];
    acc[2] = sums[2];
    acc[3] = sums[3];
    acc[4] = sums[4];
    acc[5] = sums[5];
    acc[6] = sums[6];
    acc[7] = sums[7];
}

/* One row of x (inputs), w (outputs, inputs) packed, y (outputs). */
PINTSIZE_INLINE void one_row(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                             const int32_t *multiplier, const int8_t *shift, int32_t inputs, int32_t outputs,
                             int32_t bits, int32_t most, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t stride = row_bytes(inputs, bits);
    int32_t o = 0;
    for (; o + 4 <= outputs; o += 4) {
        int32_t acc[4] = {bias[o], bias[o + 1], bias[o + 2], bias[o + 3]};
        dot1x4(acc, x, w + o * stride, stride, inputs, bits);
        for (int32_t j = 0; j < 4; j++) {
            y[o + j] = rescaled(acc[j], multiplier[o + j], shift[o + j], most, zero_point, low, high);
        }
    }
    for (; o < outputs; o++) {
        const int32_t acc = dot(bias[o], x, w + o * stride, inputs, bits);
        y[o] = rescaled(acc, multiplier[o], shift[o], most, zero_point, low, high);
    }
}

/* x (2, inputs), w (outputs, inputs) packed, y (2, outputs). */
PINTSIZE_INLINE void two_rows(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                              const int32_t *multiplier, const int8_t *shift, int32_t inputs, int32_t outputs,
                              int32_t bits, int32_t most, int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t stride = row_bytes(inputs, bits);
    int32_t o = 0;
    for (; o + 4 <= outputs; o += 4) {
        int32_t acc[8] = {bias[o], bias[o + 1], bias[o + 2], bias[o + 3],
                          bias[o], bias[o + 1], bias[o + 2], bias[o + 3]};
        dot2x4(acc, x, inputs, w + o * stride, stride, inputs, bits);
        for (int32_t j = 0; j < 4; j++) {
            const int32_t k = o + j;
            y[k] = rescaled(acc[j], multiplier[k], shift[k], most, zero_point, low, high);
            y[k + outputs] = rescaled(acc[4 + j], multiplier[k], shift[k], most, zero_point, low, high);
        }
    }
    for (; o < outputs; o++) {
        const int32_t first = dot(bias[o], x, w + o * stride, inputs, bits);
        const int32_t second = dot(bias[o], x + inputs, w + o * stride, inputs, bits);
        y[o] = rescaled(first, multiplier[o], shift[o], most, zero_point, low, high);
        y[o + outputs] = rescaled(second, multiplier[o], shift[o], most, zero_point, low, high);
    }
}

PINTSIZE_INLINE void filled(int8_t *to, int32_t value, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = (int8_t)value;
    }
}

PINTSIZE_INLINE void copied(const int8_t *from, int8_t *to, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

/* The inputs under a window as one row of bytes, the zero point where the window lies outside. (iy, ix): its corner;
 * pitch: bytes of the row from pixel to pixel, which the weights' packing sets. */
PINTSIZE_INLINE void window_row(const int8_t *x, int8_t *row, int32_t iy, int32_t ix, int32_t height, int32_t width,
                                int32_t channels, int32_t pitch, int32_t kh, int32_t kw, int32_t dy, int32_t dx,
                                int32_t padded, int32_t zero_point)
{
    const int32_t run = dx == 1 && pitch == channels ? kw : 1; /* pixels that lie next to each other */
    for (int32_t ky = 0; ky < kh; ky++) {
        const int32_t py = iy + ky * dy;
        for (int32_t kx = 0; kx < kw; kx += run, row += run * pitch) {
            const int32_t px = ix + kx * dx;
            if (!padded || (py >= 0 && py < height && px >= 0 && px + run <= width)) {
                copied(x + (py * width + px) * channels, row, run * channels);
            } else if (py < 0 || py >= height || px >= width || px + run <= 0) {
                filled(row, zero_point, run * channels);
            } else {
                const int32_t from = px < 0 ? -px : 0;
                const int32_t to = px + run > width ? width - px : run;
                filled(row, zero_point, from * channels);
                copied(x + (py * width + px + from) * channels, row + from * channels, (to - from) * channels);
                filled(row + to * channels, zero_point, (run - to) * channels);
            }
        }
    }
}

/* x (height, width, channels), w (outputs, kh, kw, channels) packed, y (out_height, out_width, outputs), two pixels at
 * a time, whose windows scratch holds. bias has -zero_point * sum(weights) in it. */
PINTSIZE_INLINE void conv2d(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                            const int32_t *multiplier, const int8_t *shift, int8_t *scratch, int32_t height,
                            int32_t width, int32_t channels, int32_t out_height, int32_t out_width, int32_t outputs,
                            int32_t kh, int32_t kw, int32_t sy, int32_t sx, int32_t top, int32_t left, int32_t dy,
                            int32_t dx, int32_t padded, int32_t bits, int32_t most, int32_t in_zero_point,
                            int32_t zero_point, int32_t low, int32_t high)
{
    const int32_t pitch = row_bytes(channels, bits) * 8 / bits;
    const int32_t inputs = kh * kw * pitch;
    int32_t waiting = 0; /* windows in scratch */
    for (int32_t iy = -top; iy < out_height * sy - top; iy += sy) {
        for (int32_t ix = -left; ix < out_width * sx - left; ix += sx) {
            window_row(x, scratch + waiting * inputs, iy, ix, height, width, channels, pitch, kh, kw, dy, dx, padded,
                       in_zero_point);
            waiting++;
            if (waiting == 2) {
                two_rows(scratch, y, w, bias, multiplier, shift, inputs, outputs, bits, most, zero_point, low, high);
                y += 2 * outputs;
                waiting = 0;
            }
        }
    }
    if (waiting && out_height * out_width % 2) {
        one_row(scratch, y, w, bias, multiplier, shift, inputs, outputs, bits, most, zero_point, low, high);
    }
}

/* x (rows, inputs), w (outputs, inputs) packed, y (rows, outputs), two rows at a time. bias has
 * -zero_point * sum(weights) in it. */
PINTSIZE_INLINE void linear(const int8_t *x, int8_t *y, const int8_t *w, const int32_t *bias,
                            const int32_t *multiplier, const int8_t *shift, int32_t rows, int32_t inputs,
                            int32_t outputs, int32_t bits, int32_t most, int32_t zero_point, int32_t low, int32_t high)
{
    int32_t r = 0;
    for (; r + 2 <= rows; r += 2, x += 2 * inputs, y += 2 * outputs) {
        two_rows(x, y, w, bias, multiplier, shift, inputs, outputs, bits, most, zero_point, low, high);
    }
    if (r < rows) {
        one_row(x, y, w, bias, multiplier, shift, inputs, outputs, bits, most, zero_point, low, high);
    }
}

/* Fixed-point softmax: exp by a polynomial on [-1/4, 0) and a product of powers, 1 / sum by Newton's method. */
PINTSIZE_INLINE int32_t high_multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

PINTSIZE_INLINE int32_t divided_by_power(int32_t x, int32_t exponent)
{
    const int32_t mask = (int32_t)((1u << exponent) - 1u);
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0));
}

/* x <= 0 with 26 fractional bits → exp(x) with 31. */
static int32_t exp_on_negatives(int32_t x)
{
    static const int32_t powers[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = 1 << 24;
    const int32_t part = (x & (quarter - 1)) - quarter;
    const int32_t remainder = part - x;
    const int32_t u = part * 32 + (1 << 28);
    const int32_t u2 = high_multiply(u, u);
    const int32_t u3 = high_multiply(u2, u);
    const int32_t u4 = high_multiply(u2, u2);
    const int32_t higher = high_multiply(divided_by_power(u4, 2) + u3, 715827883) + u2;
    int32_t result = 1895147668 + high_multiply(u + divided_by_power(higher, 1), 1895147668);
    for (int32_t i = 0; i < 7; i++) {
        if (remainder & (1 << (24 + i))) {
            result = high_multiply(result, powers[i]);
        }
    }
    return x == 0 ? INT32_MAX : result;
}

/* a in [0, 1) with 31 fractional bits → 1 / (1 + a). */
static int32_t reciprocal_of_one_plus(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
    int32_t x = 1515870810 + high_multiply(half, -1010580540);
    for (int32_t i = 0; i < 3; i++) {
        const int32_t rest = (1 << 29) - high_multiply(half, x);
        x += high_multiply(x, rest) * 4;
    }
    return x >= (1 << 30) ? INT32_MAX : x * 2;
}

/* One difference to the row's maximum → its exponential; 0 where it is too small to count. */
PINTSIZE_INLINE int32_t softmax_exponential(int32_t difference, int32_t multiplier, int32_t shift, int32_t least)
{
    if (difference < least) {
        return 0;
    }
    return exp_on_negatives(high_multiply((int32_t)((int64_t)difference * ((int64_t)1 << shift)), multiplier));
}

PINTSIZE_INLINE void softmax(const int8_t *x, int8_t *y, int32_t rows, int32_t n, int32_t multiplier, int32_t shift,
                             int32_t least)
{
    for (int32_t r = 0; r < rows; r++, x += n, y += n) {
        int32_t largest = -128;
        int32_t sum = 0;
        int32_t headroom = 0;
        for (int32_t i = 0; i < n; i++) {
            largest = x[i] > largest ? x[i] : largest;
        }
        for (int32_t i = 0; i < n; i++) {
            sum += divided_by_power(softmax_exponential(x[i] - largest, multiplier, shift, least), 12);
        }
        while (!(((uint32_t)sum << headroom) & 0x80000000u)) {
            headroom++;
        }
        /* 32 places or more leave nothing of 31 bits */
        const int32_t places = 12 - headroom + 23;
        const int32_t inverse = reciprocal_of_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
        for (int32_t i = 0; i < n; i++) {
            const int32_t e = softmax_exponential(x[i] - largest, multiplier, shift, least);
            const int32_t code = (places > 31 ? 0 : divided_by_power(high_multiply(e, inverse), places)) - 128;
            y[i] = x[i] - largest < least ? -128 : clamped(code, -128, 127);
        }
    }
}

/* All activations live here; int32_t for its alignment. */
static int32_t model_arena[3];

/* conv2d conv: 2x2x1 -> 1x1x2; self.conv, model.py:12 */
extern const int8_t model_layer_00_conv2d_weight[8];
extern const int32_t model_layer_00_conv2d_bias[2];
extern const int32_t model_layer_00_conv2d_multiplier[2];
extern const int8_t model_layer_00_conv2d_shift[2];
PINTSIZE_LAYER void layer_00_conv2d(const int8_t *x0, int8_t *y, int8_t *scratch)
{
    conv2d(x0, y, model_layer_00_conv2d_weight, model_layer_00_conv2d_bias, model_layer_00_conv2d_multiplier,
        model_layer_00_conv2d_shift, scratch, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 0, 0, 1, 1, 0, 4, -1, 3, -128,
        -128, 127);
}

/* linear linear: 2 -> 2; self.linear, model.py:14 */
extern const int8_t model_layer_02_linear_weight[4];
extern const int32_t model_layer_02_linear_bias[2];
extern const int32_t model_layer_02_linear_multiplier[2];
extern const int8_t model_layer_02_linear_shift[2];
PINTSIZE_LAYER void layer_02_linear(const int8_t *x0, int8_t *y)
{
    linear(x0, y, model_layer_02_linear_weight, model_layer_02_linear_bias, model_layer_02_linear_multiplier,
        model_layer_02_linear_shift, 1, 2, 2, 8, -1, 10, -128, 127);
}

/* softmax softmax: 2 -> 2 */
PINTSIZE_LAYER void layer_03_softmax(const int8_t *x0, int8_t *y)
{
    softmax(x0, y, 1, 2, 1073741824, 26, -31);
}

/* This model keeps no state between runs, so there is nothing to reset. */
void model_init(void)
{
}

void model_run(const int8_t *in, int8_t *out)
{
    int8_t *const arena = (int8_t *)model_arena;
    layer_00_conv2d(in, arena + 8, arena);
    layer_02_linear(arena + 8, arena);
    layer_03_softmax(arena, out);
}
