/* On this computer: raw pictures from standard input, a line of JSON for each. */
#include <stdio.h>

#include "picture.h"

int main(void)
{
    static uint8_t rgb[PICTURE_INPUT_BYTES];
    while (fread(rgb, 1, sizeof rgb, stdin) == sizeof rgb) {
        const picture_decision told = picture_look(rgb);
        printf("{\"kind\": \"%s\"", picture_kinds[told.kind]);
#ifdef PICTURE_LABELS
        if (told.label >= 0) {
            printf(", \"value\": \"%s\"", picture_labels[told.label]);
        }
        if (told.kind != PICTURE_UNGRADABLE) {
            printf(", \"confidence\": %.4f", told.confidence / 32768.0);
        }
#else
        for (int i = 0; told.kind == PICTURE_COUNTED && i < PICTURE_CLASSES; i++) {
            printf(", \"%s\": %d", picture_classes[i], told.counts[i]);
        }
#endif
        if (told.reason >= 0) {
            printf(", \"reason\": \"%s\"", picture_reasons[told.reason]);
        }
        printf("}\n");
    }
    return 0;
}
