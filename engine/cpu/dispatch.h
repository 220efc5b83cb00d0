// Plain loops compiled for every instruction set of isa.h, which call the one that the process uses. Included last: it
// changes how what follows is compiled.
#ifndef RETINAGO_DISPATCH_H
#define RETINAGO_DISPATCH_H
#include "isa.h"

// Loops vectorise only where square roots need not set errno and comparisons need not trap. Flags that let the compiler
// assume finite numbers are not set: NaN must propagate.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#endif

// INTO makes a function part of each that calls it: a call would leave the caller's instructions, and its vectors.
#define INTO static inline __attribute__((always_inline))

// dispatch<F> calls F, which is INTO, as compiled for rn_isa. OpenMP's outlined loops are not compiled for it: they hand
// whole runs of elements to dispatch.
#if defined(__x86_64__) && defined(__GNUC__)
template <auto F, class... A> __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))) static auto on_avx512(A... a) { return F(a...); }
template <auto F, class... A> __attribute__((target("avx2,fma"))) static auto on_avx2(A... a) { return F(a...); }
template <auto F, class... A> static inline auto dispatch(A... a) {
  return rn_isa == AVX512 ? on_avx512<F>(a...) : rn_isa == AVX2 ? on_avx2<F>(a...) : F(a...);
}
#else
template <auto F, class... A> static inline auto dispatch(A... a) { return F(a...); }
#endif
#endif
