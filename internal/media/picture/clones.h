#ifndef RETINAGO_CLONES_H
#define RETINAGO_CLONES_H

// CLONES compiles a function for AVX-512, AVX2 and the baseline, and picks one when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

#endif
