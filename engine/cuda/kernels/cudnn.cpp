//go:build gpu && linux && amd64

// The functions of cuDNN that the engine calls, by plain loops: tensors N,H,W,C, filters K,R,S,C, float32, cross-correlation.
#include "host.h"
#include "memory.h"

#include <string.h>

#include <vector>

using host::enqueue;

namespace {

enum Status { OK = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000 };

struct Four { // a tensor's or filter's shape
  int n, c, h, w;
  bool ok;
  size_t size() const { return (size_t)n * c * h * w; }
};
struct Conv {
  int pad, stride, groups;
};
struct Activation {
  int mode;
};
struct Perf {
  int algorithm, status;
  float time;
  size_t memory;
  int determinism, math, reserved[3];
};

const size_t WORKSPACE = 512;

template <class T> int create(T **p) { return *p = new T(), OK; }
template <class T> int destroy(T *p) { return delete p, OK; }

int tensor(Four *d, int format, int type, int n, int c, int h, int w) {
  *d = {n, c, h, w, true};
  return format == 1 && type == 0 ? OK : NOT_SUPPORTED;
}
int filter(Four *d, int type, int format, int k, int c, int r, int s) { return tensor(d, format, type, k, c, r, s); }
int convolution(Conv *d, int ph, int pw, int u, int v, int dh, int dw, int mode, int type) {
  d->pad = ph;
  d->stride = u;
  d->groups = 1;
  return ph == pw && u == v && dh == 1 && dw == 1 && mode == 1 && type == 0 ? OK : NOT_SUPPORTED;
}
int math; // the last that was asked for
int math_type(Conv *, int m) { return math = m, OK; }
int group_count(Conv *d, int n) { return d->groups = n, OK; }
int activation(Activation *d, int mode, int, double) { return d->mode = mode, OK; }

bool fits(const Four *x, const Four *w, const Conv *d, const Four *y) {
  return x->n == y->n && x->c == w->c * d->groups && y->c == w->n && y->h == (x->h + 2 * d->pad - w->h) / d->stride + 1 &&
         y->w == (x->w + 2 * d->pad - w->w) / d->stride + 1;
}

int choose(int *returned, Perf *p) {
  // The first is one that does not run here.
  p[0] = {7, NOT_SUPPORTED, -1, 0, 0, 0, {}};
  p[1] = {1, OK, 1, WORKSPACE, 1, 0, {}};
  *returned = 2;
  return OK;
}
int choose_forward(void *, Four *x, Four *w, Conv *d, Four *y, int n, int *returned, Perf *p) { return n < 2 || !fits(x, w, d, y) ? BAD_PARAM : choose(returned, p); }
int choose_data(void *, Four *w, Four *dy, Conv *d, Four *dx, int n, int *returned, Perf *p) { return n < 2 || !fits(dx, w, d, dy) ? BAD_PARAM : choose(returned, p); }
int choose_filter(void *, Four *x, Four *dy, Conv *d, Four *dw, int n, int *returned, Perf *p) { return n < 2 || !fits(x, dw, d, dy) ? BAD_PARAM : choose(returned, p); }

// each calls f(output pixel, input pixel, filter tap) with the offsets of their first channels.
template <class F> void each(const Four &x, const Four &w, const Conv &d, const Four &y, F f) {
  for (int n = 0; n < y.n; n++)
    for (int i = 0; i < y.h; i++)
      for (int j = 0; j < y.w; j++)
        for (int r = 0; r < w.h; r++)
          for (int s = 0; s < w.w; s++) {
            int yy = i * d.stride + r - d.pad, xx = j * d.stride + s - d.pad;
            if (yy < 0 || yy >= x.h || xx < 0 || xx >= x.w) continue;
            f((((size_t)n * y.h + i) * y.w + j) * y.c, (((size_t)n * x.h + yy) * x.w + xx) * x.c, ((size_t)r * w.w + s) * w.c);
          }
}

void correlate(float *out, const float *in, const float *weights, const Four &x, const Four &w, const Conv &d, const Four &y) {
  memset(out, 0, y.size() * sizeof(float));
  size_t per = (size_t)w.h * w.w * w.c;
  int each_group = w.n / d.groups;
  each(x, w, d, y, [&](size_t o, size_t i, size_t tap) {
    for (int k = 0; k < w.n; k++) {
      const float *a = in + i + k / each_group * w.c, *b = weights + k * per + tap;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int c = 0; c < w.c; c++) sum += a[c] * b[c];
      out[o + k] += sum;
    }
  });
}

bool memory(const void *p, size_t floats) { return host::owns((uint64_t)p, floats * sizeof(float)); }

// The place of a device address.
template <class T> T *seen(T *p) { return (T *)host::seen((uint64_t)p); }

int forward(void *, const float *alpha, Four *xd, const float *x, Four *wd, const float *w, Conv *d, int algorithm, void *space, size_t bytes, const float *beta, Four *yd, float *y) {
  if (algorithm != 1 || bytes < WORKSPACE || *alpha != 1 || *beta != 0 || !fits(xd, wd, d, yd)) return BAD_PARAM;
  if (!memory(x, xd->size()) || !memory(w, wd->size()) || !memory(y, yd->size()) || !host::owns((uint64_t)space, bytes)) return BAD_PARAM;
  Four xs = *xd, ws = *wd, ys = *yd;
  Conv c = *d;
  y = seen(y), x = seen(x), w = seen(w), space = seen(space);
  enqueue([=] {
    memset(space, 0xff, bytes);
    correlate(y, x, w, xs, ws, c, ys);
  });
  return OK;
}

int fused(void *h, const float *alpha, Four *xd, const float *x, Four *wd, const float *w, Conv *d, int algorithm, void *space, size_t bytes, const float *alpha2, Four *zd, const float *z, Four *bd, const float *bias, Activation *a, Four *yd, float *y) {
  float zero = 0;
  int r = forward(h, alpha, xd, x, wd, w, d, algorithm, space, bytes, &zero, yd, y);
  if (r) return r;
  if (!memory(bias, bd->size()) || bd->c != yd->c || zd->size() != yd->size() || !memory(z, zd->size())) return BAD_PARAM;
  size_t n = yd->size();
  int channels = yd->c, mode = a->mode;
  float add = *alpha2;
  if (mode != 1 && mode != 5) return NOT_SUPPORTED;
  y = seen(y), z = seen(z), bias = seen(bias);
  enqueue([=] {
    for (size_t i = 0; i < n; i++) {
      float v = y[i] + bias[i % channels] + (add ? add * z[i] : 0);
      y[i] = mode == 1 && v <= 0 ? 0 : v;
    }
  });
  return OK;
}

int backward_data(void *, const float *alpha, Four *wd, const float *w, Four *dyd, const float *dy, Conv *d, int algorithm, void *space, size_t bytes, const float *beta, Four *dxd, float *dx) {
  if (algorithm != 1 || bytes < WORKSPACE || *alpha != 1 || *beta != 0 || !fits(dxd, wd, d, dyd)) return BAD_PARAM;
  if (!memory(dx, dxd->size()) || !memory(w, wd->size()) || !memory(dy, dyd->size()) || !host::owns((uint64_t)space, bytes)) return BAD_PARAM;
  Four xs = *dxd, ws = *wd, ys = *dyd;
  Conv c = *d;
  dx = seen(dx), dy = seen(dy), w = seen(w), space = seen(space);
  enqueue([=] {
    memset(space, 0xff, bytes);
    memset(dx, 0, xs.size() * sizeof(float));
    size_t per = (size_t)ws.h * ws.w * ws.c;
    each(xs, ws, c, ys, [&](size_t o, size_t i, size_t tap) {
      for (int k = 0; k < ws.n; k++) {
        float g = dy[o + k], *to = dx + i + k / (ws.n / c.groups) * ws.c;
        const float *b = w + k * per + tap;
        for (int q = 0; q < ws.c; q++) to[q] += g * b[q];
      }
    });
  });
  return OK;
}

int backward_filter(void *, const float *alpha, Four *xd, const float *x, Four *dyd, const float *dy, Conv *d, int algorithm, void *space, size_t bytes, const float *beta, Four *dwd, float *dw) {
  if (algorithm != 1 || bytes < WORKSPACE || *alpha != 1 || *beta != 0 || !fits(xd, dwd, d, dyd)) return BAD_PARAM;
  if (!memory(x, xd->size()) || !memory(dw, dwd->size()) || !memory(dy, dyd->size()) || !host::owns((uint64_t)space, bytes)) return BAD_PARAM;
  Four xs = *xd, ws = *dwd, ys = *dyd;
  Conv c = *d;
  dw = seen(dw), dy = seen(dy), x = seen(x), space = seen(space);
  enqueue([=] {
    memset(space, 0xff, bytes);
    memset(dw, 0, ws.size() * sizeof(float));
    size_t per = (size_t)ws.h * ws.w * ws.c;
    each(xs, ws, c, ys, [&](size_t o, size_t i, size_t tap) {
      for (int k = 0; k < ws.n; k++) {
        float g = dy[o + k], *to = dw + k * per + tap;
        const float *a = x + i + k / (ws.n / c.groups) * ws.c;
        for (int q = 0; q < ws.c; q++) to[q] += g * a[q];
      }
    });
  });
  return OK;
}

struct Handle {};
int set_stream(Handle *, void *) { return OK; }
size_t version() { return 90000; }
const char *message(int r) { return r == BAD_PARAM ? "BAD_PARAM" : "NOT_SUPPORTED"; }

} // namespace

extern "C" void *retinago_host_cudnn(void *, const char *name) {
  static const struct {
    const char *name;
    void *f;
  } functions[] = {{"cudnnGetVersion", (void *)version}, {"cudnnGetErrorString", (void *)message}, {"cudnnCreate", (void *)create<Handle>},
                   {"cudnnDestroy", (void *)destroy<Handle>}, {"cudnnSetStream", (void *)set_stream},
                   {"cudnnCreateTensorDescriptor", (void *)create<Four>}, {"cudnnDestroyTensorDescriptor", (void *)destroy<Four>},
                   {"cudnnSetTensor4dDescriptor", (void *)tensor}, {"cudnnCreateFilterDescriptor", (void *)create<Four>},
                   {"cudnnDestroyFilterDescriptor", (void *)destroy<Four>}, {"cudnnSetFilter4dDescriptor", (void *)filter},
                   {"cudnnCreateConvolutionDescriptor", (void *)create<Conv>}, {"cudnnDestroyConvolutionDescriptor", (void *)destroy<Conv>},
                   {"cudnnSetConvolution2dDescriptor", (void *)convolution}, {"cudnnSetConvolutionMathType", (void *)math_type},
                   {"cudnnSetConvolutionGroupCount", (void *)group_count}, {"cudnnCreateActivationDescriptor", (void *)create<Activation>},
                   {"cudnnDestroyActivationDescriptor", (void *)destroy<Activation>}, {"cudnnSetActivationDescriptor", (void *)activation},
                   {"cudnnGetConvolutionForwardAlgorithm_v7", (void *)choose_forward},
                   {"cudnnGetConvolutionBackwardDataAlgorithm_v7", (void *)choose_data},
                   {"cudnnGetConvolutionBackwardFilterAlgorithm_v7", (void *)choose_filter}, {"cudnnConvolutionForward", (void *)forward},
                   {"cudnnConvolutionBiasActivationForward", (void *)fused}, {"cudnnConvolutionBackwardData", (void *)backward_data},
                   {"cudnnConvolutionBackwardFilter", (void *)backward_filter}};
  for (auto &f : functions)
    if (!strcmp(f.name, name)) return f.f;
  return NULL;
}

extern "C" int retinago_host_math(void) { return math; }
