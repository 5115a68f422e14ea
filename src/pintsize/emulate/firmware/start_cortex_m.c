/* Reset and faults of a Cortex-M core, without vendor headers. */
#include <stdint.h>

extern uint32_t __stack_top, __data_load, __data_start, __data_end, __bss_start, __bss_end;
int main(void);
void fault(uint32_t address);
void fault_frame(const uint32_t *frame);
void fault_entry(void);
void _start(void);

/* the core pushed r0-r3, r12, lr, pc and xPSR when it took the exception */
__attribute__((used)) void fault_frame(const uint32_t *frame) { fault(frame[6]); }

__attribute__((naked)) void fault_entry(void) {
  __asm volatile("mrs r0, msp\n bl fault_frame");
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &__stack_top, (const void *)_start, (const void *)fault_entry, (const void *)fault_entry,
    (const void *)fault_entry, (const void *)fault_entry, (const void *)fault_entry, (const void *)fault_entry,
    0, 0, 0, (const void *)fault_entry, (const void *)fault_entry, 0, (const void *)fault_entry,
    (const void *)fault_entry};

void _start(void) {
#if defined(__ARM_FEATURE_MVE)
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: the coprocessors that hold Helium */
  *(volatile uint32_t *)0xE000ED14u |= 1u << 19;   /* CCR.LOB: low-overhead loops */
  __asm volatile("dsb\n isb");
#endif
  const uint32_t *from = &__data_load;
  uint32_t *to;
  for (to = &__data_start; to < &__data_end; ++to) *to = *from++;
  for (to = &__bss_start; to < &__bss_end; ++to) *to = 0;
  (void)main();
  for (;;) {
  }
}
