/* y = a + b; y may be a or b. numbers: count; zero point, multiplier, shift of a and of b; multiplier and shift of the
 * sum; zero point, low, high. */
THUMB_SHARED void thumb_add(const int8_t *a, const int8_t *b, int8_t *y, const int32_t *numbers)
{
    for (int32_t i = 0; i < numbers[0]; i++) {
        const int32_t left = thumb_scaled((a[i] - numbers[1]) * (1 << 20), numbers[2], numbers[3]);
        const int32_t right = thumb_scaled((b[i] - numbers[4]) * (1 << 20), numbers[5], numbers[6]);
        const int32_t sum = thumb_scaled(left + right, numbers[7], numbers[8]) + numbers[9];
        y[i] = clamped(sum, numbers[10], numbers[11]);
    }
}
