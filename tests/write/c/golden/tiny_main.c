/* Example: runs the model once and finds its largest output. */
#include "model.h"

static int8_t input[MODEL_INPUT_BYTES];
static int8_t output[MODEL_OUTPUT_BYTES];

int main(void)
{
    int32_t best = 0;
    model_init();
    for (int32_t i = 0; i < MODEL_INPUT_BYTES; i++) {
        input[i] = model_quantize(0.0f); /* your numbers, channels last */
    }
    model_run(input, output);
    for (int32_t i = 1; i < MODEL_OUTPUT_BYTES; i++) {
        best = output[i] > output[best] ? i : best;
    }
    /* classes: cat, dog */
    return (int)best;
}
