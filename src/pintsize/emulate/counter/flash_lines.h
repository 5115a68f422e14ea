/* Counts the reads of data in flash that a small cache of lines, the least recently used leaving first, does not hold. */
#ifndef PINTSIZE_FLASH_LINES_H
#define PINTSIZE_FLASH_LINES_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct flash_lines {
  uint64_t misses;
  uint32_t line_bytes, capacity, used;
  uint32_t *line; /* most recently used first */
};

static struct flash_lines *flash_lines_make(uint32_t line_bytes, uint32_t capacity) {
  struct flash_lines *lines = calloc(1, sizeof *lines);
  if (!lines) return NULL;
  lines->line_bytes = line_bytes;
  lines->capacity = capacity;
  lines->line = calloc(capacity, sizeof *lines->line);
  if (lines->line) return lines;
  free(lines);
  return NULL;
}

static void flash_lines_read(struct flash_lines *lines, uint32_t address) {
  const uint32_t wanted = address / lines->line_bytes;
  uint32_t i = 0;
  while (i < lines->used && lines->line[i] != wanted) ++i;
  if (i == lines->used) {
    ++lines->misses;
    if (lines->used < lines->capacity) ++lines->used;
    i = lines->used - 1;
  }
  memmove(lines->line + 1, lines->line, i * sizeof *lines->line);
  lines->line[0] = wanted;
}

static void flash_lines_free(struct flash_lines *lines) {
  if (!lines) return;
  free(lines->line);
  free(lines);
}
#endif
