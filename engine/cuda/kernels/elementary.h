// Exponentials, logarithms and an angle, without a mathematical library; what NaN goes in comes out.
#ifndef RETINAGO_ELEMENTARY_H
#define RETINAGO_ELEMENTARY_H

#include "device.h"

// The smaller and the larger of two numbers, NaN if one is.
DEVICE float lower_of(float a, float b) { return a < b || a != a ? a : b; }
DEVICE float higher_of(float a, float b) { return a > b || a != a ? a : b; }

// exp_of is e^x for x in [-87, 0], relative error below 2e-7: 2^n times a polynomial on [-ln2/2, ln2/2] (Cephes).
DEVICE float exp_of(float x) {
  x = x < -87.f ? -87.f : x;
  float n = __builtin_rintf(x * 1.44269504088896341f);
  float r = x - n * .693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1;
  union {
    int i;
    float f;
  } two;
  two.i = ((int)n + 127) << 23;
  return p * two.f;
}

// log1p_of is log(1+e) for e in [0, 1], relative error below 3e-7: e times a Chebyshev fit of log(1+e)/e.
DEVICE float log1p_of(float e) {
  float p = 5.1058256e-3f;
  p = p * e - 2.8991956e-2f;
  p = p * e + 7.7380739e-2f;
  p = p * e - 1.35905996e-1f;
  p = p * e + 1.90713093e-1f;
  p = p * e - 2.48339459e-1f;
  p = p * e + 3.33179355e-1f;
  p = p * e - 4.99994367e-1f;
  p = p * e + 9.9999994e-1f;
  return p * e;
}

// The class "no object" with logit x, p = sigmoid(x): loss = p^gamma softplus(x), slope = p^gamma (gamma (1-p) softplus(x) + p).
// An object with logit x costs loss(-x) with slope -slope(-x).
DEVICE float background(float x, float gamma, float *slope) {
  float e = exp_of(x < 0 ? x : -x), l = log1p_of(e), d = 1 / (1 + e);
  float p = x >= 0 ? d : e * d, q = x >= 0 ? e * d : d;
  float sp = (x > 0 ? x : 0) + l + (x - x); // x - x keeps a NaN
  float w = 1;
  if (gamma == 2) w = p * p;
  else if (gamma != 0) {
    float lp = gamma * (x < 0 ? x - l : -l); // log p^gamma
    w = lp < -86.f ? 0 : exp_of(lp);
  }
  *slope = w * (gamma * q * sp + p);
  return w * sp;
}

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
