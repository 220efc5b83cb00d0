// Opening libraries of the CUDA family while the program runs.
#ifndef RETINAGO_CUDA_LOAD_H
#define RETINAGO_CUDA_LOAD_H
#include <cuda.h>

// Finds an entry point of a library by its name, NULL where there is none.
typedef void *(*retinago_lookup)(void *library, const char *name);

void *retinago_symbol(void *library, const char *name);
// Opens a shared library; NULL and why where there is none.
void *retinago_library(const char *file, char *why, int size);
void *retinago_find(retinago_lookup find, void *library, const char *name);

// Points all entry points of libcuda at what find gives and initialises the driver.
CUresult retinago_cuda_open(retinago_lookup find, void *library);
#endif
