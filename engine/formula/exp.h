// Exponentials and logarithms in float32, without a mathematical library.
#ifndef RETINAGO_FORMULA_EXP_H
#define RETINAGO_FORMULA_EXP_H

#ifndef FORMULA
#error "define FORMULA, which begins an inlined function, before including this file"
#endif

// exp_of is e^x for x in [-87, 0], relative error below 2e-7: 2^n times a polynomial on [-ln2/2, ln2/2] (Cephes).
FORMULA float exp_of(float x) {
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
  // Added to 1.5*2^23, n stands in the lowest bits: other than a conversion, that is defined for a NaN, which p keeps.
  union {
    float f;
    unsigned i;
  } two;
  two.f = n + 12582912.f;
  two.i = (two.i + 127) << 23;
  return p * two.f;
}

// log1p_of is log(1+e) for e in [0, 1], relative error below 3e-7: e times a Chebyshev fit of log(1+e)/e.
FORMULA float log1p_of(float e) {
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

// log_of is log(x) for a finite x above 1e-37, and about -88 for 0, to 1e-7 of 1 or of the result: log(m) + e*log(2), m in [sqrt(1/2), sqrt(2)] (Cephes).
FORMULA float log_of(float x) {
  union {
    float f;
    unsigned i;
  } u;
  u.f = x;
  unsigned above = u.i - 0x3f3504f3u; // the bits of sqrt(1/2)
  float e = (float)((int)above >> 23);
  u.i = (above & 0x7fffffu) + 0x3f3504f3u;
  float m = u.f - 1;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  return e * .693359375f + (m + (p * m * m * m - .5f * m * m - e * 2.12194440e-4f));
}

// log1p_any is log(1+y) for any y >= 0, relative error below 4e-7. A NaN goes in and comes out.
FORMULA float log1p_any(float y) { return y > 1 ? log_of(1 + y) : log1p_of(y); }

#endif
