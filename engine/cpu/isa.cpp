// What instruction set the process uses. oneDNN is held to the same.
#include "kernels.h"

#include <oneapi/dnnl/dnnl.h>

#include "isa.h"

static int best() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx2 ? (avx512 ? AVX512 : AVX2) : BASELINE;
#else
  return BASELINE;
#endif
}

int rn_isa = best();

extern "C" {

int rn_isa_best(void) { return best(); }

const char *rn_isa_lower(int isa) {
  if (isa >= best()) return nullptr;
#if defined(__x86_64__) && defined(__GNUC__)
  // oneDNN's least is SSE 4.1: on a processor without it, it has plain C++.
  if (dnnl_set_max_cpu_isa(isa == AVX2 ? dnnl_cpu_isa_avx2 : dnnl_cpu_isa_sse41) != dnnl_success) return "oneDNN does not take a limit of instruction sets: it has run already, or was built without";
#endif
  rn_isa = isa;
  return nullptr;
}

} // extern "C"
