// Winograd on 256 bits.
#include "winograd.h"

#if defined(__x86_64__) && defined(__GNUC__)
#pragma GCC target("avx2,fma")

enum { LANES = 8, ROWS = 6 };
#include "winograd_block.h"

const Winograd winograd_avx2 = KERNELS;
#else
const Winograd winograd_avx2 = {};
#endif
