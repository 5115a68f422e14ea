/* Some layer's channels are told in brief. */
#define DSP_SOME_BRIEF
