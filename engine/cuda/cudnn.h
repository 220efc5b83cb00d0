// cuDNN 9's convolutions, opened while the program runs: prototypes of our own, no header of NVIDIA's.
#ifndef RETINAGO_CUDNN_H
#define RETINAGO_CUDNN_H
#include <cuda.h>

extern const char *const retinago_cudnn_names[]; // NULL after the last
extern void *retinago_cudnn_functions[];         // in the same order

size_t retinago_cudnn_version(void);
const char *retinago_cudnn_message(int status);
int retinago_cudnn_open(CUcontext, CUstream, void **handle);
void retinago_cudnn_close(CUcontext, void *handle);

// Of x, w and y alike, by cuDNN's numbers; sums are float32.
enum { FLOAT = 0, HALF = 2, BFLOAT16 = 9 };

typedef struct {
  int n, h, w, c, k, r, s, oh, ow, stride, pad, groups, type;
} retinago_shape;

enum { FORWARD, BY_DATA, BY_WEIGHTS };

// A convolution of one shape: descriptors, and the fastest algorithm that the library names.
typedef struct {
  void *x, *w, *y, *bias, *conv, *relu, *identity;
  int algorithm, unfused;
  size_t workspace;
} retinago_plan;

// math: 0 lets multiplications be TF32's, 1 those of tensor cores on 16 bits, 3 keeps float32. Workspace is at most limit bytes.
int retinago_plan_make(retinago_plan *, CUcontext, void *handle, int kind, const retinago_shape *, int math, size_t limit);
void retinago_plan_free(retinago_plan *);

// The first argument is the result. With bias, of the same type, y = max(conv + bias + res, 0) if relu, without max otherwise; status is not 0 where
// the library has no such kernel, and then nothing was written.
int retinago_conv(CUcontext, void *handle, const retinago_plan *, CUdeviceptr y, CUdeviceptr x, CUdeviceptr w, CUdeviceptr space, size_t bytes);
int retinago_conv_fused(CUcontext, void *handle, const retinago_plan *, CUdeviceptr y, CUdeviceptr x, CUdeviceptr w, CUdeviceptr bias, CUdeviceptr res, int relu, CUdeviceptr space, size_t bytes);
int retinago_conv_data(CUcontext, void *handle, const retinago_plan *, CUdeviceptr dx, CUdeviceptr dy, CUdeviceptr w, CUdeviceptr space, size_t bytes);
int retinago_conv_weights(CUcontext, void *handle, const retinago_plan *, CUdeviceptr dw, CUdeviceptr dy, CUdeviceptr x, CUdeviceptr space, size_t bytes);

// One kernel; args are values of 8 bytes. A call that sets the context needs no thread of its own.
CUresult retinago_launch(CUcontext, CUfunction, unsigned gx, unsigned gy, unsigned gz, unsigned threads, CUstream, unsigned long long *args, int n);
CUresult retinago_pinned(CUcontext, void **p, size_t bytes);
#endif
