/* Accumulators hold their sum times 2^scale, so that one high multiply-accumulate and one shift round as the
 * reference does, twice: out = (high(acc * multiplier) + addend - (acc < 0) * 2^(scale - 1)) >> shift, saturated.
 * Where an output at or below the zero point ends as -128 all the same, the term for negative sums is left out. */
typedef struct {
    int32_t bias;
    int32_t multiplier;
    int32_t addend;
    int32_t shift;
} dsp_channel;

/* How a layer's channels are told: form, scale, 2 * zero_point + 1, then what they share. */
enum { DSP_PLAIN = 0, DSP_PACKED = 1, DSP_ONE_FACTOR = 2, DSP_BRIEF = 3 };
enum { DSP_LARGEST_SHIFT = 23 };

/* The 31-bit multiplier of a 24-bit scale times the 64-bit ratio that the layer's channels share. */
PINTSIZE_INLINE uint32_t dsp_multiplier(uint32_t scale, uint32_t ratio_high, uint32_t ratio_low)
{
    const uint64_t product = (uint64_t)scale * ratio_high + ((uint64_t)scale * ratio_low >> 32);
    return (uint32_t)(product >> 55 ? (product + ((uint32_t)1 << 24)) >> 25 : (product + ((uint32_t)1 << 23)) >> 24);
}

/* Channel `index` of a layer. DSP_PLAIN: bias 4 bytes, multiplier 4, shift 1. DSP_PACKED: shift 5 bits and the scale
 * without its highest bit 23 (together 28 bits), bias 20. DSP_ONE_FACTOR: bias 4. DSP_BRIEF: the scale's five bits after
 * the highest, the shift above the least 3 bits, the bias; the form tells the bytes of it all (from bit 2) and the least
 * shift (from bit 5). */
DSP_SHARED void dsp_channel_of(dsp_channel *channel, const int8_t *channels, const int16_t *factors, int32_t index)
{
    const int32_t form = factors[0] & 3;
    const int32_t scale = factors[1];
    int32_t bias;
    uint32_t multiplier;
    int32_t shift;
#ifdef DSP_SOME_BRIEF
    if (form == DSP_BRIEF) {
        const int32_t width = factors[0] >> 2 & 7;
        const int32_t spare = 32 - 8 * width;
        const uint32_t word = dsp_word(channels + index * width);
        bias = (int32_t)(word << spare) >> (spare + 8);
        multiplier = dsp_multiplier((word << 18 & 0x7c0000u) | 0x800000u, dsp_wide(factors + 3), dsp_wide(factors + 5));
        shift = (int32_t)(word >> 5 & 7u) + (factors[0] >> 5);
    } else
#endif
    if (form == DSP_PACKED) {
        const int8_t *const at = channels + index * 6;
        const uint32_t word = dsp_word(at);
        bias = (int32_t)dsp_word(at + 2) >> 12;
        multiplier = dsp_multiplier((word & 0x7fffffu) | 0x800000u, dsp_wide(factors + 3), dsp_wide(factors + 5));
        shift = (int32_t)(word >> 23 & 31u);
    } else if (form == DSP_PLAIN) {
        const int8_t *const at = channels + index * 9;
        bias = (int32_t)dsp_word(at);
        multiplier = dsp_word(at + 4);
        shift = at[8];
    } else {
        bias = (int32_t)dsp_word(channels + index * 4);
        multiplier = dsp_wide(factors + 3);
        shift = factors[5];
    }
    const int32_t whole = shift + scale - 1;
    const int32_t excess = whole > DSP_LARGEST_SHIFT ? whole - DSP_LARGEST_SHIFT : 0;
    channel->bias = bias * (1 << scale);
    channel->multiplier = (int32_t)(multiplier >> excess);
    const int32_t once = shift <= 0; /* then there is no second rounding */
    const int32_t first = once ? whole - 1 : scale - 2;
    channel->addend = (1 << first >> excess) + (factors[2] - once) * (1 << (whole - excess - 1));
    channel->shift = whole - excess;
}

/* The numbers of the channels from..to - 1 in the order in which the products take them, by twos: bias, bias, shift,
 * multiplier, multiplier, addend, addend, shift. An odd last channel has no partner. Groups of one size may come one
 * after the other into the same place: of one factor for all only the biases change. */
DSP_SHARED void dsp_channel_pairs(int32_t *pairs, const int8_t *channels, const int16_t *factors, int32_t from,
                                  int32_t to)
{
    if (factors[0] == DSP_ONE_FACTOR && from > 0) {
        const int32_t scale = factors[1];
        channels += from * 4;
        for (int32_t left = to - from; left > 0; left -= 2, pairs += 8, channels += 8) {
            pairs[0] = (int32_t)dsp_word(channels) * (1 << scale);
            if (left > 1) {
                pairs[1] = (int32_t)dsp_word(channels + 4) * (1 << scale);
            }
            DSP_PLAIN_LOOP;
        }
        return;
    }
    for (int32_t i = from; i < to; i++) {
        dsp_channel channel;
        dsp_channel_of(&channel, channels, factors, i);
        int32_t *const own = pairs + (i - from) / 2 * 8 + i % 2;
        own[0] = channel.bias;
        own[2 + i % 2 * 4] = channel.shift;
        own[3] = channel.multiplier;
        own[5] = channel.addend;
    }
}

PINTSIZE_INLINE int8_t dsp_requantized(int32_t acc, int32_t multiplier, int32_t addend, int32_t shift,
                                       int32_t of_negative)
{
    const int32_t high = (int32_t)((int64_t)acc * multiplier >> 32) + addend;
    const int32_t out = (high - (acc < 0 ? of_negative : 0)) >> shift;
    return (int8_t)(out < -128 ? -128 : out > 127 ? 127 : out);
}
