/* The wearable on this computer: raw int16 samples from standard input, a line of JSON for each answer.

   ./wearable < motion.raw        six channels at 50 Hz, interleaved
   ./wearable ppg < pulse.raw     a pulse wave; ecg: an electrocardiogram; rates are in their headers */
#include <stdio.h>
#include <string.h>

#include "heart_rate_ecg.h"
#include "heart_rate_ppg.h"
#include "wearable.h"

static const char *const REASONS[] = {"", "the signal began too short a time ago", "unsure"};

static void move(void)
{
    int16_t samples[WEARABLE_HOP][6];
    int32_t steps = 0;
    wearable_init();
    while (fread(samples, sizeof samples, 1, stdin) == 1) {
        const wearable_told told = wearable_move(samples);
        const double time_s = ++steps * (WEARABLE_HOP / 50.0);
        if (told.label >= 0) {
            printf("{\"time_s\": %.3f, \"activity\": \"%s\", \"margin\": %d}\n", time_s, wearable_labels[told.label],
                   (int)told.margin);
        } else {
            printf("{\"time_s\": %.3f, \"activity\": null, \"margin\": %d, \"reason\": \"%s\"}\n", time_s,
                   (int)told.margin, REASONS[told.reason]);
        }
    }
}

static void beat(void (*init)(void), void (*run)(const int16_t *, int32_t *), size_t rate_hz)
{
    int16_t samples[512];
    int32_t answer[4], second = 0;
    init();
    while (fread(samples, sizeof samples[0], rate_hz, stdin) == rate_hz) {
        run(samples, answer);
        printf("{\"time_s\": %d, \"sixteenths\": %d, \"reason\": %d}\n", (int)++second, (int)answer[0], (int)answer[1]);
    }
}

int main(int count, char **given)
{
    if (count > 1 && strcmp(given[1], "ppg") == 0) {
        beat(heart_rate_ppg_init, heart_rate_ppg_run, HEART_RATE_PPG_RATE_HZ);
    } else if (count > 1 && strcmp(given[1], "ecg") == 0) {
        beat(heart_rate_ecg_init, heart_rate_ecg_run, HEART_RATE_ECG_RATE_HZ);
    } else {
        move();
    }
    return 0;
}
