// Sums of products by vpdpbusd on 512 bits: 6 pixels by 64 outputs keep 24 of the 32 registers, so that each vector of
// weights serves six instructions and each splat four.
#include "int8.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>
#pragma GCC target("avx512f,avx512bw,avx512vnni")

typedef __m512i I, W, X;
enum { LANES = 16 };

static inline I load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline void store(int32_t *p, I a) { _mm512_storeu_si512(p, a); }
static inline W weights(const int8_t *p) { return _mm512_loadu_si512(p); }
static inline X splat(const uint8_t *p) {
  int32_t v;
  memcpy(&v, p, 4);
  return _mm512_set1_epi32(v);
}
static inline I dot(I a, X x, W w) { return _mm512_dpbusd_epi32(a, x, w); }

#include "int8_block.h"

static int available() { return rn_isa >= AVX512 && __builtin_cpu_supports("avx512vnni"); }

static void run(int32_t *acc, const uint8_t *const *rows, int taps, int steps, const int8_t *w, const int32_t *init, int vectors) {
  switch (vectors) {
  case 1: return tile<12, 1>(acc, 16, rows, taps, steps, w, 64, init);
  case 2: return tile<12, 2>(acc, 32, rows, taps, steps, w, 128, init);
  case 3: return tile<8, 3>(acc, 48, rows, taps, steps, w, 192, init);
  case 4: return tile<6, 4>(acc, 64, rows, taps, steps, w, 256, init);
  }
}

const Dot int8_avx512_vnni = {"avx512-vnni", available, {0, 12, 12, 8, 6}, run};
#else
const Dot int8_avx512_vnni = {"avx512-vnni", [] { return 0; }, {}, nullptr};
#endif
