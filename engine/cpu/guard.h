// Exceptions end at the border to C.
#ifndef RETINAGO_GUARD_H
#define RETINAGO_GUARD_H
#include <string.h>

#include <exception>
#include <new>

#define OUT_OF_MEMORY "out of memory" // the text of engine.ErrMemory

// guarded calls f and returns what an exception says, for the caller to free, or NULL.
template <class F> char *guarded(F f) {
  try {
    f();
    return nullptr;
  } catch (const std::bad_alloc &) {
    return strdup(OUT_OF_MEMORY);
  } catch (const std::exception &e) {
    return strdup(e.what());
  }
}
#endif
