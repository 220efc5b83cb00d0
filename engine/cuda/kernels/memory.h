// Memory of the host's device, and its one queue of work.
#ifndef RETINAGO_MEMORY_H
#define RETINAGO_MEMORY_H
#include <cuda.h>

#include <functional>
#include <vector>

namespace host {

// Work waits in the queue until somebody waits for it, in order.
void enqueue(std::function<void()> work);
void drain();
// Between the two, work is kept in a list and not done; invalidate makes the list void, as calls do that a recording forbids.
bool capture();
bool capturing();
CUresult invalidate();
// What was recorded; false where it is void.
bool captured(std::vector<std::function<void()>> *);

// Where work finds the memory at a device address, which itself nobody can read. NULL is NULL.
void *seen(uint64_t p);

// Whether [p, p+n) lies in one allocation.
bool owns(uint64_t p, size_t n);
CUresult allocate(CUdeviceptr *p, size_t n);
CUresult release(CUdeviceptr p);
// Pinned memory: copies read and write it when their turn comes.
bool pinned(const void *p);
void pin(const void *p, size_t n);
void unpin(const void *p);

extern int64_t capacity, live, launches, waits;

} // namespace host
#endif
