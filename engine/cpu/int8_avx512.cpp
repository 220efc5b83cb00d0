// Sums of products on 512 bits without vpdpbusd. Bytes are split into even and odd ones, widened to s16: vpmaddwd adds two
// products exactly, where vpmaddubsw would saturate.
#include "int8.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>
#pragma GCC target("avx512f,avx512bw")

typedef __m512i I;
struct W {
  __m512i even, odd;
};
typedef W X;
enum { LANES = 16 };

static inline I load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline void store(int32_t *p, I a) { _mm512_storeu_si512(p, a); }
static inline W weights(const int8_t *p) {
  __m512i v = _mm512_loadu_si512(p);
  return {_mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8), _mm512_srai_epi16(v, 8)};
}
static inline X splat(const uint8_t *p) {
  int32_t v;
  memcpy(&v, p, 4);
  return {_mm512_set1_epi32(v & 0x00ff00ff), _mm512_set1_epi32(v >> 8 & 0x00ff00ff)};
}
static inline I dot(I a, X x, W w) {
  return _mm512_add_epi32(a, _mm512_add_epi32(_mm512_madd_epi16(x.even, w.even), _mm512_madd_epi16(x.odd, w.odd)));
}

#include "int8_block.h"

static int available() { return rn_isa >= AVX512; }

static void run(int32_t *acc, const uint8_t *const *rows, int taps, int steps, const int8_t *w, const int32_t *init, int vectors) {
  switch (vectors) {
  case 1: return tile<12, 1>(acc, 16, rows, taps, steps, w, 64, init);
  case 2: return tile<8, 2>(acc, 32, rows, taps, steps, w, 128, init);
  case 3: return tile<6, 3>(acc, 48, rows, taps, steps, w, 192, init);
  case 4: return tile<4, 4>(acc, 64, rows, taps, steps, w, 256, init);
  }
}

const Dot int8_avx512 = {"avx512", available, {0, 12, 8, 6, 4}, run};
#else
const Dot int8_avx512 = {"avx512", [] { return 0; }, {}, nullptr};
#endif
