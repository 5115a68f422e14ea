/* A QEMU plugin that counts one call of the run function, block by block.

   Arguments: spans=FILE with a line "start end owner" (hexadecimal addresses) for each span of tally.h; isa=thumb
   or isa=riscv32; code=FILE, what lies in flash from address origin=ADDRESS (hexadecimal) on; and blocks=FILE,
   where at the end it writes "taken N" and for each block "address bytes instructions owner count" (address
   hexadecimal).
   The declarations follow QEMU's documentation of its plugin interface, so that no header is needed. */
#include "tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*callback)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, void (*callback)(unsigned, void *),
                                          enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*callback)(plugin_id, void *), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);

#define EXPORT __attribute__((visibility("default")))
EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info_t *info, int count, char **arguments);

int qemu_plugin_version = PLUGIN_VERSION;

struct translated {
  uint32_t address, byte_count, instructions;
};

static struct tally *tally;
static char blocks_path[1024];
static uint8_t *code;
static size_t code_bytes;
static uint32_t code_origin;
static int is_thumb;

/* QEMU's own figure is too large where it peeked at the next instruction, before the end of a page. */
static uint32_t width_at(uint32_t address) {
  size_t offset = address - code_origin;
  uint32_t halfword;
  if (address < code_origin || offset + 2 > code_bytes) return 4; /* a boot ROM: never counted */
  halfword = (uint32_t)code[offset] | (uint32_t)code[offset + 1] << 8;
  if (is_thumb) return halfword >> 11 >= 0x1d ? 4 : 2;
  return (halfword & 3) == 3 ? 4 : 2;
}

static void on_block(unsigned core, void *data) {
  const struct translated *block = data;
  (void)core;
  tally_block(tally, block->address, block->byte_count, block->instructions);
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *block) {
  struct translated *kept = calloc(1, sizeof *kept); /* QEMU may run it at any time until it ends */
  size_t instructions = qemu_plugin_tb_n_insns(block);
  uint32_t last = (uint32_t)qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, instructions - 1));
  (void)id;
  if (!kept) {
    tally->finished = tally->failed = 1;
    return;
  }
  kept->address = (uint32_t)qemu_plugin_tb_vaddr(block);
  kept->instructions = (uint32_t)instructions;
  kept->byte_count = last + width_at(last) - kept->address;
  qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, QEMU_PLUGIN_CB_NO_REGS, kept);
}

static void on_exit(plugin_id id, void *data) {
  FILE *file = tally->failed ? NULL : fopen(blocks_path, "w");
  uint32_t i;
  (void)id;
  (void)data;
  if (!file) return; /* no file: whoever reads it says so */
  fprintf(file, "taken %" PRIu64 "\n", tally->taken_branches);
  for (i = 0; i < tally->capacity; ++i) {
    const struct tally_row *row = &tally->rows[i];
    if (row->count)
      fprintf(file, "%" PRIx32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 "\n", row->address, row->byte_count,
              row->instructions, row->owner, row->count);
  }
  fclose(file);
}

static int read_spans(const char *path) {
  FILE *file = fopen(path, "r");
  uint32_t start, end, owner, first = UINT32_MAX, last = 0;
  if (!file) return 0;
  while (fscanf(file, "%" SCNx32 " %" SCNx32 " %" SCNu32, &start, &end, &owner) == 3) {
    if (start < first) first = start;
    if (end > last) last = end;
  }
  tally = first < last ? tally_make(first, last) : NULL;
  rewind(file);
  while (tally && fscanf(file, "%" SCNx32 " %" SCNx32 " %" SCNu32, &start, &end, &owner) == 3)
    tally_own(tally, start, end, owner);
  fclose(file);
  return tally && !tally->failed;
}

static int read_code(const char *path) {
  FILE *file = fopen(path, "rb");
  long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : -1;
  code = size > 0 ? malloc((size_t)size) : NULL;
  if (code) {
    rewind(file);
    code_bytes = fread(code, 1, (size_t)size, file);
  }
  if (file) fclose(file);
  return code_bytes > 0;
}

int qemu_plugin_install(plugin_id id, const struct qemu_info_t *info, int count, char **arguments) {
  int i, ready = 0;
  (void)info;
  for (i = 0; i < count; ++i) {
    if (!strncmp(arguments[i], "spans=", 6)) ready += read_spans(arguments[i] + 6);
    if (!strncmp(arguments[i], "code=", 5)) ready += read_code(arguments[i] + 5);
    if (!strncmp(arguments[i], "origin=", 7)) code_origin = (uint32_t)strtoul(arguments[i] + 7, NULL, 16);
    if (!strcmp(arguments[i], "isa=thumb")) is_thumb = 1;
    if (!strncmp(arguments[i], "blocks=", 7)) snprintf(blocks_path, sizeof blocks_path, "%s", arguments[i] + 7);
  }
  if (ready != 2 || !blocks_path[0]) return -1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_exit, NULL);
  return 0;
}
