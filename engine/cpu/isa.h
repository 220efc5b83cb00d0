// The instruction set of the process.
#ifndef RETINAGO_ISA_H
#define RETINAGO_ISA_H

// AVX2 comes with FMA; AVX512 is its F, BW, DQ and VL.
enum { BASELINE, AVX2, AVX512 };

// rn_isa is what kernels may use: the processor's best, or less once rn_isa_lower was called.
extern int rn_isa;
#endif
