// Class losses of one binary task per logit, as engine/formula/binary.h has them, and losses of deltas, forward and backward in one pass: a part of
// the loss per block, and gradients where grad is given. labels [n, a]: a class, -1 background, -2 ignored. up is one number,
// or null for 1. columns [2,k] are factors of the classes on the tasks with the class and on those without it, or null for 1.
#include "elementary.h"

// A label that is no class is written to bad, with its place: [place, label].
template <float F(float, binary_params, float *)>
DEVICE void binary_loss(double *part, float *grad, const float *x, const int *labels, const float *norm, const float *columns, const float *up, i64 *bad, i64 n, i64 a,
                        int k, float alpha, float gamma, float beta) {
  binary_params b = {gamma, beta, power_of(gamma)};
  double sum = 0;
  float factor = up ? *up : 1;
  EACH(i, n * a * k) {
    i64 anchor = i / k;
    int label = labels[anchor];
    float g = 0;
    if (label >= BACKGROUND && label < k) {
      int column = (int)(i % k), object = label == column;
      float weight = (alpha < 0 ? 1 : object ? alpha : 1 - alpha) * norm[anchor / a], slope;
      if (columns) weight *= columns[object ? column : k + column];
      sum += (double)weight * F(object ? -x[i] : x[i], b, &slope);
      g = weight * factor * (object ? -slope : slope);
    } else if (label != IGNORED) {
      bad[0] = anchor;
      bad[1] = label;
    }
    if (grad) grad[i] = g;
  }
  sum = block_sum(sum);
  if (TID == 0 && part) part[BLOCK_X] = sum;
}

#define LOSS_KERNEL(name)                                                                                                                      \
  KERNEL name(double *part, float *grad, const float *x, const int *labels, const float *norm, const float *columns, const float *up, i64 *bad, \
              i64 n, i64 a, int k, float alpha, float gamma, float beta) {                                                                      \
    binary_loss<name##_loss>(part, grad, x, labels, norm, columns, up, bad, n, a, k, alpha, gamma, beta);                                       \
  }
BINARY_LOSSES(LOSS_KERNEL)

// d and t [n, a, 4], over anchors whose label is a class.
KERNEL box(double *part, float *grad, const float *d, const float *t, const int *labels, const float *norm, const float *up, i64 n, i64 a, float beta, float alpha,
           float gamma, float bend) {
  delta_params p = {beta, alpha, gamma, bend};
  double sum = 0;
  float factor = up ? *up : 1;
  EACH(i, n * a * 4) {
    i64 anchor = i / 4;
    float g = 0;
    if (labels[anchor] >= 0) {
      float weight = norm[anchor / a];
      sum += weight * delta_loss(d[i] - t[i], p, &g);
      g *= weight * factor;
    }
    if (grad) grad[i] = g;
  }
  sum = block_sum(sum);
  if (TID == 0 && part) part[BLOCK_X] = sum;
}
