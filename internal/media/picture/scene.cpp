// Comparisons in loops become vectors only where they need not report NaNs.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

#include "scene.h"

#include <algorithm>
#include <cstring>

#include "clones.h"

#define FORMULA static inline
#include "../../../engine/formula/exp.h"
#include "../../../engine/formula/colour.h"

namespace {

// One pixel and a float more, anywhere in memory.
typedef float pixel __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t ints __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

inline pixel load(const float *p) { return *reinterpret_cast<const pixel *>(p); }
inline void store(float *p, pixel v) { *reinterpret_cast<pixel *>(p) = v; }

// The pixel at p and the one to its right; 8 bytes are read.
struct two {
  pixel left, right;
  explicit two(const uint8_t *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    const bytes b = (bytes)words{w, 0};
    left = __builtin_convertvector((ints)__builtin_shufflevector(b, b, 0, 15, 15, 15, 1, 15, 15, 15, 2, 15, 15, 15, 15, 15, 15, 15), pixel);
    right = __builtin_convertvector((ints)__builtin_shufflevector(b, b, 3, 15, 15, 15, 4, 15, 15, 15, 5, 15, 15, 15, 15, 15, 15, 15), pixel);
  }
};

inline pixel triple(const float *v) { return pixel{v[0], v[1], v[2], 0}; }

// A pixel is stored as four floats, the fourth of which belongs to the next pixel. So a function stores the last of n pixels as three
// floats, unless the pixels after it are written afterwards.

// blend writes a + t*(b-a).
CLONES void blend(float *__restrict row, const uint8_t *__restrict a, const uint8_t *__restrict b, float t, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const float p = a[i], q = b[i];
    row[i] = p + t * (q - p);
  }
}

// across scales one row sideways.
CLONES void across(float *__restrict dst, const float *__restrict row, const rn_tap *__restrict xs, int64_t n, const float *scale, const float *shift) {
  const pixel m = triple(scale), s = triple(shift);
  for (int64_t x = 0; x < n - 1; x++) {
    const pixel p = load(row + xs[x].a), q = load(row + xs[x].b);
    store(dst + 3 * x, (p + xs[x].t * (q - p)) * m + s);
  }
  const rn_tap &x = xs[n - 1];
  for (int c = 0; c < 3; c++) {
    const float p = row[x.a + c], q = row[x.b + c];
    dst[3 * (n - 1) + c] = (p + x.t * (q - p)) * scale[c] + shift[c];
  }
}

// A position along one side of an image, in 2^-32 px from the centre of the first pixel, and its step from pixel to pixel of a row.
struct walk {
  int64_t at, step;
  walk plus(int64_t n) const { return {at + n * step, step}; }
};

const int64_t one = int64_t(1) << 32;

inline float fraction(int64_t at) { return (float)(int32_t)((uint32_t)at >> 8) * (1.f / (1 << 24)); }

// inner samples pixels that have four neighbours, and one more to the right. After the last it stores one float more.
CLONES void inner(float *__restrict dst, const uint8_t *__restrict pix, int64_t w, walk x, walk y, int64_t n, const float *scale, const float *shift) {
  const pixel m = triple(scale), s = triple(shift);
  for (int64_t i = 0; i < n; i++) {
    const uint8_t *at = pix + 3 * ((y.at >> 32) * w + (x.at >> 32));
    const two a(at), b(at + 3 * w);
    const float right = fraction(x.at), down = fraction(y.at);
    const pixel p = a.left + down * (b.left - a.left), q = a.right + down * (b.right - a.right), v = (p + right * (q - p)) * m + s;
    store(dst + 3 * i, v);
    x.at += x.step;
    y.at += y.step;
  }
}

// edge samples pixels whose neighbours may lie beyond the image's.
CLONES void edge(float *__restrict dst, const uint8_t *__restrict pix, int64_t w, int64_t h, walk x, walk y, int64_t n, const float *scale, const float *shift) {
  for (int64_t i = 0; i < n; i++) {
    const int64_t u = std::clamp<int64_t>(x.at, 0, (w - 1) * one), v = std::clamp<int64_t>(y.at, 0, (h - 1) * one);
    const int64_t x0 = u >> 32, x1 = std::min(x0 + 1, w - 1), y0 = v >> 32, y1 = std::min(y0 + 1, h - 1);
    const float right = fraction(u), down = fraction(v);
    for (int c = 0; c < 3; c++) {
      const float a0 = pix[3 * (y0 * w + x0) + c], a1 = pix[3 * (y0 * w + x1) + c], b0 = pix[3 * (y1 * w + x0) + c], b1 = pix[3 * (y1 * w + x1) + c];
      const float p = a0 + down * (b0 - a0), q = a1 + down * (b1 - a1);
      dst[3 * i + c] = (p + right * (q - p)) * scale[c] + shift[c];
    }
    x.at += x.step;
    y.at += y.step;
  }
}

struct span {
  int64_t from, to;
};

int64_t up(int64_t a, int64_t b) { return a / b + (a % b > 0); }  // a/b rounded up, b > 0

// within narrows s to the i where lo <= x.at + i*x.step < hi.
span within(span s, walk x, int64_t lo, int64_t hi) {
  if (x.step == 0) return x.at >= lo && x.at < hi ? s : span{s.from, s.from};
  const span t = x.step > 0 ? span{up(lo - x.at, x.step), up(hi - x.at, x.step)} : span{up(x.at - hi + 1, -x.step), up(x.at - lo + 1, -x.step)};
  s.from = std::min(std::max(s.from, t.from), s.to);
  s.to = std::max(s.from, std::min(s.to, t.to));
  return s;
}

// recolour multiplies the colours by m, [3][4], and clips them. Each pixel is loaded before the store of the one before it, which a load
// after it would wait for.
CLONES void recolour(float *values, int64_t n, const float *m) {
  const pixel r = {m[0], m[4], m[8], 0}, g = {m[1], m[5], m[9], 0}, b = {m[2], m[6], m[10], 0}, o = {m[3], m[7], m[11], 0};
  const pixel least = {}, most = {255, 255, 255, 255};
  pixel p = load(values);
  for (int64_t i = 0; i < n; i++) {
    pixel v = r * p[0] + g * p[1] + b * p[2] + o;
    v = v > least ? v : least;
    v = v < most ? v : most;
    p = load(values + 3 * (i + 1));
    store(values + 3 * i, v);
  }
}

CLONES void brighten(float *values, int64_t n, float gamma) {
  for (int64_t i = 0; i < n; i++) values[i] = gamma_of(values[i], gamma);
}

// mix lays colours over what is there, and loads as recolour does.
CLONES void mix(float *__restrict dst, const float *__restrict values, int64_t n, const float *scale, const float *shift, float weight) {
  const float rest = 1 - weight;
  const pixel m = triple(scale) * weight, s = triple(shift) * weight, below = {rest, rest, rest, 1};
  pixel old = n > 1 ? load(dst) : pixel{};
  for (int64_t i = 0; i < n - 1; i++) {
    const pixel v = load(values + 3 * i) * m + s + old * below;
    if (i < n - 2) old = load(dst + 3 * (i + 1));
    store(dst + 3 * i, v);
  }
  for (int64_t i = 3 * (n - 1); i < 3 * n; i++) dst[i] = values[i] * m[i % 3] + s[i % 3] + dst[i] * rest;
}

CLONES void cover(float *__restrict dst, const float *__restrict values, int64_t n, const float *scale, const float *shift) {
  const pixel m = triple(scale), s = triple(shift);
  for (int64_t i = 0; i < n - 1; i++) store(dst + 3 * i, load(values + 3 * i) * m + s);
  for (int c = 0; c < 3; c++) dst[3 * (n - 1) + c] = values[3 * (n - 1) + c] * scale[c] + shift[c];
}

// Where a row of a layer is, and how its samples are found.
struct row {
  const rn_layer &l;
  span s;     // columns of the canvas
  walk x, y;  // of s.from, with a map
  int64_t at; // row of the canvas
};

row begin(const rn_layer &l, int64_t y) {
  row r = {l, {l.area.x1, l.area.x2}, {}, {}, y};
  if (y < l.area.y1 || y >= l.area.y2) r.s.to = r.s.from;
  if (l.xs || r.s.from == r.s.to) return r;
  const walk u = {l.map[1] * y + l.map[2], l.map[0]}, v = {l.map[4] * y + l.map[5], l.map[3]};
  r.s = within(within(r.s, u, 0, l.w * one), v, 0, l.h * one);
  r.x = walk{u.at - one / 2, u.step}.plus(r.s.from);
  r.y = walk{v.at - one / 2, v.step}.plus(r.s.from);
  return r;
}

// sample writes the row's samples, value*scale + shift.
void sample(float *dst, const row &r, const float *scale, const float *shift, float *source) {
  const rn_layer &l = r.l;
  const int64_t n = r.s.to - r.s.from;
  if (l.xs) {
    const rn_tap &y = l.ys[r.at - l.area.y1];
    blend(source, l.pix + 3 * l.w * y.a + l.first, l.pix + 3 * l.w * y.b + l.first, y.t, l.used);
    source[l.used] = 0;
    across(dst, source, l.xs, n, scale, shift);
    return;
  }
  span s = within(within({0, n}, r.x, 0, (l.w - 2) * one), r.y, 0, (l.h - 1) * one);
  s.to = std::max(s.from, s.to - 1);  // an edge follows
  edge(dst, l.pix, l.w, l.h, r.x, r.y, s.from, scale, shift);
  if (s.from < s.to) inner(dst + 3 * s.from, l.pix, l.w, r.x.plus(s.from), r.y.plus(s.from), s.to - s.from, scale, shift);
  edge(dst + 3 * s.to, l.pix, l.w, l.h, r.x.plus(s.to), r.y.plus(s.to), n - s.to, scale, shift);
}

void draw(float *canvas, const row &r, const float *scale, const float *shift, float *source, float *values) {
  const int64_t n = r.s.to - r.s.from;
  float *dst = canvas + 3 * r.s.from;
  if (!r.l.recoloured && r.l.weight == 1) return sample(dst, r, scale, shift, source);
  const float ones[3] = {1, 1, 1}, zeros[3] = {0, 0, 0};
  sample(values, r, ones, zeros, source);
  if (r.l.recoloured) {
    recolour(values, n, r.l.colour);
    if (r.l.gamma != 1) brighten(values, 3 * n, r.l.gamma);
  }
  if (r.l.weight == 1) return cover(dst, values, n, scale, shift);
  mix(dst, values, n, scale, shift, r.l.weight);
}

void clear(float *canvas, int64_t from, int64_t to) { memset(canvas + 3 * from, 0, 3 * (to - from) * sizeof(float)); }

}  // namespace

void rn_picture_draw(float *dst, int64_t canvas_w, int64_t from, int64_t to, const rn_layer *layers, int64_t n, const rn_area *fill, int64_t fills,
                     const float *scale, const float *shift, float *source, float *values) {
  for (int64_t y = from; y < to; y++) {
    float *canvas = dst + 3 * canvas_w * y;
    bool empty = true;
    for (int64_t i = 0; i < n; i++) {
      const row r = begin(layers[i], y);
      if (r.s.from == r.s.to) continue;
      if (empty) {
        const bool covers = layers[i].weight == 1;
        clear(canvas, 0, covers ? r.s.from : canvas_w);
        if (covers) clear(canvas, r.s.to, canvas_w);
      }
      empty = false;
      draw(canvas, r, scale, shift, source, values);
    }
    if (empty) clear(canvas, 0, canvas_w);
    for (int64_t i = 0; i < fills; i++)
      if (y >= fill[i].y1 && y < fill[i].y2) clear(canvas, fill[i].x1, fill[i].x2);
  }
}
