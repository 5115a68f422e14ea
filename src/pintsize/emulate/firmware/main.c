/* The smallest program around a model: what its flash and RAM are measured on. */
#include <stdint.h>
#include MODEL_HEADER

#if defined(ARENA)
extern int32_t ARENA[];
#define pintsize_input ((int8_t *)ARENA + INPUT_OFFSET)
#define pintsize_output ((int8_t *)ARENA + OUTPUT_OFFSET)
#else
int8_t pintsize_input[INPUT_BYTES] __attribute__((aligned(8)));
int8_t pintsize_output[OUTPUT_BYTES] __attribute__((aligned(8)));
#endif
int main(void);
void fault(uint32_t address);

void fault(uint32_t address) {
  (void)address;
  for (;;) {
  }
}

int main(void) {
  MODEL_INIT();
  MODEL_RUN((const void *)pintsize_input, (void *)pintsize_output); /* of int8 or int16 numbers */
  return 0;
}
