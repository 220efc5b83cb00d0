// All kernels, as one module.
#include "assign.cu"
#include "atss.cu"
#include "binary.cu"
#include "convert.cu"
#include "detect.cu"
#include "loss.cu"
#include "mining.cu"
#include "optimizer.cu"
#include "overlap.cu"
#include "prepare.cu"
#include "reduce.cu"
#include "softmax.cu"
#include "statistics.cu"
#include "step.cu"

#define T float
#define NAME(kernel) kernel
#include "activations.cu"
#undef T
#undef NAME

#define T bf16
#define NAME(kernel) kernel##_bf16
#include "activations.cu"
#undef T
#undef NAME

#define T fp16
#define NAME(kernel) kernel##_fp16
#include "activations.cu"
#undef T
#undef NAME
