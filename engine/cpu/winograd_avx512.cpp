// Winograd on 512 bits.
#include "winograd.h"

#if defined(__x86_64__) && defined(__GNUC__)
#pragma GCC target("avx512f,fma")

enum { LANES = 16, ROWS = 14 };
#include "winograd_block.h"

const Winograd winograd_avx512 = KERNELS;
#else
const Winograd winograd_avx512 = {};
#endif
