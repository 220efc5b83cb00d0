// The kernels of activations, for one T.
#include "channels.cu"
#include "depthwise.cu"
#include "elementwise.cu"
#include "norm.cu"
#include "spatial.cu"
