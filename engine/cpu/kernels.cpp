// Elementwise kernels, pooling, resizing and optimiser steps.
#include "kernels.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "guard.h"
#include "zeros.h"

#include "dispatch.h" // last

#define FORMULA INTO
#include "../formula/activate.h"

extern "C" {

void rn_threads(int n) { omp_set_num_threads(n); }

// Large blocks come from the system directly: it hands out zeroed pages, takes them back at once and may use huge ones.
enum { LARGE = 1 << 20 };

void *rn_alloc(int64_t bytes) {
  if (bytes >= LARGE) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
  }
  int64_t whole = (bytes + 63) / 64 * 64;
  void *p = aligned_alloc(64, whole ? whole : 64);
  if (p) memset(p, 0, whole);
  return p;
}

void rn_free(void *p, int64_t bytes) {
  if (!p) return;
  if (bytes >= LARGE) munmap(p, bytes);
  else free(p);
}

} // extern "C"

// spread calls f(from, to) on equal runs of [0, n), one per thread, at multiples of 16.
template <class F> static void spread(int64_t n, F f) {
  if (n < 1 << 14) {
    f((int64_t)0, n);
    return;
  }
#pragma omp parallel
  {
    int64_t t = omp_get_thread_num(), of = omp_get_num_threads(), per = (n / of + 15) / 16 * 16;
    int64_t from = t * per < n ? t * per : n, to = t == of - 1 ? n : (from + per < n ? from + per : n);
    if (from < to) f(from, to);
  }
}

INTO void add_run(float *__restrict y, const float *a, const float *b, int64_t n, int relu) {
  if (relu)
    for (int64_t i = 0; i < n; i++) {
      float v = a[i] + b[i];
      y[i] = v <= 0 ? 0 : v;
    }
  else
    for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

template <int KIND> INTO void activate_run(float *__restrict y, const float *x, int64_t n, float slope, float cap) {
  for (int64_t i = 0; i < n; i++) y[i] = activate(KIND, x[i], slope, cap);
}

template <int KIND> INTO void activate_grad_run(float *__restrict dx, const float *dy, const float *v, int64_t n, float slope, float cap) {
  for (int64_t i = 0; i < n; i++) dx[i] = activate_grad(KIND, dy[i], v[i], slope, cap);
}

INTO void scale_run(float *y, const float *x, float s, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = s * x[i];
}

INTO void accumulate_run(float *__restrict y, const float *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

INTO void max_run(float *__restrict y, const float *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > y[i] || x[i] != x[i] ? x[i] : y[i];
}

// hand_run gives what is left of a window's gradient to the channels whose maximum is here.
INTO void hand_run(float *__restrict dx, float *__restrict left, const float *x, const float *y, int n) {
  for (int i = 0; i < n; i++) {
    float g = x[i] == y[i] ? left[i] : 0;
    dx[i] += g;
    left[i] -= g;
  }
}

INTO double squares_run(const float *x, int64_t n) {
  double s = 0;
  for (int64_t i = 0; i < n; i += 4096) {
    float part[16] = {0};
    int64_t end = i + 4096 < n ? i + 4096 : n, j = i;
    for (; j + 16 <= end; j += 16)
      for (int k = 0; k < 16; k++) part[k] += x[j + k] * x[j + k];
    for (; j < end; j++) part[0] += x[j] * x[j];
    for (int k = 0; k < 16; k++) s += part[k];
  }
  return s;
}

INTO void sgd_run(float *__restrict w, float *__restrict m, const float *__restrict g, int64_t n, float lr, float momentum, float decay, float scale, int nesterov) {
  for (int64_t i = 0; i < n; i++) {
    float d = scale * g[i] + decay * w[i];
    m[i] = momentum * m[i] + d;
    w[i] -= lr * (nesterov ? d + momentum * m[i] : m[i]);
  }
}

INTO void adam_run(float *__restrict w, float *__restrict m, float *__restrict v, const float *__restrict g, int64_t n, float step, float root, float beta1, float beta2, float eps, float decay, float shrink, float scale) {
  for (int64_t i = 0; i < n; i++) {
    float d = scale * g[i] + decay * w[i];
    m[i] = beta1 * m[i] + (1 - beta1) * d;
    v[i] = beta2 * v[i] + (1 - beta2) * d * d;
    w[i] = shrink * w[i] - step * m[i] / (sqrtf(v[i]) * root + eps);
  }
}

INTO void lerp_run(float *__restrict w, const float *x, int64_t n, float t) {
  for (int64_t i = 0; i < n; i++) w[i] += t * (x[i] - w[i]);
}

extern "C" {

void rn_add(float *y, const float *a, const float *b, int64_t n, int relu) {
  spread(n, [=](int64_t i, int64_t to) { dispatch<add_run>(y + i, a + i, b + i, to - i, relu); });
}

void rn_activate(float *y, const float *x, int64_t n, int kind, float slope, float cap) {
  if (cap <= 0) cap = INFINITY;
#define CASE(KIND) \
  if (kind == KIND) spread(n, [=](int64_t i, int64_t to) { dispatch<activate_run<KIND>>(y + i, x + i, to - i, slope, cap); });
  ACTIVATIONS(CASE)
#undef CASE
}

void rn_activate_grad(float *dx, const float *dy, const float *v, int64_t n, int kind, float slope, float cap) {
  if (cap <= 0) cap = INFINITY;
#define CASE(KIND) \
  if (kind == KIND) spread(n, [=](int64_t i, int64_t to) { dispatch<activate_grad_run<KIND>>(dx + i, dy + i, v + i, to - i, slope, cap); });
  ACTIVATIONS(CASE)
#undef CASE
}

void rn_scale_rows(float *y, const float *x, const float *s, int64_t rows, int64_t cols) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows; r++) dispatch<scale_run>(y + r * cols, x + r * cols, s[r], cols);
}

static void bias_grad(float *db, const float *dy, int64_t rows, int c) {
  // Blocks of rows are summed in float32 and the blocks in float64, in an order that threads do not change.
  enum { BLOCK = 256 };
  int64_t blocks = (rows + BLOCK - 1) / BLOCK;
  Zeros<float> zeros(blocks, c);
  float *part = zeros.p;
#pragma omp parallel for schedule(static)
  for (int64_t b = 0; b < blocks; b++)
    for (int64_t r = b * BLOCK; r < rows && r < (b + 1) * BLOCK; r++) dispatch<accumulate_run>(part + b * c, dy + r * c, c);
  for (int i = 0; i < c; i++) {
    double s = 0;
    for (int64_t b = 0; b < blocks; b++) s += part[b * c + i];
    db[i] = (float)s;
  }
}

char *rn_bias_grad(float *db, const float *dy, int64_t rows, int c) {
  return guarded([&] { bias_grad(db, dy, rows, c); });
}

void rn_max_pool(float *y, const float *x, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad) {
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < n; i++)
    for (int oy = 0; oy < oh; oy++)
      for (int ox = 0; ox < ow; ox++) {
        float *o = y + (((int64_t)i * oh + oy) * ow + ox) * c;
        for (int k = 0; k < c; k++) o[k] = -INFINITY;
        for (int yy = oy * stride - pad; yy < oy * stride - pad + kernel; yy++)
          for (int xx = ox * stride - pad; xx < ox * stride - pad + kernel; xx++)
            if (yy >= 0 && yy < h && xx >= 0 && xx < w) dispatch<max_run>(o, x + (((int64_t)i * h + yy) * w + xx) * c, c);
      }
}

static void max_pool_grad(float *dx, const float *dy, const float *x, const float *y, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad) {
  Zeros<float> zeros(n, c); // of each window's gradient, what is left until its maximum is met
  // Windows overlap: an image is one thread's.
#pragma omp parallel for schedule(static)
  for (int i = 0; i < n; i++) {
    memset(dx + (int64_t)i * h * w * c, 0, sizeof(float) * h * w * c);
    float *left = zeros.p + (int64_t)i * c;
    for (int oy = 0; oy < oh; oy++)
      for (int ox = 0; ox < ow; ox++)
        {
          int64_t o = (((int64_t)i * oh + oy) * ow + ox) * c;
          memcpy(left, dy + o, sizeof(float) * c);
          for (int q = 0; q < kernel * kernel; q++) {
            int yy = oy * stride - pad + q / kernel, xx = ox * stride - pad + q % kernel;
            if (yy < 0 || yy >= h || xx < 0 || xx >= w) continue;
            int64_t p = (((int64_t)i * h + yy) * w + xx) * c;
            dispatch<hand_run>(dx + p, left, x + p, y + o, c);
          }
        }
  }
}

char *rn_max_pool_grad(float *dx, const float *dy, const float *x, const float *y, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad) {
  return guarded([&] { max_pool_grad(dx, dy, x, y, n, h, w, c, oh, ow, kernel, stride, pad); });
}

void rn_upsample_add(float *y, const float *top, const float *lateral, int n, int h, int w, int th, int tw, int c) {
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < n; i++)
    for (int yy = 0; yy < h; yy++)
      for (int xx = 0; xx < w; xx++) {
        int64_t o = (((int64_t)i * h + yy) * w + xx) * c;
        int64_t t = (((int64_t)i * th + (int64_t)yy * th / h) * tw + (int64_t)xx * tw / w) * c;
        dispatch<add_run>(y + o, lateral + o, top + t, c, 0);
      }
}

void rn_upsample_grad(float *dtop, const float *dy, int n, int h, int w, int th, int tw, int c) {
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < n; i++)
    for (int ty = 0; ty < th; ty++) {
      float *row = dtop + ((int64_t)i * th + ty) * tw * c;
      memset(row, 0, sizeof(float) * tw * c);
      // The rows that read row ty: the least with floor(y*th/h) = ty, and on.
      for (int64_t yy = ((int64_t)ty * h + th - 1) / th; yy < h && yy * th / h == ty; yy++)
        for (int xx = 0; xx < w; xx++) dispatch<accumulate_run>(row + (int64_t)xx * tw / w * c, dy + (((int64_t)i * h + yy) * w + xx) * c, c);
    }
}

static double sum_squares(const float *x, int64_t n) {
  enum { BLOCK = 1 << 16 };
  int64_t blocks = (n + BLOCK - 1) / BLOCK;
  Zeros<double> zeros(blocks, 1);
  double *part = zeros.p, s = 0;
#pragma omp parallel for schedule(static) if (blocks > 1)
  for (int64_t b = 0; b < blocks; b++) part[b] = dispatch<squares_run>(x + b * BLOCK, n - b * BLOCK < BLOCK ? n - b * BLOCK : BLOCK);
  for (int64_t b = 0; b < blocks; b++) s += part[b];
  return s;
}

char *rn_sum_squares(const float *x, int64_t n, double *sum) {
  return guarded([&] { *sum = sum_squares(x, n); });
}

void rn_sgd(float *w, float *m, const float *g, int64_t n, float lr, float momentum, float decay, float scale, int nesterov) {
  spread(n, [=](int64_t i, int64_t to) { dispatch<sgd_run>(w + i, m + i, g + i, to - i, lr, momentum, decay, scale, nesterov); });
}

void rn_adam(float *w, float *m, float *v, const float *g, int64_t n, float step, float root, float beta1, float beta2, float eps, float decay, float shrink, float scale) {
  spread(n, [=](int64_t i, int64_t to) { dispatch<adam_run>(w + i, m + i, v + i, g + i, to - i, step, root, beta1, beta2, eps, decay, shrink, scale); });
}

void rn_lerp(float *w, const float *x, int64_t n, float t) {
  spread(n, [=](int64_t i, int64_t to) { dispatch<lerp_run>(w + i, x + i, to - i, t); });
}

} // extern "C"
