// The float32 peak of the processor: chains of fused multiply-adds that stay in registers. Twelve chains hide the latency
// of the units (4 cycles, 2 units) and leave registers for the operands in every instruction set.
#include "kernels.h"

#include <omp.h>

#include "dispatch.h" // last

namespace {

enum { CHAINS = 12 };

typedef float V64 __attribute__((vector_size(64)));
typedef float V32 __attribute__((vector_size(32)));
typedef float V16 __attribute__((vector_size(16)));

// chains runs in the vectors V. The result is read so that the compiler keeps the work.
template <class V> INTO float chains(int64_t rounds, float seed) {
  V acc[CHAINS], x = V{} + .999f, y = V{} + seed;
  for (int i = 0; i < CHAINS; i++) acc[i] = V{} + (float)i;
  for (int64_t n = 0; n < rounds; n++) {
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) acc[i] = acc[i] * x + y;
  }
  for (int i = 1; i < CHAINS; i++) acc[0] += acc[i];
  return acc[0][0];
}

} // namespace

extern "C" double rn_peak(int64_t rounds) {
  int lanes = rn_isa == AVX512 ? 16 : rn_isa == AVX2 ? 8 : 4, threads = 0;
  float kept = 0;
#pragma omp parallel reduction(+ : kept, threads)
  {
    float seed = 1e-3f * (1 + omp_get_thread_num());
    kept += lanes == 16 ? dispatch<chains<V64>>(rounds, seed) : lanes == 8 ? dispatch<chains<V32>>(rounds, seed) : dispatch<chains<V16>>(rounds, seed);
    threads++;
  }
  // kept is finite and positive: the comparison is for the compiler.
  return kept > 0 ? 2.0 * rounds * CHAINS * lanes * threads : 0;
}
