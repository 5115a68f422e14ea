/* What the shape of a convolution with a window goes on with. */
enum {
    DSP_OUT_WIDTH, DSP_HEIGHT, DSP_WIDTH, DSP_CHANNELS, DSP_KH, DSP_KW, DSP_SY, DSP_SX, DSP_TOP, DSP_LEFT, DSP_DY,
    DSP_DX, DSP_ZERO_POINT, DSP_SPAN
};
