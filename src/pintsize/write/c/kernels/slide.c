#if defined(__GNUC__)
typedef uint32_t __attribute__((may_alias)) slide_word;
#else
typedef uint8_t slide_word; /* without a word that may alias bytes, byte by byte */
#endif

/* Moves `count` bytes to lower addresses or to the same; they may overlap. */
PINTSIZE_INLINE void slide_down(const int8_t *from, int8_t *to, int32_t count)
{
    const int32_t size = (int32_t)sizeof(slide_word);
    int32_t i = 0;
    if ((((uintptr_t)from | (uintptr_t)to) & (sizeof(slide_word) - 1)) == 0) {
        const slide_word *read = (const slide_word *)(const void *)from;
        slide_word *written = (slide_word *)(void *)to;
        for (; i + 4 * size <= count; i += 4 * size, read += 4, written += 4) {
            const slide_word a = read[0], b = read[1], c = read[2], d = read[3];
            written[0] = a;
            written[1] = b;
            written[2] = c;
            written[3] = d;
        }
    }
    for (; i < count; i++) {
        to[i] = from[i];
    }
}

/* y (rows, keep + fresh): the last `keep` bytes of each row of x, then those of more (rows, fresh). y may be x. */
PINTSIZE_INLINE void slide(const int8_t *x, const int8_t *more, int8_t *y, int32_t rows, int32_t keep, int32_t fresh)
{
    for (int32_t r = 0; r < rows; r++) {
        slide_down(x + fresh, y, keep);
        memcpy(y + keep, more, (size_t)fresh);
        x += keep + fresh;
        more += fresh;
        y += keep + fresh;
    }
}
