//go:build gpu && linux && amd64

#include "cudnn.h"

#include <string.h>

#define FUNCTIONS(F) \
  F(GetVersion) F(GetErrorString) F(Create) F(Destroy) F(SetStream) F(CreateTensorDescriptor) F(DestroyTensorDescriptor) \
  F(SetTensor4dDescriptor) F(CreateFilterDescriptor) F(DestroyFilterDescriptor) F(SetFilter4dDescriptor) \
  F(CreateConvolutionDescriptor) F(DestroyConvolutionDescriptor) F(SetConvolution2dDescriptor) F(SetConvolutionMathType) \
  F(SetConvolutionGroupCount) F(CreateActivationDescriptor) F(DestroyActivationDescriptor) F(SetActivationDescriptor) \
  F(GetConvolutionForwardAlgorithm_v7) F(GetConvolutionBackwardDataAlgorithm_v7) F(GetConvolutionBackwardFilterAlgorithm_v7) \
  F(ConvolutionForward) F(ConvolutionBiasActivationForward) F(ConvolutionBackwardData) F(ConvolutionBackwardFilter)

#define INDEX(f) f,
#define NAME(f) "cudnn" #f,
enum { FUNCTIONS(INDEX) COUNT };
const char *const retinago_cudnn_names[] = {FUNCTIONS(NAME) NULL};
void *retinago_cudnn_functions[COUNT];

// Types of the functions; descriptors and handles are pointers, enumerations and status ints.
typedef int (*make_t)(void **);
typedef int (*free_t)(void *);
typedef int (*stream_t)(void *, CUstream);
typedef int (*four_t)(void *, int, int, int, int, int, int);
typedef int (*conv_t)(void *, int, int, int, int, int, int, int, int);
typedef int (*set_t)(void *, int);
typedef int (*activation_t)(void *, int, int, double);
typedef struct {
  int algorithm, status;
  float time;
  size_t memory;
  int determinism, math, reserved[3];
} choice;
typedef int (*choose_t)(void *, void *, void *, void *, void *, int, int *, choice *);
typedef int (*run_t)(void *, const void *, void *, CUdeviceptr, void *, CUdeviceptr, void *, int, CUdeviceptr, size_t, const void *, void *, CUdeviceptr);
typedef int (*fused_t)(void *, const void *, void *, CUdeviceptr, void *, CUdeviceptr, void *, int, CUdeviceptr, size_t, const void *, void *, CUdeviceptr, void *, CUdeviceptr, void *, void *, CUdeviceptr);

#define CALL(type, f) ((type)retinago_cudnn_functions[f])

enum { NHWC = 1, CROSS_CORRELATION = 1, RELU = 1, IDENTITY = 5, PROPAGATE_NAN = 1, PRECOMPUTED_GEMM = 1, FMA = 3 };
enum { NOT_INITIALIZED = 1001, NOT_SUPPORTED = 3000 };

size_t retinago_cudnn_version(void) { return CALL(size_t(*)(void), GetVersion)(); }
const char *retinago_cudnn_message(int status) { return CALL(const char *(*)(int), GetErrorString)(status); }

int retinago_cudnn_open(CUcontext ctx, CUstream stream, void **handle) {
  if (cuCtxSetCurrent(ctx)) return NOT_INITIALIZED;
  int r = CALL(make_t, Create)(handle);
  return r ? r : CALL(stream_t, SetStream)(*handle, stream);
}

void retinago_cudnn_close(CUcontext ctx, void *handle) {
  if (!cuCtxSetCurrent(ctx)) CALL(free_t, Destroy)(handle);
}

int retinago_plan_make(retinago_plan *p, CUcontext ctx, void *handle, int kind, const retinago_shape *s, int math, size_t limit) {
  if (cuCtxSetCurrent(ctx)) return NOT_INITIALIZED;
  memset(p, 0, sizeof *p);
  int r, n = 0;
#define TRY(call) \
  if ((r = call)) return r
  TRY(CALL(make_t, CreateTensorDescriptor)(&p->x));
  TRY(CALL(make_t, CreateFilterDescriptor)(&p->w));
  TRY(CALL(make_t, CreateTensorDescriptor)(&p->y));
  TRY(CALL(make_t, CreateTensorDescriptor)(&p->bias));
  TRY(CALL(make_t, CreateConvolutionDescriptor)(&p->conv));
  TRY(CALL(make_t, CreateActivationDescriptor)(&p->relu));
  TRY(CALL(make_t, CreateActivationDescriptor)(&p->identity));
  TRY(CALL(four_t, SetTensor4dDescriptor)(p->x, NHWC, s->type, s->n, s->c, s->h, s->w));
  TRY(CALL(four_t, SetFilter4dDescriptor)(p->w, s->type, NHWC, s->k, s->c / s->groups, s->r, s->s));
  TRY(CALL(four_t, SetTensor4dDescriptor)(p->y, NHWC, s->type, s->n, s->k, s->oh, s->ow));
  TRY(CALL(four_t, SetTensor4dDescriptor)(p->bias, NHWC, s->type, 1, s->k, 1, 1));
  TRY(CALL(conv_t, SetConvolution2dDescriptor)(p->conv, s->pad, s->pad, s->stride, s->stride, 1, 1, CROSS_CORRELATION, FLOAT));
  TRY(CALL(set_t, SetConvolutionGroupCount)(p->conv, s->groups));
  TRY(CALL(set_t, SetConvolutionMathType)(p->conv, math));
  TRY(CALL(activation_t, SetActivationDescriptor)(p->relu, RELU, PROPAGATE_NAN, 0));
  TRY(CALL(activation_t, SetActivationDescriptor)(p->identity, IDENTITY, PROPAGATE_NAN, 0));
  choice c[8];
  int most = sizeof c / sizeof *c;
  switch (kind) {
  case FORWARD: TRY(CALL(choose_t, GetConvolutionForwardAlgorithm_v7)(handle, p->x, p->w, p->conv, p->y, most, &n, c)); break;
  case BY_DATA: TRY(CALL(choose_t, GetConvolutionBackwardDataAlgorithm_v7)(handle, p->w, p->y, p->conv, p->x, most, &n, c)); break;
  default: TRY(CALL(choose_t, GetConvolutionBackwardFilterAlgorithm_v7)(handle, p->x, p->y, p->conv, p->w, most, &n, c));
  }
  for (int i = 0; i < n; i++)
    if (!c[i].status && c[i].memory <= limit) {
      p->algorithm = c[i].algorithm;
      p->workspace = c[i].memory;
      // An algorithm is offered with its own math; float32 stays what was asked for.
      return math == FMA ? 0 : CALL(set_t, SetConvolutionMathType)(p->conv, c[i].math);
    }
  return NOT_SUPPORTED;
}

void retinago_plan_free(retinago_plan *p) {
  if (p->x) CALL(free_t, DestroyTensorDescriptor)(p->x);
  if (p->w) CALL(free_t, DestroyFilterDescriptor)(p->w);
  if (p->y) CALL(free_t, DestroyTensorDescriptor)(p->y);
  if (p->bias) CALL(free_t, DestroyTensorDescriptor)(p->bias);
  if (p->conv) CALL(free_t, DestroyConvolutionDescriptor)(p->conv);
  if (p->relu) CALL(free_t, DestroyActivationDescriptor)(p->relu);
  if (p->identity) CALL(free_t, DestroyActivationDescriptor)(p->identity);
}

static const float one = 1, zero = 0;

int retinago_conv(CUcontext ctx, void *handle, const retinago_plan *p, CUdeviceptr y, CUdeviceptr x, CUdeviceptr w, CUdeviceptr space, size_t bytes) {
  if (cuCtxSetCurrent(ctx)) return NOT_INITIALIZED;
  return CALL(run_t, ConvolutionForward)(handle, &one, p->x, x, p->w, w, p->conv, p->algorithm, space, bytes, &zero, p->y, y);
}

int retinago_conv_fused(CUcontext ctx, void *handle, const retinago_plan *p, CUdeviceptr y, CUdeviceptr x, CUdeviceptr w, CUdeviceptr bias, CUdeviceptr res, int relu, CUdeviceptr space, size_t bytes) {
  if (!relu && p->algorithm != PRECOMPUTED_GEMM) return NOT_SUPPORTED; // the one that takes the identity
  if (cuCtxSetCurrent(ctx)) return NOT_INITIALIZED;
  return CALL(fused_t, ConvolutionBiasActivationForward)(handle, &one, p->x, x, p->w, w, p->conv, p->algorithm, space, bytes, res ? &one : &zero, p->y, res ? res : y, p->bias, bias,
                                                         relu ? p->relu : p->identity, p->y, y);
}

int retinago_conv_data(CUcontext ctx, void *handle, const retinago_plan *p, CUdeviceptr dx, CUdeviceptr dy, CUdeviceptr w, CUdeviceptr space, size_t bytes) {
  if (cuCtxSetCurrent(ctx)) return NOT_INITIALIZED;
  return CALL(run_t, ConvolutionBackwardData)(handle, &one, p->w, w, p->y, dy, p->conv, p->algorithm, space, bytes, &zero, p->x, dx);
}

int retinago_conv_weights(CUcontext ctx, void *handle, const retinago_plan *p, CUdeviceptr dw, CUdeviceptr dy, CUdeviceptr x, CUdeviceptr space, size_t bytes) {
  if (cuCtxSetCurrent(ctx)) return NOT_INITIALIZED;
  return CALL(run_t, ConvolutionBackwardFilter)(handle, &one, p->x, x, p->y, dy, p->conv, p->algorithm, space, bytes, &zero, p->w, dw);
}

CUresult retinago_launch(CUcontext ctx, CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned threads, CUstream stream, unsigned long long *args, int n) {
  void *p[32];
  if (n > 32) return CUDA_ERROR_INVALID_VALUE;
  for (int i = 0; i < n; i++) p[i] = &args[i];
  CUresult r = cuCtxSetCurrent(ctx);
  return r ? r : cuLaunchKernel(f, gx, gy, gz, threads, 1, 1, 0, stream, p, NULL);
}

CUresult retinago_pinned(CUcontext ctx, void **p, size_t bytes) {
  CUresult r = cuCtxSetCurrent(ctx);
  return r ? r : cuMemHostAlloc(p, bytes, 0);
}
