// What a kernel is written in: CUDA C for clang without NVIDIA's headers, and plain C++ where a host is the device.
//
// Kernels hold for any number of threads and blocks. SYNC stands only where every thread of a block comes by. On the host a
// block has as many threads as host.cpp gives it, run one after the other from SYNC to SYNC.
#ifndef RETINAGO_DEVICE_H
#define RETINAGO_DEVICE_H

#include "../../formula/constants.h"
#include "../../formula/layout.h"

#ifdef __CUDA__

#define KERNEL extern "C" __attribute__((global)) void
#define DEVICE static inline __attribute__((device, always_inline))
#define MEMBER __attribute__((device, always_inline))
#define SHARED static __attribute__((shared))
#define SYNC() __syncthreads()
#define TID ((int)__nvvm_read_ptx_sreg_tid_x())
#define THREADS ((int)__nvvm_read_ptx_sreg_ntid_x())
#define BLOCK_X ((i64)__nvvm_read_ptx_sreg_ctaid_x())
#define BLOCK_Y ((i64)__nvvm_read_ptx_sreg_ctaid_y())
#define BLOCK_Z ((i64)__nvvm_read_ptx_sreg_ctaid_z())
#define BLOCKS_X ((i64)__nvvm_read_ptx_sreg_nctaid_x())
#define SQRT(x) __nvvm_sqrt_rn_f(x)
#define SQRTD(x) __nvvm_sqrt_rn_d(x)
#define BINARY16 __fp16
#define PLACE(type, address) ((type *)(address))
#define ATOMIC_ADD(p, v) __nvvm_atom_add_gen_i(p, v)
#define ATOMIC_MAX(p, v) __nvvm_atom_max_gen_i(p, v)
#define ATOMIC_MAX_WIDE(p, v) __nvvm_atom_max_gen_ull(p, v)

// exact is a*b rounded to float32. Compilers fuse any other product with a sum after it.
DEVICE float exact(float a, float b) {
  float v;
  asm("mul.rn.f32 %0, %1, %2;" : "=f"(v) : "f"(a), "f"(b));
  return v;
}

// exact_wide is exact for float64.
DEVICE double exact_wide(double a, double b) {
  double v;
  asm("mul.rn.f64 %0, %1, %2;" : "=d"(v) : "d"(a), "d"(b));
  return v;
}

#else

#define KERNEL extern "C" void
#define DEVICE static inline __attribute__((always_inline))
#define MEMBER inline __attribute__((always_inline))
#define SHARED static
extern struct retinago_place {
  int tid, threads;
  i64 block[3], blocks;
} retinago_here;
extern "C" void retinago_sync(void);
#define SYNC() retinago_sync()
#define TID retinago_here.tid
#define THREADS retinago_here.threads
#define BLOCK_X retinago_here.block[0]
#define BLOCK_Y retinago_here.block[1]
#define BLOCK_Z retinago_here.block[2]
#define BLOCKS_X retinago_here.blocks
#define SQRT(x) __builtin_sqrtf(x)
#define SQRTD(x) __builtin_sqrt(x)
#define BINARY16 _Float16
extern "C" void *retinago_place_at(i64 address);
#define PLACE(type, address) ((type *)retinago_place_at(address))
#define ATOMIC_ADD(p, v) __sync_fetch_and_add(p, v)
#define ATOMIC_MAX(p, v) (*(p) = *(p) > (v) ? *(p) : (v)) // threads run one at a time
#define ATOMIC_MAX_WIDE(p, v) ATOMIC_MAX(p, v)

// No processor that this is compiled for has fused products.
DEVICE float exact(float a, float b) { return a * b; }
DEVICE double exact_wide(double a, double b) { return a * b; }

#endif

// PLACE is a pointer to what an address in memory names; arguments need none.

// EACH runs its body for i in [0, n), spread over all threads of the grid.
#define EACH(i, n) for (i64 i = BLOCK_X * THREADS + TID; i < (n); i += BLOCKS_X * THREADS)

#define INF __builtin_inff()

// block_sum is the sum of v over the threads of a block, in thread 0, in an order that depends on their number alone. THREADS is a
// power of two, at most MOST_THREADS.
DEVICE double block_sum(double v) {
  SHARED double part[MOST_THREADS];
  part[TID] = v;
  SYNC();
  for (int half = THREADS / 2; half > 0; half /= 2) {
    if (TID < half) part[TID] += part[TID + half];
    SYNC();
  }
  return part[0];
}

#endif
