/* Runs a model on many inputs: as a shared library, and as a filter from stdin to stdout. */
#include <stddef.h>
#include <stdint.h>
#include MODEL_HEADER

uint32_t pintsize_input_bytes(void);
uint32_t pintsize_output_bytes(void);
void pintsize_start(void);
void pintsize_run(const int8_t *inputs, int8_t *outputs, size_t count);

uint32_t pintsize_input_bytes(void) { return INPUT_BYTES; }
uint32_t pintsize_output_bytes(void) { return OUTPUT_BYTES; }
void pintsize_start(void) { MODEL_INIT(); }

void pintsize_run(const int8_t *inputs, int8_t *outputs, size_t count) {
  size_t i;
  /* through void: the model may take and give int16 numbers */
  for (i = 0; i < count; ++i)
    MODEL_RUN((const void *)(inputs + i * INPUT_BYTES), (void *)(outputs + i * OUTPUT_BYTES));
}

#ifdef PINTSIZE_FILTER
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  /* from the heap and of the exact size, so that the sanitizer sees a step past either end */
  int8_t *input = malloc(INPUT_BYTES), *output = malloc(OUTPUT_BYTES);
  if (!input || !output) return 2;
  pintsize_start();
  while (fread(input, INPUT_BYTES, 1, stdin) == 1) {
    pintsize_run(input, output, 1);
    if (fwrite(output, OUTPUT_BYTES, 1, stdout) != 1) return 3;
  }
  free(input);
  free(output);
  return 0;
}
#endif
