// Comparisons in loops become vectors only where they need not report NaNs.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

#include "filter.h"

#include <algorithm>

#include "clones.h"

#define FORMULA static inline
#include "../../../engine/formula/exp.h"

namespace {

// mixed spreads the bits of a counter (C. Wellons, hash-prospector).
inline uint32_t mixed(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

// cosine is cos(2*pi*u) for u in [-.5, .5], to 1e-5: minus the polynomial of sin(2*pi*v) with v = |u| - .25.
inline float cosine(float u) {
  const float v = 6.2831853f * (__builtin_fabsf(u) - .25f), s = v * v;
  return -v * (1 + s * (-1.6666666e-1f + s * (8.3333310e-3f + s * (-1.9840874e-4f + s * 2.7525562e-6f))));
}

// byte is v, rounded and clipped; whole numbers are clipped, since comparisons of them become vectors everywhere.
inline uint8_t byte(float v) { return (uint8_t)std::min(std::max((int32_t)(v + .5f), 0), 255); }

// root is sqrt(v) for v in [0, 36], to 1e-6 of it. A call of sqrt would keep loops from becoming vectors.
inline float root(float v) { return 6 * exp_of(.5f * log_of(v * (1 / 36.f))); }

// Box and Muller 1958.
CLONES void noise(uint8_t *pix, int32_t n, uint32_t first, uint32_t low, uint32_t high, float deviation) {
  for (int32_t i = 0; i < n; i++) {
    const uint32_t at = first + (uint32_t)i;
    const uint32_t a = mixed(mixed(at + low) ^ high), b = mixed(mixed(at ^ high) + (low ^ 0x9e3779b9u));
    const float length = (float)(int32_t)((a >> 8) + 1) * (1.f / (1 << 24));  // in (0, 1]
    const float angle = (float)(int32_t)(b >> 8) * (1.f / (1 << 24)) - .5f;
    pix[i] = byte((float)pix[i] + deviation * root(-2 * log_of(length)) * cosine(angle));
  }
}

CLONES void add(float *__restrict row, const uint8_t *__restrict src, float weight, int64_t n) {
  for (int64_t i = 0; i < n; i++) row[i] += weight * src[i];
}

CLONES void sideways(uint8_t *__restrict dst, const float *__restrict row, const float *__restrict weights, int64_t taps, int64_t n) {
  const int64_t some = 64;  // values whose sums stay in registers
  for (int64_t from = 0; from < n; from += some) {
    float sum[some] = {};
    const int64_t k = std::min(some, n - from);
    if (k == some) {
      for (int64_t t = 0; t < taps; t++)
        for (int64_t i = 0; i < some; i++) sum[i] += weights[t] * row[from + i + 3 * t];
    } else {
      for (int64_t t = 0; t < taps; t++)
        for (int64_t i = 0; i < k; i++) sum[i] += weights[t] * row[from + i + 3 * t];
    }
    for (int64_t i = 0; i < k; i++) dst[from + i] = byte(sum[i]);
  }
}

}  // namespace

void rn_picture_noise(uint8_t *pix, int64_t n, uint32_t first, uint64_t seed, float deviation) {
  for (const int64_t some = 1 << 20; n > 0; n -= some, pix += some, first += some)
    noise(pix, (int32_t)std::min(n, some), first, (uint32_t)seed, (uint32_t)(seed >> 32), deviation);
}

void rn_picture_blur(uint8_t *dst, const uint8_t *src, int64_t w, int64_t h, const float *weights, int64_t radius, float *row) {
  float *inside = row + 3 * radius;
  for (int64_t y = 0; y < h; y++) {
    std::fill(inside, inside + 3 * w, 0.f);
    for (int64_t t = -radius; t <= radius; t++) add(inside, src + 3 * w * std::clamp<int64_t>(y + t, 0, h - 1), weights[t + radius], 3 * w);
    for (int64_t i = 0; i < 3 * radius; i++) {
      row[i] = inside[i % 3];
      inside[3 * w + i] = inside[3 * (w - 1) + i % 3];
    }
    sideways(dst + 3 * w * y, row, weights, 2 * radius + 1, 3 * w);
  }
}
