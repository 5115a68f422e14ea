/* tiny: interface of the program that pintsize wrote. */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

/* int8 numbers, channels last. real = scale * (q - zero_point). */
#define MODEL_INPUT_BYTES 4
#define MODEL_INPUT_SHAPE {2, 2, 1}
#define MODEL_INPUT_SCALE 0.05000000074505806f
#define MODEL_INPUT_ZERO_POINT (3)
#define MODEL_OUTPUT_BYTES 2
#define MODEL_OUTPUT_SHAPE {2}
#define MODEL_OUTPUT_SCALE 0.00390625f
#define MODEL_OUTPUT_ZERO_POINT (-128)
/* Static RAM that the model keeps for its activations; in and out belong to the caller. */
#define MODEL_ARENA_BYTES 12

#ifdef __cplusplus
extern "C" {
#endif

/* Call once before the first run. */
void model_init(void);

/* in: MODEL_INPUT_BYTES numbers, left as they are. out: MODEL_OUTPUT_BYTES numbers; must not overlap in. */
void model_run(const int8_t *in, int8_t *out);

/* Runs the golden vectors in model_self_test.c on this chip; returns how many output bytes differ (0: all is well). */
int32_t model_self_test(void);

/* A real number on the input's grid: nearest, halves away from zero, saturated. */
static inline int8_t model_quantize(float real)
{
    const float steps = real / MODEL_INPUT_SCALE;
    const float bounded = steps > -512.0f ? (steps < 512.0f ? steps : 512.0f) : -512.0f; /* NaN is -512 */
    const int32_t q = (int32_t)(bounded + (bounded < 0.0f ? -0.5f : 0.5f)) + MODEL_INPUT_ZERO_POINT;
    return (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
}

#ifdef __cplusplus
}
#endif

#endif
