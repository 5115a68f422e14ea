/* Heart rate from $title, second by second; written by pintsize.

   Samples are int16 at $RATE_HZ Hz, $RATE_HZ at a time. No heap, no clock: time is counted in samples.
   The answer is of the last 8 s: answer[0] is the rate in 1/16 of a beat per minute, 0 where it is not known, and then
   answer[1] says why:
$reasons
   answer[2] is 1 while the pulse is upside down, answer[3] is how many beats the 8 s hold. */
#ifndef ${NAME}_H
#define ${NAME}_H

#include <stdint.h>

#define ${NAME}_RATE_HZ $RATE_HZ
#define ${NAME}_INPUT_BYTES $INPUT_BYTES
#define ${NAME}_OUTPUT_BYTES 16

/* Before the first second, and after a gap in the signal. */
void ${name}_init(void);
void ${name}_run(const int16_t *samples, int32_t *answer);

#endif
