// Sigmoid focal loss (Lin et al. 2017, eq. 5) and smooth-L1 (Girshick 2015, eq. 3), forward and backward in one pass: a part of
// the loss per block, and gradients where grad is given. labels [n, a]: a class, -1 background, -2 ignored. up is one number,
// or null for 1.
#include "device.h"

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

// A label that is no class is written to bad, with its place: [place, label].
KERNEL focal(double *part, float *grad, const float *x, const int *labels, const float *norm, const float *up, i64 *bad, i64 n, i64 a, int k, float alpha, float gamma) {
  double sum = 0;
  float factor = up ? *up : 1;
  EACH(i, n * a * k) {
    i64 anchor = i / k;
    int label = labels[anchor];
    float g = 0;
    if (label >= -1 && label < k) {
      int object = label == (int)(i % k);
      float weight = (alpha < 0 ? 1 : object ? alpha : 1 - alpha) * norm[anchor / a], slope;
      sum += (double)weight * background(object ? -x[i] : x[i], gamma, &slope);
      g = weight * factor * (object ? -slope : slope);
    } else if (label != -2) {
      bad[0] = anchor;
      bad[1] = label;
    }
    if (grad) grad[i] = g;
  }
  sum = block_sum(sum);
  if (TID == 0 && part) part[BLOCK_X] = sum;
}

// d and t [n, a, 4], over anchors whose label is a class.
KERNEL box(double *part, float *grad, const float *d, const float *t, const int *labels, const float *norm, const float *up, i64 n, i64 a, float beta) {
  double sum = 0;
  float factor = up ? *up : 1;
  EACH(i, n * a * 4) {
    i64 anchor = i / 4;
    float g = 0;
    if (labels[anchor] >= 0) {
      float e = d[i] - t[i], m = e < 0 ? -e : e, weight = norm[anchor / a];
      if (m < beta) {
        sum += weight * (.5 * m * m / beta);
        g = e / beta;
      } else {
        sum += weight * (m - .5 * beta);
        g = (float)((e > 0) - (e < 0)) + (e - e); // e - e keeps a NaN
      }
      g *= weight * factor;
    }
    if (grad) grad[i] = g;
  }
  sum = block_sum(sum);
  if (TID == 0 && part) part[BLOCK_X] = sum;
}
