#include "net.h"
#include "picture.h"

void picture_init(void)
{
    net_init();
}

void picture_codes(const uint8_t *rgb, int8_t *codes)
{
    for (int32_t i = 0; i < PICTURE_WIDTH * PICTURE_HEIGHT; i++) {
        const uint8_t *p = rgb + 3 * i;
#if PICTURE_CHANNELS == 1
        codes[i] = picture_code_of[(299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000];
#else
        for (int32_t channel = 0; channel < 3; channel++) {
            codes[3 * i + channel] = picture_code_of[p[channel]];
        }
#endif
    }
}
