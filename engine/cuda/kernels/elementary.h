// Exponentials, logarithms and an angle, without a mathematical library; what NaN goes in comes out.
#ifndef RETINAGO_ELEMENTARY_H
#define RETINAGO_ELEMENTARY_H

#include "device.h"

// The smaller and the larger of two numbers, NaN if one is.
DEVICE float lower_of(float a, float b) { return a < b || a != a ? a : b; }
DEVICE float higher_of(float a, float b) { return a > b || a != a ? a : b; }

#define FORMULA DEVICE
#include "../../formula/activate.h"
#include "../../formula/binary.h"
#include "../../formula/colour.h"
#include "../../formula/deltas.h"

// The focal loss of the class "no object".
DEVICE float background(float x, float gamma, float *slope) { return focal_loss(x, {gamma, 0, power_of(gamma)}, slope); }

// exp_wide is e^x, relative error below 1e-15: 2^n times Taylor's series on [-ln2/2, ln2/2].
DEVICE double exp_wide(double x) {
  if (x < -708) return 0;
  if (x > 709) return INF;
  double n = __builtin_rint(x * 1.4426950408889634);
  double r = x - n * 6.93147180369123816490e-01 - n * 1.90821492927058770002e-10; // ln 2 in two parts
  double p = 1;
  for (int i = 13; i > 0; i--) p = 1 + p * r * (1. / i);
  union {
    i64 i;
    double f;
  } two;
  two.i = ((i64)n + 1023) << 52;
  return p * two.f;
}

// log_of_ratio is log((1+s)/(1-s)) for |s| <= 1/3, relative error below 1e-15.
DEVICE double log_of_ratio(double s) {
  double p = 0;
  for (int i = 31; i > 0; i -= 2) p = p * s * s + 1. / i;
  return 2 * s * p;
}

// log1p_wide is log(1+e) for e in [0, 1].
DEVICE double log1p_wide(double e) { return log_of_ratio(e / (2 + e)); }

// log_wide is log(x) for x > 0 that is not denormal, NaN for NaN and infinity.
DEVICE double log_wide(double x) {
  union {
    double f;
    i64 i;
  } b;
  b.f = x;
  i64 n = (b.i - 0x3fe6a09e667f3bcdLL) >> 52; // so that x / 2^n is in [sqrt(1/2), sqrt(2))
  b.i -= n << 52;
  return n * 6.93147180559945309417e-01 + log_of_ratio((b.f - 1) / (b.f + 1)) + (x - x);
}

// angle_wide is atan2(y, x) for y, x >= 0.
DEVICE double angle_wide(double y, double x) {
  double low = y < x ? y : x, high = y < x ? x : y;
  double t = high > 0 ? low / high : high; // 0 for two zeros; keeps a NaN
  int far = t > .41421356237309503; // tan(pi/8)
  double r = far ? (t - 1) / (t + 1) : t, p = 0;
  for (int i = 41; i > 0; i -= 2) p = 1. / i - p * r * r;
  double angle = p * r + (far ? 7.85398163397448310e-01 : 0);
  return y > x ? 1.57079632679489662 - angle : angle;
}

// softplus_wide is log(1+e^x), sigmoid_wide 1/(1+e^-x).
DEVICE double softplus_wide(double x) { return (x > 0 ? x : 0) + log1p_wide(exp_wide(x > 0 ? -x : x)) + (x - x); }

DEVICE double sigmoid_wide(double x) {
  double e = exp_wide(x > 0 ? -x : x);
  return (x > 0 ? 1 : e) / (1 + e);
}

#endif
