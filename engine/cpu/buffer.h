// Scratch memory of the convolutions.
#ifndef RETINAGO_BUFFER_H
#define RETINAGO_BUFFER_H
#include <stdint.h>

#include <new>

#include "kernels.h"

// Buffer is memory that only grows.
struct Buffer {
  void *p = nullptr;
  int64_t bytes = 0;
  void *get(int64_t n) {
    if (n > bytes) {
      rn_free(p, bytes);
      p = nullptr;
      bytes = 0;
      p = rn_alloc(n);
      if (!p) throw std::bad_alloc();
      bytes = n;
    }
    return p;
  }
  Buffer() = default;
  Buffer(const Buffer &) = delete;
  ~Buffer() { rn_free(p, bytes); }
};
#endif
