// What a norm does to each element of x [images, pixels, c]; statistics.cu has the rest.
#include "activation.h"

KERNEL NAME(norm_apply)(T *y, const T *x, const float *stats, const float *gamma, const float *beta, i64 images, i64 pixels, int c, int groups, int relu) {
  int per = c / groups;
  EACH(i, images * pixels * c) {
    int k = (int)(i % c);
    i64 at = i / c / pixels * groups + k / per;
    float v = (x[i] - stats[at]) * (stats[images * groups + at] * gamma[k]) + beta[k];
    y[i] = relu && v <= 0 ? 0 : v;
  }
}

KERNEL NAME(norm_grad)(T *dx, const T *dy, const T *y, const T *x, const float *gamma, const float *stats, const float *coef, i64 images, i64 pixels, int c, int groups) {
  int per = c / groups;
  EACH(i, images * pixels * c) {
    int k = (int)(i % c);
    i64 at = i / c / pixels * groups + k / per, all = images * groups;
    float d = y && !(y[i] > 0) ? 0.f : dy[i];
    dx[i] = stats[all + at] * gamma[k] * d + coef[at] * (x[i] - stats[at]) + coef[all + at];
  }
}
