#ifndef MODEL_H
#define MODEL_H
#include <stdint.h>
#define MODEL_INPUT_BYTES 64
#define MODEL_OUTPUT_BYTES 64
#define MODEL_ARENA_BYTES 192
void model_init(void);
void model_run(const int8_t *in, int8_t *out);
#endif
