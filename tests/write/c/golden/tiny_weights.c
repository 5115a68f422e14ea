/* tiny: the constants of model.c, written by pintsize. */
#include "model.h"

const int8_t model_layer_00_conv2d_weight[8] = {
    12, 13, 14, 15, 0, 1, 2, 3
};

const int32_t model_layer_00_conv2d_bias[2] = {
    130, -25
};

const int32_t model_layer_00_conv2d_multiplier[2] = {
    1073741824, 1073741824
};

const int8_t model_layer_00_conv2d_shift[2] = {
    -1, -2
};

const int8_t model_layer_02_linear_weight[4] = {
    127, -3, 5, 0
};

const int32_t model_layer_02_linear_bias[2] = {
    14872, 642
};

const int32_t model_layer_02_linear_multiplier[2] = {
    1099511620, 1099511620
};

const int8_t model_layer_02_linear_shift[2] = {
    -8, -7
};
