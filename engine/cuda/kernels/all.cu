// All kernels, as one module.
#include "depthwise.cu"
#include "elementwise.cu"
#include "loss.cu"
#include "norm.cu"
#include "optimizer.cu"
#include "reduce.cu"
#include "spatial.cu"
