// Losses of the difference of one coordinate: smooth-L1 (Girshick 2015, eq. 3, with the quadratic part below beta) and balanced L1 (Pang
// et al. 2019, eqs. 7 to 9). FORMULA begins an inlined function.
#ifndef RETINAGO_FORMULA_DELTAS_H
#define RETINAGO_FORMULA_DELTAS_H

#ifndef FORMULA
#error "define FORMULA before including this file"
#endif
#include "exp.h"

// delta_params are a loss's numbers: engine.BoxLossParams.
struct delta_params {
  float beta, alpha, gamma, bend;
};

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

// balanced_l1 returns the loss of an error e, and its slope by e: alpha log(1+y) with y = bend |e| / beta below beta, gamma beyond. A NaN
// goes in and comes out.
FORMULA double balanced_l1(float e, struct delta_params p, float *slope) {
  float m = __builtin_fabsf(e), sign = (float)((e > 0) - (e < 0));
  if (m < p.beta) {
    float y = p.bend * m / p.beta;
    double l = log1p_any(y);
    *slope = p.alpha * (float)l * sign;
    return p.alpha * ((double)p.beta / p.bend * (1. + y) * l - m);
  }
  *slope = p.gamma * sign + (e - e); // e - e keeps a NaN
  return (double)p.gamma * m + (double)p.beta * ((double)p.gamma / p.bend - p.alpha);
}

// delta_loss is the one of both that p describes.
FORMULA double delta_loss(float e, struct delta_params p, float *slope) {
  return p.alpha > 0 ? balanced_l1(e, p, slope) : smooth_l1(e, p.beta, slope);
}

#endif
