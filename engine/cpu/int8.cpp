// Convolutions of u8 activations N,H,W,C with s8 weights, summed in s32, and the layers between them on u8. A convolution
// is an implicit matrix product: for a group of output pixels, a table of addresses says where each tap's channels lie in
// the input, or in a row of zero points beyond its border, so that every stride, padding and size takes the same path.
#include "kernels.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

#include "guard.h"
#include "int8.h"

#include "dispatch.h" // last

static void plain_run(int32_t *acc, const uint8_t *const *rows, int taps, int steps, const int8_t *w, const int32_t *init, int vectors) {
  enum { PIXELS = 4 };
  int outs = vectors * VECTOR;
  for (int m = 0; m < PIXELS; m++) memcpy(acc + m * outs, init, sizeof(int32_t) * outs);
  for (int t = 0; t < taps; t++, rows += PIXELS)
    for (int s = 0; s < steps; s++, w += 4 * outs)
      for (int m = 0; m < PIXELS; m++)
        for (int k = 0; k < outs; k++)
          for (int i = 0; i < 4; i++) acc[m * outs + k] += rows[m][4 * s + i] * w[4 * k + i];
}

const Dot int8_plain = {"plain", [] { return 1; }, {0, 4, 4, 4, 4}, plain_run};

// The best first.
static const Dot *const dots[] = {&int8_avx512_vnni, &int8_avx_vnni, &int8_avx512, &int8_avx2, &int8_plain};
enum { DOTS = sizeof dots / sizeof *dots };

// A float is rounded to the nearest integer, ties to even, by adding 1.5 * 2^23: its last bits are then the integer. Right
// below 2^22, and a plain loop of it becomes vector instructions.
static inline int32_t nearest(float v) {
  float shifted = v + 12582912.f;
  int32_t bits;
  memcpy(&bits, &shifted, 4);
  return bits - 0x4b400000;
}

static inline float clamp(float v, float lo, float hi) {
  v = v < lo ? lo : v;
  return v > hi ? hi : v;
}

// finish_run turns the sums of n outputs of one pixel into their values: in units of y, and rounded where y is u8. Products
// and sums are fused, so that each is rounded once on every processor.
INTO void finish_run(uint8_t *__restrict y, float *__restrict yf, const int32_t *__restrict acc, const float *__restrict scale, const float *__restrict bias,
                              const uint8_t *__restrict res, int n, const rn_int8_output *o) {
  float slope = o->slope, lo = o->lo, hi = o->hi, rs = o->res_scale;
  int zero = o->zero;
  if (yf) {
    for (int i = 0; i < n; i++) {
      float v = __builtin_fmaf((float)acc[i], scale[i], bias[i]);
      if (res) v = __builtin_fmaf((float)res[i], rs, v);
      v = v < 0 ? slope * v : v;
      yf[i] = clamp(v, lo, hi);
    }
    return;
  }
  for (int i = 0; i < n; i++) {
    float v = __builtin_fmaf((float)acc[i], scale[i], bias[i]);
    if (res) v = __builtin_fmaf((float)res[i], rs, v);
    v = v < 0 ? slope * v : v;
    y[i] = (uint8_t)(nearest(clamp(v, lo, hi)) + zero);
  }
}

INTO void depthwise_run(int32_t *__restrict acc, const uint8_t *__restrict x, const int8_t *__restrict w, int n) {
  for (int i = 0; i < n; i++) acc[i] += x[i] * w[i];
}

INTO void quantize_run(uint8_t *__restrict y, const float *__restrict x, int64_t n, float inverse, int zero) {
  float lo = (float)-zero, hi = (float)(255 - zero);
  for (int64_t i = 0; i < n; i++) y[i] = (uint8_t)(nearest(clamp(x[i] * inverse, lo, hi)) + zero);
}

INTO void dequantize_run(float *__restrict y, const uint8_t *__restrict x, int64_t n, float scale, int zero) {
  for (int64_t i = 0; i < n; i++) y[i] = scale * (float)(x[i] - zero);
}

INTO void max_u8_run(uint8_t *__restrict y, const uint8_t *__restrict x, int n) {
  for (int i = 0; i < n; i++) y[i] = x[i] > y[i] ? x[i] : y[i];
}

INTO void add_u8_run(uint8_t *__restrict y, const uint8_t *__restrict a, const uint8_t *__restrict b, int n, float sa, float sb, float offset) {
  for (int i = 0; i < n; i++) {
    float v = __builtin_fmaf((float)a[i], sa, __builtin_fmaf((float)b[i], sb, offset));
    y[i] = (uint8_t)nearest(clamp(v, 0, 255));
  }
}

// spread calls f(from, to) on equal runs of [0, n), one per thread, at multiples of 64.
template <class F> static void spread(int64_t n, F f) {
#pragma omp parallel if (n >= 1 << 14)
  {
    int64_t t = omp_get_thread_num(), of = omp_get_num_threads(), per = (n / of + 63) / 64 * 64;
    int64_t from = t * per < n ? t * per : n, to = t == of - 1 ? n : (from + per < n ? from + per : n);
    if (from < to) f(from, to);
  }
}

namespace {

// Place is where the window of an output pixel begins.
struct Place {
  const uint8_t *image;
  int y, x;
};

// Places walks over the windows of output pixels, from one to the end.
struct Places {
  const rn_conv *s;
  const uint8_t *x;
  int64_t left; // pixels
  int ox, oy, image;
  Places(const rn_conv *s, const uint8_t *x, int64_t from, int64_t to)
      : s(s), x(x), left(to - from), ox((int)(from % s->ow)), oy((int)(from / s->ow % s->oh)), image((int)(from / s->ow / s->oh)) {}
  // next returns the present window and goes on, but from the last one.
  Place next() {
    Place p = {x + (int64_t)image * s->h * s->w * s->c, oy * s->stride - s->pad, ox * s->stride - s->pad};
    if (--left > 0 && ++ox == s->ow) {
      ox = 0;
      if (++oy == s->oh) oy = 0, image++;
    }
    return p;
  }
};

} // namespace

// channels is where tap (i, j) of a window has its channels: in the image or, beyond it, in border.
static inline const uint8_t *channels(const rn_conv *s, const Place &p, int i, int j, const uint8_t *border) {
  int y = p.y + i, x = p.x + j;
  if (y < 0 || y >= s->h || x < 0 || x >= s->w) return border;
  return p.image + ((int64_t)y * s->w + x) * s->c;
}

static int ceil_div(int a, int b) { return (a + b - 1) / b; }

static bool depthwise(const rn_conv *s) { return s->groups > 1 && s->c == s->groups && s->k == s->groups; }

// per_thread is the distance of the scratch space of two threads: n values, and a cache line between neighbours.
static size_t per_thread(size_t n, size_t bytes) { return n + 64 / bytes; }

// packed_group is the bytes of one group's packed weights.
static int64_t packed_group(const rn_conv *s) {
  return (int64_t)s->r * s->s * ceil_div(s->c / s->groups, 4) * 4 * ceil_div(s->k / s->groups, VECTOR) * VECTOR;
}

extern "C" {

const char *rn_int8_path(int i) { return i < DOTS ? dots[i]->name : nullptr; }

int rn_int8_available(int i) { return dots[i]->available(); }

// Packed weights are [groups][blocks of up to 64 outputs][taps][steps of 4 channels][outputs][4], filled up with zeros;
// those of a depthwise convolution [taps][channels].
int64_t rn_int8_packed(const rn_conv *s) { return depthwise(s) ? (int64_t)s->r * s->s * s->c : s->groups * packed_group(s); }

void rn_int8_pack(int8_t *packed, const int8_t *w, const rn_conv *s) {
  int taps = s->r * s->s, cg = s->c / s->groups, kg = s->k / s->groups, steps = ceil_div(cg, 4);
  if (depthwise(s)) {
    for (int c = 0; c < s->c; c++)
      for (int t = 0; t < taps; t++) packed[t * s->c + c] = w[c * taps + t];
    return;
  }
  for (int g = 0; g < s->groups; g++) {
    int8_t *to = packed + g * packed_group(s);
    for (int k0 = 0, left = ceil_div(kg, VECTOR); left > 0; left -= MOST_VECTORS, k0 += MOST_VECTORS * VECTOR) {
      int outs = (left < MOST_VECTORS ? left : MOST_VECTORS) * VECTOR;
      for (int t = 0; t < taps; t++)
        for (int c = 0; c < 4 * steps; c += 4)
          for (int k = k0; k < k0 + outs; k++)
            for (int i = c; i < c + 4; i++) *to++ = k < kg && i < cg ? w[((int64_t)(g * kg + k) * cg + i) * taps + t] : 0;
    }
  }
}

static void conv_depthwise(const rn_conv *s, const rn_int8_output *o, uint8_t *y, float *yf, const uint8_t *x, const uint8_t *border, const int8_t *w, const int32_t *init,
                           const float *scale, const float *bias, const uint8_t *res) {
  int64_t pixels = (int64_t)s->n * s->oh * s->ow;
  // An exception must not leave a parallel region: memory for all threads is taken before it.
  size_t apart = per_thread(s->k, sizeof(int32_t));
  std::vector<int32_t> sums(apart * omp_get_max_threads());
#pragma omp parallel
  {
    int32_t *acc = sums.data() + apart * omp_get_thread_num();
    int64_t t = omp_get_thread_num(), of = omp_get_num_threads(), from = pixels * t / of, to = pixels * (t + 1) / of;
    Places places(s, x, from, to);
    for (int64_t at = from * s->k; at < to * s->k; at += s->k) {
      Place p = places.next();
      memcpy(acc, init, sizeof(int32_t) * s->k);
      for (int i = 0; i < s->r; i++)
        for (int j = 0; j < s->s; j++) dispatch<depthwise_run>(acc, channels(s, p, i, j, border), w + (i * s->s + j) * s->c, s->c);
      dispatch<finish_run>(y ? y + at : nullptr, yf ? yf + at : nullptr, acc, scale, bias, res ? res + at : nullptr, s->k, o);
    }
  }
}

static void conv(int path, const rn_conv *s, const rn_int8_output *o, uint8_t *y, float *yf, const uint8_t *x, int x_zero, const int8_t *packed, const int32_t *init,
                 const float *scale, const float *bias, const uint8_t *res) {
  std::vector<uint8_t> border((size_t)s->c + 4, (uint8_t)x_zero);
  if (depthwise(s)) return conv_depthwise(s, o, y, yf, x, border.data(), packed, init, scale, bias, res);
  const Dot *dot = dots[path];
  int taps = s->r * s->s, cg = s->c / s->groups, kg = s->k / s->groups, steps = ceil_div(cg, 4);
  int blocks = ceil_div(kg, VECTOR * MOST_VECTORS);
  int64_t pixels = (int64_t)s->n * s->oh * s->ow, group = packed_group(s);
  // A task is one block of outputs of a run of pixels. Weights that fit the L2 cache with room to spare stay there while
  // all blocks of a run are computed; of others, one block's stay while all runs are.
  enum { RUN = 96, FIT = 256 << 10 };
  int64_t runs = (pixels + RUN - 1) / RUN;
  bool all = s->groups * group <= FIT;
  size_t apart = per_thread((size_t)taps * MOST_PIXELS, sizeof(uint8_t *));
  std::vector<const uint8_t *> table(apart * omp_get_max_threads());
#pragma omp parallel
  {
    const uint8_t **rows = table.data() + apart * omp_get_thread_num();
    int32_t acc[MOST_PIXELS * VECTOR * MOST_VECTORS], first[VECTOR * MOST_VECTORS];
#pragma omp for schedule(static)
    for (int64_t task = 0; task < s->groups * blocks * runs; task++) {
      int64_t block = all ? task % (s->groups * blocks) : task / runs, run = all ? task / (s->groups * blocks) : task % runs;
      int g = (int)(block / blocks), k0 = (int)(block % blocks) * VECTOR * MOST_VECTORS;
      int outs = kg - k0 < VECTOR * MOST_VECTORS ? kg - k0 : VECTOR * MOST_VECTORS, vectors = ceil_div(outs, VECTOR), step = dot->pixels[vectors];
      const int8_t *w = packed + g * group + (int64_t)taps * steps * 4 * k0;
      int64_t begin = run * RUN, end = begin + RUN < pixels ? begin + RUN : pixels;
      int out = g * kg + k0;
      memset(first, 0, sizeof first);
      memcpy(first, init + out, sizeof(int32_t) * outs);
      Places places(s, x + g * cg, begin, end);
      for (int64_t p = begin; p < end; p += step) {
        Place at[MOST_PIXELS]; // where the run ends within a group, its last pixel again and again
        for (int m = 0; m < step; m++) at[m] = places.next();
        const uint8_t **to = rows;
        for (int i = 0; i < s->r; i++)
          for (int j = 0; j < s->s; j++)
            for (int m = 0; m < step; m++) *to++ = channels(s, at[m], i, j, border.data());
        dot->run(acc, rows, taps, steps, w, first, vectors);
        for (int m = 0; m < step && p + m < end; m++) {
          int64_t to = (p + m) * s->k + out;
          dispatch<finish_run>(y ? y + to : nullptr, yf ? yf + to : nullptr, acc + m * vectors * VECTOR, scale + out, bias + out, res ? res + to : nullptr, outs, o);
        }
      }
    }
  }
}

char *rn_int8_conv(int path, const rn_conv *s, const rn_int8_output *o, uint8_t *y, float *yf, const uint8_t *x, int x_zero, const int8_t *packed, const int32_t *init,
                   const float *scale, const float *bias, const uint8_t *res) {
  return guarded([&] { conv(path, s, o, y, yf, x, x_zero, packed, init, scale, bias, res); });
}

void rn_int8_quantize(uint8_t *y, const float *x, int64_t n, float inverse, int zero) {
  spread(n, [=](int64_t i, int64_t to) { dispatch<quantize_run>(y + i, x + i, to - i, inverse, zero); });
}

void rn_int8_dequantize(float *y, const uint8_t *x, int64_t n, float scale, int zero) {
  spread(n, [=](int64_t i, int64_t to) { dispatch<dequantize_run>(y + i, x + i, to - i, scale, zero); });
}

void rn_int8_lookup(uint8_t *y, const uint8_t *x, int64_t n, const uint8_t *table) {
  spread(n, [=](int64_t i, int64_t to) {
    for (; i < to; i++) y[i] = table[x[i]];
  });
}

void rn_int8_max_pool(uint8_t *y, const uint8_t *x, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad) {
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < n; i++)
    for (int oy = 0; oy < oh; oy++)
      for (int ox = 0; ox < ow; ox++) {
        uint8_t *o = y + (((int64_t)i * oh + oy) * ow + ox) * c;
        memset(o, 0, c);
        for (int yy = oy * stride - pad; yy < oy * stride - pad + kernel; yy++)
          for (int xx = ox * stride - pad; xx < ox * stride - pad + kernel; xx++)
            if (yy >= 0 && yy < h && xx >= 0 && xx < w) dispatch<max_u8_run>(o, x + (((int64_t)i * h + yy) * w + xx) * c, c);
      }
}

void rn_int8_upsample_add(uint8_t *y, const uint8_t *top, const uint8_t *lateral, int n, int h, int w, int th, int tw, int c, float top_scale, float lateral_scale, float offset) {
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < n; i++)
    for (int yy = 0; yy < h; yy++)
      for (int xx = 0; xx < w; xx++) {
        int64_t o = (((int64_t)i * h + yy) * w + xx) * c;
        int64_t t = (((int64_t)i * th + (int64_t)yy * th / h) * tw + (int64_t)xx * tw / w) * c;
        dispatch<add_u8_run>(y + o, top + t, lateral + o, c, top_scale, lateral_scale, offset);
      }
}

} // extern "C"
