/* Where a page puts the input and finds the output in the module's memory. */
#include <stdint.h>
#include MODEL_HEADER

int8_t *pintsize_input(void);
int8_t *pintsize_output(void);
uint32_t pintsize_input_bytes(void);
uint32_t pintsize_output_bytes(void);

static int8_t input[INPUT_BYTES] __attribute__((aligned(16)));
static int8_t output[OUTPUT_BYTES] __attribute__((aligned(16)));

int8_t *pintsize_input(void) { return input; }
int8_t *pintsize_output(void) { return output; }
uint32_t pintsize_input_bytes(void) { return INPUT_BYTES; }
uint32_t pintsize_output_bytes(void) { return OUTPUT_BYTES; }
