//go:build gpu && linux && amd64

// The functions of cuDNN that the engine calls, by plain loops: tensors N,H,W,C, filters K,R,S,C, cross-correlation in float32 of data in
// float32, bf16 or fp16.
#include "host.h"
#include "memory.h"
#include "stream.h"
#include "values.h"

#include <string.h>

using host::enqueue, host::Values;

namespace {

enum Status { OK = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000 };

struct Four { // a tensor's or filter's shape
  int n, c, h, w;
  host::Form form;
  size_t size() const { return (size_t)n * c * h * w; }
  size_t bytes() const { return size() * host::width(form); }
  Values read(const void *p) const { return host::read(p, form, size()); }
  void write(void *p, const Values &v) const { host::write(p, form, v); }
};
struct Conv {
  int pad, stride, groups, math;
};
struct Activation {
  int mode;
};
struct Handle {
  CUstream stream;
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
  *d = {n, c, h, w, type == 0 ? host::IS_FLOAT : type == 2 ? host::IS_FP16 : host::IS_BF16};
  return format == 1 && (type == 0 || type == 2 || type == 9) ? OK : NOT_SUPPORTED;
}
int filter(Four *d, int type, int format, int k, int c, int r, int s) { return tensor(d, format, type, k, c, r, s); }
int convolution(Conv *d, int ph, int pw, int u, int v, int dh, int dw, int mode, int type) {
  d->pad = ph;
  d->stride = u;
  d->groups = 1;
  return ph == pw && u == v && dh == 1 && dw == 1 && mode == 1 && type == 0 ? OK : NOT_SUPPORTED;
}
int math; // the last that was asked for
int math_type(Conv *d, int m) { return math = d->math = m, OK; }
int group_count(Conv *d, int n) { return d->groups = n, OK; }
int activation(Activation *d, int mode, int, double) { return d->mode = mode, OK; }

bool fits(const Four *x, const Four *w, const Conv *d, const Four *y) {
  return x->form == y->form && w->form == y->form && x->n == y->n && x->c == w->c * d->groups && y->c == w->n && y->h == (x->h + 2 * d->pad - w->h) / d->stride + 1 &&
         y->w == (x->w + 2 * d->pad - w->w) / d->stride + 1;
}

int choose(const Conv *d, int *returned, Perf *p) {
  // The first is one that does not run here.
  p[0] = {7, NOT_SUPPORTED, -1, 0, 0, 0, {}};
  p[1] = {1, OK, 1, WORKSPACE, 1, d->math, {}};
  *returned = 2;
  return OK;
}
int choose_forward(void *, Four *x, Four *w, Conv *d, Four *y, int n, int *returned, Perf *p) { return n < 2 || !fits(x, w, d, y) ? BAD_PARAM : choose(d, returned, p); }
int choose_data(void *, Four *w, Four *dy, Conv *d, Four *dx, int n, int *returned, Perf *p) { return n < 2 || !fits(dx, w, d, dy) ? BAD_PARAM : choose(d, returned, p); }
int choose_filter(void *, Four *x, Four *dy, Conv *d, Four *dw, int n, int *returned, Perf *p) { return n < 2 || !fits(x, dw, d, dy) ? BAD_PARAM : choose(d, returned, p); }

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

Values correlate(const Values &in, const Values &weights, const Four &x, const Four &w, const Conv &d, const Four &y) {
  Values out(y.size());
  size_t per = (size_t)w.h * w.w * w.c;
  int each_group = w.n / d.groups;
  each(x, w, d, y, [&](size_t o, size_t i, size_t tap) {
    for (int k = 0; k < w.n; k++) {
      const float *a = &in[i + k / each_group * w.c], *b = &weights[k * per + tap];
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int c = 0; c < w.c; c++) sum += a[c] * b[c];
      out[o + k] += sum;
    }
  });
  return out;
}

bool memory(const void *p, const Four *d) { return host::owns((uint64_t)p, d->bytes()); }

// The place of a device address.
template <class T> T *seen(T *p) { return (T *)host::seen((uint64_t)p); }

// called checks what every convolution must be called with.
bool called(const float *alpha, const Four *xd, const void *x, const Four *wd, const void *w, const Conv *d, const Four *yd, const void *y, int algorithm, const void *space, size_t bytes, const float *beta) {
  return algorithm == 1 && bytes >= WORKSPACE && *alpha == 1 && *beta == 0 && fits(xd, wd, d, yd) && memory(x, xd) && memory(w, wd) && memory(y, yd) &&
         host::owns((uint64_t)space, bytes);
}

int forward(Handle *h, const float *alpha, Four *xd, const void *x, Four *wd, const void *w, Conv *d, int algorithm, void *space, size_t bytes, const float *beta, Four *yd, void *y) {
  if (!called(alpha, xd, x, wd, w, d, yd, y, algorithm, space, bytes, beta)) return BAD_PARAM;
  Four xs = *xd, ws = *wd, ys = *yd;
  Conv c = *d;
  y = seen(y), x = seen(x), w = seen(w), space = seen(space);
  enqueue(h->stream, [=] {
    memset(space, 0xff, bytes);
    ys.write(y, correlate(xs.read(x), ws.read(w), xs, ws, c, ys));
  });
  return OK;
}

int fused(Handle *h, const float *alpha, Four *xd, const void *x, Four *wd, const void *w, Conv *d, int algorithm, void *space, size_t bytes, const float *alpha2, Four *zd, const void *z, Four *bd, const void *bias, Activation *a, Four *yd, void *y) {
  float zero = 0;
  if (!called(alpha, xd, x, wd, w, d, yd, y, algorithm, space, bytes, &zero)) return BAD_PARAM;
  if (!memory(bias, bd) || bd->size() != (size_t)yd->c || bd->form != yd->form || zd->size() != yd->size() || zd->form != yd->form || !memory(z, zd)) return BAD_PARAM;
  int mode = a->mode;
  if (mode != 1 && mode != 5) return NOT_SUPPORTED;
  Four xs = *xd, ws = *wd, ys = *yd, bs = *bd;
  Conv c = *d;
  float add = *alpha2;
  y = seen(y), x = seen(x), w = seen(w), space = seen(space), z = seen(z), bias = seen(bias);
  enqueue(h->stream, [=] {
    memset(space, 0xff, bytes);
    Values out = correlate(xs.read(x), ws.read(w), xs, ws, c, ys), b = bs.read(bias), r = add ? ys.read(z) : Values(ys.size());
    for (size_t i = 0; i < out.size(); i++) {
      float v = out[i] + b[i % ys.c] + (add ? add * r[i] : 0);
      out[i] = mode == 1 && v <= 0 ? 0 : v;
    }
    ys.write(y, out);
  });
  return OK;
}

int backward_data(Handle *h, const float *alpha, Four *wd, const void *w, Four *dyd, const void *dy, Conv *d, int algorithm, void *space, size_t bytes, const float *beta, Four *dxd, void *dx) {
  if (!called(alpha, dxd, dx, wd, w, d, dyd, dy, algorithm, space, bytes, beta)) return BAD_PARAM;
  Four xs = *dxd, ws = *wd, ys = *dyd;
  Conv c = *d;
  dx = seen(dx), dy = seen(dy), w = seen(w), space = seen(space);
  enqueue(h->stream, [=] {
    memset(space, 0xff, bytes);
    Values out(xs.size()), up = ys.read(dy), filters = ws.read(w);
    size_t per = (size_t)ws.h * ws.w * ws.c;
    each(xs, ws, c, ys, [&](size_t o, size_t i, size_t tap) {
      for (int k = 0; k < ws.n; k++) {
        float g = up[o + k], *to = &out[i + k / (ws.n / c.groups) * ws.c];
        const float *b = &filters[k * per + tap];
        for (int q = 0; q < ws.c; q++) to[q] += g * b[q];
      }
    });
    xs.write(dx, out);
  });
  return OK;
}

int backward_filter(Handle *h, const float *alpha, Four *xd, const void *x, Four *dyd, const void *dy, Conv *d, int algorithm, void *space, size_t bytes, const float *beta, Four *dwd, void *dw) {
  if (!called(alpha, xd, x, dwd, dw, d, dyd, dy, algorithm, space, bytes, beta)) return BAD_PARAM;
  Four xs = *xd, ws = *dwd, ys = *dyd;
  Conv c = *d;
  dw = seen(dw), dy = seen(dy), x = seen(x), space = seen(space);
  enqueue(h->stream, [=] {
    memset(space, 0xff, bytes);
    Values out(ws.size()), up = ys.read(dy), in = xs.read(x);
    size_t per = (size_t)ws.h * ws.w * ws.c;
    each(xs, ws, c, ys, [&](size_t o, size_t i, size_t tap) {
      for (int k = 0; k < ws.n; k++) {
        float g = up[o + k], *to = &out[k * per + tap];
        const float *a = &in[i + k / (ws.n / c.groups) * ws.c];
        for (int q = 0; q < ws.c; q++) to[q] += g * a[q];
      }
    });
    ws.write(dw, out);
  });
  return OK;
}

int set_stream(Handle *h, CUstream s) { return h->stream = s, OK; }
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
