// Activations: engine.Activation's values and slopes. FORMULA begins an inlined function.
#ifndef RETINAGO_FORMULA_ACTIVATE_H
#define RETINAGO_FORMULA_ACTIVATE_H

#ifndef FORMULA
#error "define FORMULA before including this file"
#endif
#include "constants.h"
#include "exp.h"

// F is called with each kind but IDENTITY.
#define ACTIVATIONS(F) F(RECTIFIED) F(SWISH)

// A ReLU of any form. Comparisons let a NaN through; a cap of 0 is none.
FORMULA float rectify(float x, float slope, float cap) {
  float v = x <= 0 ? (slope > 0 ? slope * x : 0) : x;
  return cap > 0 && v > cap ? cap : v;
}

// Its gradient by the output y.
FORMULA float rectify_grad(float dy, float y, float slope, float cap) {
  float g = y > 0 ? dy : (slope > 0 ? slope * dy : 0);
  return cap > 0 && y >= cap ? 0 : g;
}

// sigmoid is 1/(1+e^-x), from exponentials that do not overflow.
FORMULA float sigmoid(float x) {
  float e = exp_of(x < 0 ? x : -x), d = 1 / (1 + e);
  return x < 0 ? e * d : d;
}

// The derivative of x sigmoid(x) is p + x p (1-p).
FORMULA float swish_grad(float dy, float x) {
  float p = sigmoid(x);
  return dy * (p + x * p * (1 - p));
}

// activate is the value of an activation at x.
FORMULA float activate(int kind, float x, float slope, float cap) {
  switch (kind) {
  case RECTIFIED: return rectify(x, slope, cap);
  case SWISH: return x * sigmoid(x);
  }
  return x;
}

// activate_grad is the gradient by the input, from dy and v: the output where the kind's gradient goes by it, else the input.
FORMULA float activate_grad(int kind, float dy, float v, float slope, float cap) {
  switch (kind) {
  case RECTIFIED: return rectify_grad(dy, v, slope, cap);
  case SWISH: return swish_grad(dy, v);
  }
  return dy;
}

#endif
