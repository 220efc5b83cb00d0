// Class losses of one binary task per logit, which engines of the CPU and of GPUs compile. FORMULA begins an inlined function.
//
// A function NAME_loss(x, b, &slope) returns the loss of the task "no object" at logit x, and its slope by x. An object at logit x costs
// NAME_loss(-x) with slope -slope(-x). Weights of objects and of background (alpha), and factors, are applied around it. A NaN goes in
// and comes out; all other logits give finite numbers.
#ifndef RETINAGO_FORMULA_BINARY_H
#define RETINAGO_FORMULA_BINARY_H

#ifndef FORMULA
#error "define FORMULA before including this file"
#endif
#include "exp.h"

// The losses, by the names that loss.Formula has: kernels are instantiated for each.
#define BINARY_LOSSES(X) X(focal) X(poly1) X(smoothed)

// binary_params are a loss's numbers. power says which gamma it is, so that loops can be compiled for the usual ones.
enum binary_power { GAMMA_ZERO, GAMMA_TWO, GAMMA_ANY };
struct binary_params {
  float gamma, beta;
  int power;
};

FORMULA int power_of(float gamma) { return gamma == 0 ? GAMMA_ZERO : gamma == 2 ? GAMMA_TWO : GAMMA_ANY; }

// binary_task is what the losses of a logit x share: p = sigmoid(x), q = 1-p, cost = softplus(x) = -log q, log_p = log p.
struct binary_task {
  float p, q, cost, log_p;
};

FORMULA struct binary_task task_of(float x) {
  float e = exp_of(-__builtin_fabsf(x)), l = log1p_of(e), d = 1 / (1 + e);
  struct binary_task t;
  t.p = x >= 0 ? d : e * d;
  t.q = x >= 0 ? e * d : d;
  t.cost = (x > 0 ? x : 0) + l + (x - x); // x - x keeps a NaN
  t.log_p = x < 0 ? x - l : -l;
  return t;
}

// focus_of is p^gamma.
FORMULA float focus_of(struct binary_task t, struct binary_params b) {
  if (b.power == GAMMA_TWO) return t.p * t.p;
  if (b.power == GAMMA_ZERO) return 1;
  float lp = b.gamma * t.log_p, w = exp_of(lp);
  return lp < -86.f ? 0 : w;
}

// Focal loss (Lin et al. 2017, eq. 5): loss = p^gamma softplus(x), slope = p^gamma (gamma (1-p) softplus(x) + p).
FORMULA float focal_loss(float x, struct binary_params b, float *slope) {
  struct binary_task t = task_of(x);
  float w = focus_of(t, b);
  *slope = w * (b.gamma * t.q * t.cost + t.p);
  return w * t.cost;
}

// Poly-1 focal loss (Leng et al. 2022, "PolyLoss", eq. 6): the focal loss plus beta p^(gamma+1).
FORMULA float poly1_loss(float x, struct binary_params b, float *slope) {
  struct binary_task t = task_of(x);
  float w = focus_of(t, b), first = b.beta * w * t.p;
  *slope = w * (b.gamma * t.q * t.cost + t.p) + (b.gamma + 1) * t.q * first;
  return w * t.cost + first;
}

// Focal loss with smoothed labels: 1 - beta/2 of the focal loss at x, and beta/2 of that at -x.
FORMULA float smoothed_loss(float x, struct binary_params b, float *slope) {
  struct binary_task t = task_of(x), o = {t.q, t.p, -t.log_p, -t.cost};
  float w = focus_of(t, b), v = focus_of(o, b), other = .5f * b.beta;
  *slope = (1 - other) * w * (b.gamma * t.q * t.cost + t.p) - other * v * (b.gamma * o.q * o.cost + o.p);
  return (1 - other) * w * t.cost + other * v * o.cost;
}

#endif
