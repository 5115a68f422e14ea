/* Helium (Cortex-M55, M85): sixteen products of int8 in one instruction. Each kernel has a plain body of the same
 * integers for every other core. */
#if defined(__GNUC__)
#define HELIUM_SHARED static __attribute__((noinline, unused))
#else
#define HELIUM_SHARED static
#endif

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#if defined(__clang__)
#define HELIUM_PREDICATE
#else
#define HELIUM_PREDICATE , "vpr"
#endif
#endif
