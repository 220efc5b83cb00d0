// Memory of the host's device.
#ifndef RETINAGO_MEMORY_H
#define RETINAGO_MEMORY_H
#include <cuda.h>

#include <stdint.h>

namespace host {

// Where work finds the memory at a device address, which itself cannot be read. NULL is NULL.
void *seen(uint64_t p);

// Whether [p, p+n) lies in one allocation.
bool owns(uint64_t p, size_t n);
CUresult allocate(CUdeviceptr *p, size_t n);
CUresult release(CUdeviceptr p);
// Pinned memory: copies read and write it when their turn comes.
bool pinned(const void *p);
void pin(const void *p, size_t n);
void unpin(const void *p);

extern int64_t capacity, live;

} // namespace host
#endif
