/* A small program in the shape that pintsize writes: each layer strains one thing that a core does its own way. */
#include "model.h"

#include <string.h>

static int8_t model_arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));

static const int8_t weights[8][8] = {
    {11, -23, 45, 127, -127, 3, 0, -8}, {-5, 6, 71, -88, 9, 10, -11, 12},   {100, 99, -98, 97, 1, 2, 3, 4},
    {-1, -2, -3, -4, -5, -6, -7, -8},   {127, 127, 127, 127, 127, 127, 127, 127}, {0, 0, 0, 1, 0, 0, 0, 0},
    {-127, 64, -32, 16, -8, 4, -2, 1},  {17, 19, 23, 29, -31, 37, -41, 43}};

static int8_t clamp(int32_t value) {
  return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* an int8 loop: 8 pixels of 8 channels to 8 channels */
__attribute__((noinline)) static void layer_0_pointwise(const int8_t *in, int8_t *out) {
  int pixel, o, i;
  for (pixel = 0; pixel < 8; ++pixel)
    for (o = 0; o < 8; ++o) {
      int32_t sum = 64;
      for (i = 0; i < 8; ++i) sum += in[pixel * 8 + i] * weights[o][i];
      out[pixel * 8 + o] = clamp(sum >> 7);
    }
}

/* a 64-bit product: a call on a core that has none */
__attribute__((noinline)) static void layer_1_rescale(const int8_t *in, int8_t *out, const int32_t *multiplier) {
  int i;
  for (i = 0; i < 64; ++i) {
    int64_t product = (int64_t)(in[i] * 70001) * multiplier[i & 3];
    out[i] = clamp((int32_t)((product + ((int64_t)1 << 46)) >> 47));
  }
}

/* memcpy of a length that the compiler cannot know */
__attribute__((noinline)) static void layer_2_copy(const int8_t *in, int8_t *out, uint32_t bytes) {
  memset(out, -7, 64);
  memcpy(out, in, bytes);
}

/* 2 KiB of stack */
__attribute__((noinline)) static void layer_10_deep(const int8_t *in, int8_t *out) {
  volatile int16_t scratch[1024];
  int i;
  for (i = 0; i < 1024; ++i) scratch[i] = (int16_t)(in[i & 63] * (i >> 6));
  for (i = 0; i < 64; ++i) out[i] = clamp((scratch[i * 16] + scratch[1023 - i]) >> 2);
}

static int32_t multipliers[4];

void model_init(void) {
  multipliers[0] = 1518500250;
  multipliers[1] = 2147483647;
  multipliers[2] = 1073741824;
  multipliers[3] = 1999999999;
}

void model_run(const int8_t *in, int8_t *out) {
  layer_0_pointwise(in, model_arena);
  layer_1_rescale(model_arena, model_arena + 64, multipliers);
  layer_2_copy(model_arena + 64, model_arena + 128, (uint32_t)(in[0] & 31) + 16u);
  layer_10_deep(model_arena + 128, out);
}
