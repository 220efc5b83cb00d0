// Sums of products on 256 bits. As in int8_avx512.cpp, even and odd bytes are widened to s16, so that nothing saturates.
// A block is computed vector by vector: 3 pixels by 16 outputs keep 6 registers, weights and inputs 6 more.
#include "int8.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>
#pragma GCC target("avx2")

typedef __m256i I;
struct W {
  __m256i even, odd;
};
typedef W X;
enum { LANES = 8 };

static inline I load(const int32_t *p) { return _mm256_loadu_si256((const I *)p); }
static inline void store(int32_t *p, I a) { _mm256_storeu_si256((I *)p, a); }
static inline W weights(const int8_t *p) {
  __m256i v = _mm256_loadu_si256((const I *)p);
  return {_mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8), _mm256_srai_epi16(v, 8)};
}
static inline X splat(const uint8_t *p) {
  int32_t v;
  memcpy(&v, p, 4);
  return {_mm256_set1_epi32(v & 0x00ff00ff), _mm256_set1_epi32(v >> 8 & 0x00ff00ff)};
}
static inline I dot(I a, X x, W w) {
  return _mm256_add_epi32(a, _mm256_add_epi32(_mm256_madd_epi16(x.even, w.even), _mm256_madd_epi16(x.odd, w.odd)));
}

#include "int8_block.h"

static int available() { return rn_isa >= AVX2; }

static void run(int32_t *acc, const uint8_t *const *rows, int taps, int steps, const int8_t *w, const int32_t *init, int vectors) {
  for (int v = 0; v < vectors; v++)
    tile<3, 2>(acc + v * VECTOR, vectors * VECTOR, rows, taps, steps, w + v * 4 * VECTOR, vectors * 4 * VECTOR, init + v * VECTOR);
}

const Dot int8_avx2 = {"avx2", available, {0, 3, 3, 3, 3}, run};
#else
const Dot int8_avx2 = {"avx2", [] { return 0; }, {}, nullptr};
#endif
