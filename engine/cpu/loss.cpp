// Sigmoid focal loss (Lin et al. 2017, "Focal Loss for Dense Object Detection", eq. 5) and smooth-L1.
#include "kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h" // last

namespace {

// vexp is e^x for x in [-87, 0], relative error below 2e-7: 2^n times a polynomial on [-ln2/2, ln2/2] (Cephes).
INTO float vexp(float x) {
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
    uint32_t i;
  } two;
  two.f = n + 12582912.f;
  two.i = (two.i + 127) << 23;
  return p * two.f;
}

// vlog1p is log(1+e) for e in [0, 1], relative error below 3e-7: e times a Chebyshev fit of log(1+e)/e.
INTO float vlog1p(float e) {
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

enum Power { ZERO, TWO, ANY };

// background computes, for the class "no object" with logit x, p = sigmoid(x):
//   loss = p^gamma softplus(x), slope = p^gamma (gamma (1-p) softplus(x) + p)
// An object with logit x costs loss(-x) with slope -slope(-x).
template <Power P> INTO void background(float x, float gamma, float *loss, float *slope) {
  float e = vexp(-fabsf(x)), l = vlog1p(e), d = 1 / (1 + e);
  float p = x >= 0 ? d : e * d, q = x >= 0 ? e * d : d;
  float sp = (x > 0 ? x : 0) + l + (x - x); // x - x keeps a NaN
  float w = 1;
  if (P == TWO) w = p * p;
  if (P == ANY) {
    float lp = gamma * (x < 0 ? x - l : -l); // log p^gamma
    w = vexp(lp);
    w = lp < -86.f ? 0 : w;
  }
  *loss = w * sp;
  *slope = w * (gamma * q * sp + p);
}

template <Power P> INTO double run_of(float *grad, const float *x, int64_t n, float scale, float gamma) {
  double total = 0;
  for (int64_t i = 0; i < n; i += 1024) {
    int64_t end = i + 1024 < n ? i + 1024 : n;
    float s = 0;
    if (grad) {
#pragma omp simd reduction(+ : s)
      for (int64_t j = i; j < end; j++) {
        float l, g;
        background<P>(x[j], gamma, &l, &g);
        s += l;
        grad[j] = scale * g;
      }
    } else {
#pragma omp simd reduction(+ : s)
      for (int64_t j = i; j < end; j++) {
        float l, g;
        background<P>(x[j], gamma, &l, &g);
        s += l;
      }
    }
    total += s;
  }
  return total;
}

// background_run sums the loss of n background values and writes scale times their slopes, if grad is given.
double background_run(float *grad, const float *x, int64_t n, float scale, float gamma) {
  if (gamma == 0) return dispatch<run_of<ZERO>>(grad, x, n, scale, gamma);
  if (gamma == 2) return dispatch<run_of<TWO>>(grad, x, n, scale, gamma);
  return dispatch<run_of<ANY>>(grad, x, n, scale, gamma);
}

} // namespace

extern "C" {

int64_t rn_focal(float *loss, float *grad, const float *x, const int32_t *labels, const float *norm, float up, int n, int64_t a, int k, float alpha, float gamma) {
  enum { BLOCK = 512 }; // anchors
  float wp = alpha < 0 ? 1 : alpha, wn = alpha < 0 ? 1 : 1 - alpha;
  int64_t blocks = (a + BLOCK - 1) / BLOCK, bad = -1;
  double *part = (double *)calloc((size_t)n * (blocks > 0 ? blocks : 1), sizeof(double));
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < n; i++)
    for (int64_t b = 0; b < blocks; b++) {
      int64_t end = (b + 1) * BLOCK < a ? (b + 1) * BLOCK : a;
      float scale = norm[i] * up;
      double sum = 0;
      for (int64_t j = b * BLOCK; j < end;) {
        int64_t at = i * a + j;
        const float *v = x + at * k;
        float *g = grad ? grad + at * k : NULL;
        int32_t label = labels[at];
        if (label == -2) { // ignored
          if (g) memset(g, 0, sizeof(float) * k);
          j++;
          continue;
        }
        if (label < -2 || label >= k) {
#pragma omp critical
          if (bad < 0 || at < bad) bad = at;
          j++;
          continue;
        }
        int64_t run = 1; // anchors in a row that are background
        if (label == -1)
          while (j + run < end && labels[at + run] == -1) run++;
        sum += wn * background_run(g, v, run * k, scale * wn, gamma);
        if (label >= 0) {
          float skip, slope;
          double was = background_run(&skip, v + label, 1, 1, gamma), is;
          float minus = -v[label];
          is = background_run(&slope, &minus, 1, 1, gamma);
          sum += wp * is - wn * was;
          if (g) g[label] = -scale * wp * slope;
        }
        j += run;
      }
      part[i * blocks + b] = sum * norm[i];
    }
  double total = 0;
  for (int64_t b = 0; b < n * blocks; b++) total += part[b];
  free(part);
  if (loss) *loss = (float)total;
  return bad;
}

void rn_box_loss(float *loss, float *grad, const float *d, const float *t, const int32_t *labels, const float *norm, float up, int n, int64_t a, float beta) {
  double total = 0;
  if (grad) memset(grad, 0, sizeof(float) * 4 * n * a);
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int64_t j = i * a; j < (i + 1) * a; j++) {
      if (labels[j] < 0) continue;
      for (int64_t q = 4 * j; q < 4 * j + 4; q++) {
        float e = d[q] - t[q], m = fabsf(e), slope;
        if (m < beta) {
          sum += .5 * m * m / beta;
          slope = e / beta;
        } else {
          sum += m - .5 * beta;
          slope = (float)((e > 0) - (e < 0)) + (e - e); // e - e keeps a NaN
        }
        if (grad) grad[q] = norm[i] * up * slope;
      }
    }
    total += sum * norm[i];
  }
  if (loss) *loss = (float)total;
}

} // extern "C"
