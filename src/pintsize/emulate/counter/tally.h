/* Counts executed blocks of instructions for the function that caused them.

   Spans of addresses have owners: the run function, each layer, and OUTSIDE, which is whatever lies around the
   run function. Code in no span (memcpy, a 64-bit multiply) belongs to the owner that was running last. Counting
   begins when an owner other than OUTSIDE runs and is over for good when OUTSIDE runs again: one call is counted. */
#ifndef PINTSIZE_TALLY_H
#define PINTSIZE_TALLY_H
#include <stdint.h>
#include <stdlib.h>

enum { NOBODY = 0, OUTSIDE = 1 };

struct tally_row {
  uint64_t count; /* 0: a vacant row */
  uint32_t address, byte_count, instructions, owner;
};

struct tally {
  uint64_t taken_branches;
  struct tally_row *rows; /* a hash table with open addressing */
  uint32_t capacity, used;
  uint32_t first, end; /* the addresses that spans may cover */
  uint16_t *owner_at;  /* by halfword from first */
  uint32_t owner, next_address;
  int finished, failed;
};

static uint32_t tally_owner_at(const struct tally *tally, uint32_t address) {
  if (address < tally->first || address >= tally->end) return NOBODY;
  return tally->owner_at[(address - tally->first) / 2];
}

static struct tally_row *tally_find(const struct tally *tally, uint32_t address, uint32_t byte_count,
                                    uint32_t owner) {
  uint32_t mask = tally->capacity - 1;
  uint32_t slot = ((address >> 1) * 2654435761u + owner * 40503u + byte_count) & mask;
  for (;; slot = (slot + 1) & mask) {
    struct tally_row *row = &tally->rows[slot];
    if (!row->count) return row;
    if (row->address == address && row->owner == owner && row->byte_count == byte_count) return row;
  }
}

static int tally_grow(struct tally *tally) {
  struct tally_row *old = tally->rows;
  uint32_t i, old_capacity = tally->capacity;
  struct tally_row *rows = calloc((size_t)old_capacity * 2, sizeof *rows);
  if (!rows) return 0;
  tally->rows = rows;
  tally->capacity = old_capacity * 2;
  for (i = 0; i < old_capacity; ++i)
    if (old[i].count) *tally_find(tally, old[i].address, old[i].byte_count, old[i].owner) = old[i];
  free(old);
  return 1;
}

static struct tally *tally_make(uint32_t first, uint32_t end) {
  struct tally *tally = calloc(1, sizeof *tally);
  if (!tally) return NULL;
  tally->first = first;
  tally->end = end;
  tally->owner = OUTSIDE;
  tally->capacity = 256;
  tally->owner_at = calloc((end - first) / 2 + 1, sizeof *tally->owner_at);
  tally->rows = calloc(tally->capacity, sizeof *tally->rows);
  tally->failed = !tally->owner_at || !tally->rows;
  tally->finished = tally->failed;
  return tally;
}

static void tally_own(struct tally *tally, uint32_t start, uint32_t end, uint32_t owner) {
  uint32_t address;
  for (address = start; !tally->failed && address < end; address += 2)
    if (address >= tally->first && address < tally->end)
      tally->owner_at[(address - tally->first) / 2] = (uint16_t)owner;
}

/* `instructions` is 0 where the caller does not know it. */
static void tally_block(struct tally *tally, uint32_t address, uint32_t byte_count, uint32_t instructions) {
  struct tally_row *row;
  uint32_t owner = tally_owner_at(tally, address);
  if (tally->finished) return;
  if (owner == OUTSIDE) {
    tally->finished = tally->owner != OUTSIDE;
    return;
  }
  if (owner == NOBODY) owner = tally->owner;
  if (owner == OUTSIDE) return;
  if (tally->owner != OUTSIDE && address != tally->next_address) ++tally->taken_branches;
  tally->owner = owner;
  tally->next_address = address + byte_count;
  row = tally_find(tally, address, byte_count, owner);
  if (!row->count++) {
    row->address = address;
    row->byte_count = byte_count;
    row->instructions = instructions;
    row->owner = owner;
    if (++tally->used * 2 > tally->capacity && !tally_grow(tally)) tally->finished = tally->failed = 1;
  }
}

static void tally_free(struct tally *tally) {
  if (!tally) return;
  free(tally->owner_at);
  free(tally->rows);
  free(tally);
}
#endif
