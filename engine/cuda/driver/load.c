//go:build gpu && linux && amd64

#define _GNU_SOURCE
#include "load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

extern void *retinago_cuda_slots[];
extern const char retinago_cuda_names[]; // NUL-terminated, an empty one after the last

static int opened;

// What every entry point is before a driver is open, and those afterwards that it does not have.
CUresult retinago_cuda_missing(void) { return opened ? CUDA_ERROR_NOT_FOUND : CUDA_ERROR_NOT_INITIALIZED; }

// gorgonia.org/cu calls this before main and ends the process on an error: the driver's own comes with retinago_cuda_open.
CUresult cuInit(unsigned int flags) { return flags ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS; }

CUresult retinago_cuda_open(retinago_lookup find, void *library) {
  CUresult (*init)(unsigned int) = (CUresult(*)(unsigned int))find(library, "cuInit");
  if (!init) return CUDA_ERROR_NOT_FOUND;
  const char *name = retinago_cuda_names;
  for (int i = 0; *name; i++, name += strlen(name) + 1) {
    void *f = find(library, name);
    retinago_cuda_slots[i] = f ? f : (void *)retinago_cuda_missing;
  }
  opened = 1;
  return init(0);
}

void *retinago_find(retinago_lookup find, void *library, const char *name) { return find(library, name); }

void *retinago_symbol(void *library, const char *name) { return dlsym(library, name); }

void *retinago_library(const char *file, char *why, int size) {
  void *library = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
  if (!library) snprintf(why, size, "%s", dlerror());
  return library;
}
