/* Helium (Cortex-M55, M85): sixteen products of int8 in one instruction. Each kernel has a plain body of the same
 * integers for every other core. */
#if defined(__GNUC__)
#define HELIUM_SHARED static __attribute__((noinline, unused))
#else
#define HELIUM_SHARED static
#endif

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#if defined(__OPTIMIZE__) /* otherwise a frame pointer takes one of the registers, all of which are needed */
#define HELIUM_ASSEMBLER
#endif
/* GCC needs to know that the register of predicates is written, which it has a constraint for, and what goes into
 * high registers: it would give the low ones, which a store of narrowed numbers needs, to others. */
#if defined(__clang__)
#define HELIUM_PREDICATE
#define HELIUM_HIGH "r"
#else
#define HELIUM_PREDICATE , "=Up"(predicate)
#define HELIUM_HIGH "h"
#endif
#endif
