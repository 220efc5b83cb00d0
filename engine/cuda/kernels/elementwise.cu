// Sums, rectifiers and what belongs to a convolution. Comparisons let a NaN through.
#include "activation.h"

// y = max(a+b, 0) if relu, else a+b
KERNEL NAME(add)(T *y, const T *a, const T *b, i64 n, int relu) {
  EACH(i, n) {
    float v = a[i] + b[i];
    y[i] = relu && v <= 0 ? 0 : v;
  }
}

KERNEL NAME(activate)(T *y, const T *x, i64 n, int kind, float slope, float cap) {
  EACH(i, n) y[i] = activate(kind, x[i], slope, cap);
}

// v is the output, or the input, as activate_grad has it.
KERNEL NAME(activate_grad)(T *dx, const T *dy, const T *v, i64 n, int kind, float slope, float cap) {
  EACH(i, n) dx[i] = activate_grad(kind, dy[i], v[i], slope, cap > 0 ? stored<T>(cap) : 0.f);
}

// y [n/c, c] = activation(y + bias [c] + res), in place; bias and res may be null.
KERNEL NAME(finish)(T *y, const float *bias, const T *res, i64 n, int c, int kind, float slope, float cap) {
  EACH(i, n) {
    float v = y[i];
    if (bias) v += bias[i % c];
    if (res) v += res[i];
    y[i] = activate(kind, v, slope, cap);
  }
}

// Weights [k, c, r*s] times scale [k] as [k, r*s, c], which convolutions in N,H,W,C want. scale may be null.
KERNEL NAME(pack_weights)(T *to, const float *w, const float *scale, int k, int c, int rs) {
  EACH(i, (i64)k * c * rs) {
    i64 o = i / ((i64)c * rs), at = i % ((i64)c * rs), t = at / c, in = at % c;
    to[i] = w[(o * c + in) * rs + t] * (scale ? scale[o] : 1);
  }
}

// The way back, for gradients by weights.
KERNEL NAME(unpack_weights)(float *w, const T *from, const float *scale, int k, int c, int rs) {
  EACH(i, (i64)k * c * rs) {
    i64 o = i / ((i64)c * rs), at = i % ((i64)c * rs), in = at / rs, t = at % rs;
    w[i] = from[(o * rs + t) * c + in] * (scale ? scale[o] : 1);
  }
}
