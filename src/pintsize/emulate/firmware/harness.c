/* Runs a model on every input of a file on the computer that emulates the core, through semihosting.
   Reads inputs.bin; writes outputs.bin: the outputs, then how deep the first call's stack went, in bytes.
   Source: Arm's Semihosting for AArch32 and AArch64, which RISC-V shares but for the trap itself. */
#include <stdint.h>

enum { SYS_OPEN = 0x01, SYS_WRITE0 = 0x04, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT_EXTENDED = 0x20 };
enum { READ_BINARY = 1, WRITE_BINARY = 5, APPLICATION_EXIT = 0x20026 };
#define PAINT 0xC5C5C5C5u

#if defined(ARENA)
extern int32_t ARENA[];
#define pintsize_input ((int8_t *)ARENA + INPUT_OFFSET)
#define pintsize_output ((int8_t *)ARENA + OUTPUT_OFFSET)
#else
int8_t pintsize_input[INPUT_BYTES] __attribute__((aligned(8)));
int8_t pintsize_output[OUTPUT_BYTES] __attribute__((aligned(8)));
#endif
extern uint32_t __stack_limit, __stack_top;
void MODEL_INIT(void);
void MODEL_RUN(const int8_t *in, int8_t *out);
int main(void);
void fault(uint32_t address);

__attribute__((noinline)) static uintptr_t host_call(uintptr_t operation, const void *arguments) {
#if defined(__arm__)
  register uintptr_t r0 __asm("r0") = operation;
  register const void *r1 __asm("r1") = arguments;
  __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
#else
  register uintptr_t a0 __asm("a0") = operation;
  register const void *a1 __asm("a1") = arguments;
  /* the three words are recognised together: uncompressed, and not across a page */
  __asm volatile(
      ".option push\n .option norvc\n .balign 16\n"
      "slli zero, zero, 0x1f\n ebreak\n srai zero, zero, 7\n .option pop"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return a0;
#endif
}

static void leave(uintptr_t status) {
  const uintptr_t arguments[2] = {APPLICATION_EXIT, status};
  (void)host_call(SYS_EXIT_EXTENDED, arguments);
  for (;;) {
  }
}

static uintptr_t open_file(const char *name, uintptr_t length, uintptr_t mode) {
  const uintptr_t arguments[3] = {(uintptr_t)name, mode, length};
  return host_call(SYS_OPEN, arguments);
}

static int transfer(uintptr_t operation, uintptr_t file, void *bytes, uintptr_t count) {
  const uintptr_t arguments[3] = {file, (uintptr_t)bytes, count};
  return host_call(operation, arguments) == 0; /* it answers how many bytes are left over */
}

void fault(uint32_t address) {
  char text[] = "FAULT 00000000\n";
  int i;
  for (i = 0; i < 8; ++i) text[6 + i] = "0123456789abcdef"[(address >> (28 - 4 * i)) & 15u];
  (void)host_call(SYS_WRITE0, text);
  leave(1);
}

int main(void) {
  uintptr_t inputs = open_file("inputs.bin", 10, READ_BINARY);
  uintptr_t outputs = open_file("outputs.bin", 11, WRITE_BINARY);
  volatile uint32_t *word;
  uint32_t *stack_pointer;
  uint32_t stack_bytes = 0, calls = 0, since = 0;
  MODEL_INIT();
  while (transfer(SYS_READ, inputs, pintsize_input, INPUT_BYTES)) {
    if (RESTART_EVERY && since == RESTART_EVERY) {
      since = 0;
      MODEL_INIT();
    }
    ++since;
#if defined(__arm__)
    __asm volatile("mov %0, sp" : "=r"(stack_pointer));
#else
    __asm volatile("mv %0, sp" : "=r"(stack_pointer));
#endif
    if (!calls)
      for (word = &__stack_limit; word < stack_pointer; ++word) *word = PAINT;
    MODEL_RUN(pintsize_input, pintsize_output);
    if (!calls++) {
      for (word = &__stack_limit; word < stack_pointer && *word == PAINT;) ++word;
      stack_bytes = (uint32_t)((uintptr_t)stack_pointer - (uintptr_t)word);
    }
    if (!transfer(SYS_WRITE, outputs, pintsize_output, OUTPUT_BYTES)) leave(2);
  }
  if (!transfer(SYS_WRITE, outputs, &stack_bytes, sizeof stack_bytes)) leave(3);
  leave(0);
  return 0;
}
