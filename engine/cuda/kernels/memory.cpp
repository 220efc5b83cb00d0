//go:build gpu && linux && amd64

#include "memory.h"
#include "stream.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <mutex>

namespace host {

int64_t capacity = 1ll << 30, live;

static const size_t SPAN = 1ull << 32, PAGE = 4096; // of addresses; pages come when they are written
static char *base, *shadow; // of the same memory: addresses that cannot be read, and those that work uses
static int file;
static std::map<uint64_t, size_t> blocks, locked;
static std::recursive_mutex mutex;
typedef std::lock_guard<std::recursive_mutex> Lock;

static size_t pages(size_t n) { return (n + PAGE - 1) / PAGE * PAGE; }

void *seen(uint64_t p) { return p ? shadow + (p - (uint64_t)base) : NULL; }

bool owns(uint64_t p, size_t n) {
  Lock l(mutex);
  auto b = blocks.upper_bound(p);
  if (b == blocks.begin()) return false;
  --b;
  return p + n <= b->first + b->second;
}

CUresult allocate(CUdeviceptr *p, size_t n) {
  Lock l(mutex);
  if (!n) return CUDA_ERROR_INVALID_VALUE;
  if (live + (int64_t)n > capacity) return CUDA_ERROR_OUT_OF_MEMORY;
  if (!base) {
    file = memfd_create("device", 0);
    if (file < 0 || ftruncate(file, SPAN)) abort();
    base = (char *)mmap(NULL, SPAN, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file, 0);
    shadow = (char *)mmap(NULL, SPAN, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (base == MAP_FAILED || shadow == MAP_FAILED) abort();
  }
  uint64_t at = (uint64_t)base; // the first gap, with a free page on each side
  for (auto &b : blocks) {
    if (b.first >= at + n + PAGE) break;
    at = b.first + pages(b.second) + PAGE;
  }
  if (at + n > (uint64_t)base + SPAN) return CUDA_ERROR_OUT_OF_MEMORY;
  blocks[at] = n;
  live += n;
  mprotect(seen(at), pages(n), PROT_READ | PROT_WRITE);
  memset(seen(at), 0xff, n); // NaN until written
  *p = at;
  return CUDA_SUCCESS;
}

CUresult release(CUdeviceptr p) {
  drain(); // the driver waits for work on the memory
  Lock l(mutex);
  auto b = blocks.find(p);
  if (b == blocks.end()) return CUDA_ERROR_INVALID_VALUE;
  mprotect(seen(p), pages(b->second), PROT_NONE);
  fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, p - (uint64_t)base, pages(b->second));
  live -= b->second;
  blocks.erase(b);
  return CUDA_SUCCESS;
}

bool pinned(const void *p) {
  Lock l(mutex);
  auto b = locked.upper_bound((uint64_t)p);
  if (b == locked.begin()) return false;
  --b;
  return (uint64_t)p < b->first + b->second;
}

void pin(const void *p, size_t n) {
  Lock l(mutex);
  locked[(uint64_t)p] = n;
}

void unpin(const void *p) {
  Lock l(mutex);
  locked.erase((uint64_t)p);
}

} // namespace host
