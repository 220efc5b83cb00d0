// What the int8 kernels share: sums of products in one form for every instruction set.
#ifndef RETINAGO_INT8_H
#define RETINAGO_INT8_H
#include <stdint.h>

#include "isa.h"

// Outputs are computed in blocks of at most four vectors of 16.
enum { VECTOR = 16, MOST_VECTORS = 4, MOST_PIXELS = 12 };

// Dot multiplies and adds. All of them give the same sums: products of u8 and s8 are added in s32 without saturation.
struct Dot {
  const char *name;
  int (*available)();           // on this processor, within the process's instruction set
  int pixels[MOST_VECTORS + 1]; // that run computes at a time, by the number of vectors; at most MOST_PIXELS
  // run: acc [pixels, 16*vectors] = init [16*vectors] + the sum over taps and steps of four channels of rows [taps, pixels],
  // each the address of 4*steps u8, times w [taps, steps, 16*vectors, 4].
  void (*run)(int32_t *acc, const uint8_t *const *rows, int taps, int steps, const int8_t *w, const int32_t *init, int vectors);
};

extern const Dot int8_plain, int8_avx2, int8_avx512, int8_avx_vnni, int8_avx512_vnni;
#endif
