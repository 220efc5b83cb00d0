// Memory of one call of a kernel.
#ifndef RETINAGO_ZEROS_H
#define RETINAGO_ZEROS_H
#include <stdint.h>
#include <stdlib.h>

#include <new>

// Zeros is n times rows zeroed values, which are freed at the end of the scope. It throws std::bad_alloc where there is no memory: make it
// inside of guarded and outside of parallel loops.
template <class T> struct Zeros {
  T *p;
  Zeros(int64_t n, int64_t rows) : p((T *)calloc((size_t)(n > 0 ? n : 1), sizeof(T) * (size_t)(rows > 0 ? rows : 1))) {
    if (!p) throw std::bad_alloc();
  }
  Zeros(const Zeros &) = delete;
  ~Zeros() { free(p); }
};
#endif
