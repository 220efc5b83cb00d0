// Smooth-L1 (Girshick 2015, eq. 3, with the quadratic part below beta). FORMULA begins an inlined function.
#ifndef RETINAGO_FORMULA_SMOOTH_L1_H
#define RETINAGO_FORMULA_SMOOTH_L1_H

#ifndef FORMULA
#error "define FORMULA before including this file"
#endif

// smooth_l1 returns the loss of an error e, and its slope by e. beta = 0 is L1. A NaN goes in and comes out.
FORMULA double smooth_l1(float e, float beta, float *slope) {
  float m = __builtin_fabsf(e);
  if (m < beta) {
    *slope = e / beta;
    return .5 * m * m / beta;
  }
  *slope = (float)((e > 0) - (e < 0)) + (e - e); // e - e keeps a NaN
  return m - .5 * beta;
}

#endif
