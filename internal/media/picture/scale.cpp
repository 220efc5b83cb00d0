#include "scale.h"

#include <algorithm>
#include <cstring>

#ifdef __GLIBC__
#include <malloc.h>
#endif

// CLONES compiles a function for AVX-512, AVX2 and the baseline, and picks one when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

namespace {

// One pixel and a float more, anywhere in memory.
typedef float pixel __attribute__((vector_size(16), aligned(4), may_alias));

pixel load(const float *p) { return *reinterpret_cast<const pixel *>(p); }

// blend writes a + t*(b-a).
CLONES void blend(float *__restrict row, const uint8_t *__restrict a, const uint8_t *__restrict b, float t, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const float p = a[i], q = b[i];
    row[i] = p + t * (q - p);
  }
}

// across scales one row sideways. Each store writes a float of the next pixel, which that overwrites; the last has none.
CLONES void across(float *__restrict dst, const float *__restrict row, const rn_tap *__restrict xs, int64_t w, const float *scale, const float *shift) {
  const pixel m = {scale[0], scale[1], scale[2], 0}, s = {shift[0], shift[1], shift[2], 0};
  for (int64_t x = 0; x < w - 1; x++) {
    const pixel p = load(row + xs[x].a), q = load(row + xs[x].b);
    *reinterpret_cast<pixel *>(dst + 3 * x) = (p + xs[x].t * (q - p)) * m + s;
  }
  const rn_tap &x = xs[w - 1];
  for (int c = 0; c < 3; c++) {
    const float p = row[x.a + c], q = row[x.b + c];
    dst[3 * (w - 1) + c] = (p + x.t * (q - p)) * scale[c] + shift[c];
  }
}

CLONES void turn(uint8_t *__restrict dst, const uint8_t *__restrict src, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    dst[3 * i] = src[3 * i + 2];
    dst[3 * i + 1] = src[3 * i + 1];
    dst[3 * i + 2] = src[3 * i];
  }
}

}  // namespace

void rn_picture_turn(uint8_t *dst, const uint8_t *src, int64_t n) { turn(dst, src, n); }

void rn_picture_swap(uint8_t *pix, int64_t n) {
  const int64_t some = 1024;  // pixels that stay in the first cache
  uint8_t old[3 * some];
  for (; n > 0; n -= some, pix += 3 * some) {
    const int64_t k = std::min(n, some);
    memcpy(old, pix, 3 * k);
    turn(pix, old, k);
  }
}

void rn_picture_trim() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// Down first, then sideways: the first pass is over contiguous bytes and needs no row twice.
void rn_picture_rows(float *dst, int64_t canvas_w, const uint8_t *src, int64_t src_w, const rn_tap *xs, int64_t w, const rn_tap *ys, int64_t h,
                   int64_t from, int64_t to, const float *scale, const float *shift, float *row) {
  row[3 * src_w] = 0;
  for (int64_t y = from; y < to; y++) {
    float *out = dst + 3 * canvas_w * y;
    if (y >= h) {
      memset(out, 0, 3 * canvas_w * sizeof(float));
      continue;
    }
    blend(row, src + 3 * src_w * ys[y].a, src + 3 * src_w * ys[y].b, ys[y].t, 3 * src_w);
    across(out, row, xs, w, scale, shift);
    memset(out + 3 * w, 0, 3 * (canvas_w - w) * sizeof(float));
  }
}
