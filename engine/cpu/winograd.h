// Winograd convolution F(4x4, 3x3) in N,H,W,C for stride 1 and padding 1, in one form for every width of vectors.
#ifndef RETINAGO_WINOGRAD_H
#define RETINAGO_WINOGRAD_H
#include <omp.h>
#include <stdint.h>
#include <string.h>

// Maps are n maps of one convolution, each x [images,h,w,in], y [images,h,w,out] and res like y or NULL. Their 4x4 tiles, th x tw
// in an image, are numbered through all of them, from `first` on in each.
struct Maps {
  struct Map {
    const float *x;
    float *y;
    const float *res;
    int h, w, th, tw;
    int64_t first;
  };
  const Map *list;
  int n;
  int64_t tiles;
};

// Winograd computes in vectors of `lanes`: neither `in` nor `out` may be less. Data and weights are as in kernels.h.
struct Winograd {
  int lanes;
  int64_t (*packed)(int in, int out); // floats of packed weights
  // pack transforms scale . w [k,c,3,3] (scale may be NULL): in = c, out = k forward; in = k, out = c backward.
  void (*pack)(float *u, const float *w, const float *scale, int c, int k, int backward);
  int64_t (*scratch)(int in, int out); // floats per thread
  // forward: cap 0 is none.
  void (*forward)(const Maps &, const float *u, const float *bias, int in, int out, int relu, float slope, float cap, float *scratch);
  int64_t (*dweights_scratch)(int c, int k); // floats in all
  // dweights reads dy from the maps' y.
  void (*dweights)(float *dw, const Maps &, int c, int k, float *scratch);
};

extern const Winograd winograd_baseline, winograd_avx2, winograd_avx512;
#endif
