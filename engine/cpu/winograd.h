// Winograd convolution F(4x4, 3x3) in N,H,W,C for stride 1 and padding 1, in one form for every width of vectors.
#ifndef RETINAGO_WINOGRAD_H
#define RETINAGO_WINOGRAD_H
#include <omp.h>
#include <stdint.h>
#include <string.h>

// Winograd computes in vectors of `lanes`: neither `in` nor `out` may be less. Data and weights are as in kernels.h.
struct Winograd {
  int lanes;
  int64_t (*packed)(int in, int out); // floats of packed weights
  // pack transforms scale . w [k,c,3,3] (scale may be NULL): in = c, out = k forward; in = k, out = c backward.
  void (*pack)(float *u, const float *w, const float *scale, int c, int k, int backward);
  int64_t (*scratch)(int in, int out); // floats per thread
  // forward: cap 0 is none.
  void (*forward)(float *y, const float *x, const float *u, const float *bias, const float *res, int n, int h, int w, int in, int out, int relu, float slope, float cap, float *scratch);
  int64_t (*dweights_scratch)(int c, int k); // floats in all
  void (*dweights)(float *dw, const float *dy, const float *x, int n, int h, int w, int c, int k, float *scratch);
};

extern const Winograd winograd_baseline, winograd_avx2, winograd_avx512;
#endif
