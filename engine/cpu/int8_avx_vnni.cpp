// Sums of products by vpdpbusd on 256 bits, for processors that have it without AVX-512. A block is computed vector by
// vector: 6 pixels by 16 outputs keep 12 of the 16 registers.
#include "int8.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#pragma GCC target("avx2,avxvnni")

typedef __m256i I, W, X;
enum { LANES = 8 };

static inline I load(const int32_t *p) { return _mm256_loadu_si256((const I *)p); }
static inline void store(int32_t *p, I a) { _mm256_storeu_si256((I *)p, a); }
static inline W weights(const int8_t *p) { return _mm256_loadu_si256((const I *)p); }
static inline X splat(const uint8_t *p) {
  int32_t v;
  memcpy(&v, p, 4);
  return _mm256_set1_epi32(v);
}
static inline I dot(I a, X x, W w) { return _mm256_dpbusd_avx_epi32(a, x, w); }

#include "int8_block.h"

// available asks the processor itself: leaf 7.1, bit 4 of EAX.
static int available() {
  unsigned a, b, c, d;
  return rn_isa >= AVX2 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
}

static void run(int32_t *acc, const uint8_t *const *rows, int taps, int steps, const int8_t *w, const int32_t *init, int vectors) {
  for (int v = 0; v < vectors; v++)
    tile<6, 2>(acc + v * VECTOR, vectors * VECTOR, rows, taps, steps, w + v * 4 * VECTOR, vectors * 4 * VECTOR, init + v * VECTOR);
}

const Dot int8_avx_vnni = {"avx-vnni", available, {0, 6, 6, 6, 6}, run};
#else
const Dot int8_avx_vnni = {"avx-vnni", [] { return 0; }, {}, nullptr};
#endif
