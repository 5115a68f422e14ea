/* The block hook of Unicorn in C: a hook in Python would be a hundred times slower. */
#include "tally.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT void on_block(void *engine, uint64_t address, uint32_t byte_count, void *tally);
EXPORT struct tally *counter_new(uint32_t first, uint32_t end);
EXPORT void counter_own(struct tally *tally, uint32_t start, uint32_t end, uint32_t owner);
EXPORT uint32_t counter_capacity(const struct tally *tally);
EXPORT const struct tally_row *counter_rows(const struct tally *tally);
EXPORT uint64_t counter_taken_branches(const struct tally *tally);
EXPORT int counter_failed(const struct tally *tally);
EXPORT void counter_free(struct tally *tally);

void on_block(void *engine, uint64_t address, uint32_t byte_count, void *tally) {
  (void)engine;
  tally_block(tally, (uint32_t)address, byte_count, 0);
}

struct tally *counter_new(uint32_t first, uint32_t end) { return tally_make(first, end); }

void counter_own(struct tally *tally, uint32_t start, uint32_t end, uint32_t owner) {
  tally_own(tally, start, end, owner);
}

uint32_t counter_capacity(const struct tally *tally) { return tally->capacity; }
const struct tally_row *counter_rows(const struct tally *tally) { return tally->rows; }
uint64_t counter_taken_branches(const struct tally *tally) { return tally->taken_branches; }
int counter_failed(const struct tally *tally) { return tally->failed; }
void counter_free(struct tally *tally) { tally_free(tally); }
