// Sums, rectifiers and what follows a convolution. Comparisons let a NaN through. A cap of 0 is none.
#include "device.h"

DEVICE float rectify(float x, float slope, float cap) {
  float v = x <= 0 ? (slope > 0 ? slope * x : 0) : x;
  return cap > 0 && v > cap ? cap : v;
}

KERNEL fill(float *y, i64 n, float v) {
  EACH(i, n) y[i] = v;
}

// y = max(a+b, 0) if relu, else a+b
KERNEL add(float *y, const float *a, const float *b, i64 n, int relu) {
  EACH(i, n) {
    float v = a[i] + b[i];
    y[i] = relu && v <= 0 ? 0 : v;
  }
}

KERNEL relu(float *y, const float *x, i64 n, float slope, float cap) {
  EACH(i, n) y[i] = rectify(x[i], slope, cap);
}

KERNEL relu_grad(float *dx, const float *dy, const float *y, i64 n, float slope, float cap) {
  EACH(i, n) {
    float g = y[i] > 0 ? dy[i] : (slope > 0 ? slope * dy[i] : 0);
    dx[i] = cap > 0 && y[i] >= cap ? 0 : g;
  }
}

// y [n/c, c] = act(y + bias [c] + res), in place; bias and res may be null.
KERNEL finish(float *y, const float *bias, const float *res, i64 n, int c, int act, float slope, float cap) {
  EACH(i, n) {
    float v = y[i];
    if (bias) v += bias[i % c];
    if (res) v += res[i];
    y[i] = act ? rectify(v, slope, cap) : v;
  }
}

// Weights [k, c, r*s] times scale [k] as [k, r*s, c], which convolutions in N,H,W,C want. scale may be null.
KERNEL pack_weights(float *to, const float *w, const float *scale, int k, int c, int rs) {
  EACH(i, (i64)k * c * rs) {
    i64 o = i / ((i64)c * rs), at = i % ((i64)c * rs), t = at / c, in = at % c;
    to[i] = w[(o * c + in) * rs + t] * (scale ? scale[o] : 1);
  }
}

// The way back, for gradients by weights.
KERNEL unpack_weights(float *w, const float *from, const float *scale, int k, int c, int rs) {
  EACH(i, (i64)k * c * rs) {
    i64 o = i / ((i64)c * rs), at = i % ((i64)c * rs), in = at / rs, t = at % rs;
    w[i] = from[(o * rs + t) * c + in] * (scale ? scale[o] : 1);
  }
}
