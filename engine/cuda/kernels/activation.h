// How activations are stored: float32, or 16 bits that kernels read and write as float32. A kernel of activations is compiled for
// each form: T, and NAME(kernel) for it.
#ifndef RETINAGO_ACTIVATION_H
#define RETINAGO_ACTIVATION_H
#include "elementary.h"

// In a ?: with an int, both forms would turn into int: write 0.f.

// The upper half of a float32: 8 bits of exponent, 7 of fraction. Writing rounds to the nearest, ties to even.
struct bf16 {
  unsigned short bits;
  MEMBER operator float() const {
    union {
      unsigned u;
      float f;
    } v;
    v.u = (unsigned)bits << 16;
    return v.f;
  }
  MEMBER bf16 &operator=(float f) {
    union {
      float f;
      unsigned u;
    } v;
    v.f = f;
    bits = (unsigned short)(f != f ? v.u >> 16 | 0x40 : (v.u + 0x7fff + (v.u >> 16 & 1)) >> 16);
    return *this;
  }
};

// IEEE 754's binary16: 5 bits of exponent, 10 of fraction. The compiler's conversion rounds to the nearest, ties to even.
struct fp16 {
  BINARY16 value;
  MEMBER operator float() const { return (float)value; }
  MEMBER fp16 &operator=(float f) { return value = (BINARY16)f, *this; }
};

// w [k, rs] times scale [k], which may be null
DEVICE float tap(const float *w, const float *scale, i64 k, int rs, int t) { return w[k * rs + t] * (scale ? scale[k] : 1); }

// v as T stores it.
template <class T> DEVICE float stored(float v) {
  T t;
  t = v;
  return t;
}

#endif
