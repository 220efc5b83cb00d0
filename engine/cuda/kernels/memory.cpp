//go:build gpu && linux && amd64

#include "memory.h"

#include <string.h>
#include <sys/mman.h>

#include <deque>
#include <map>
#include <mutex>

namespace host {

int64_t capacity = 1ll << 30, live, launches, waits;

static const size_t SPAN = 1ull << 32, PAGE = 4096; // of addresses; pages come when they are written
static char *base;
static std::map<uint64_t, size_t> blocks, locked;
static std::deque<std::function<void()>> queue;
static std::recursive_mutex mutex;
typedef std::lock_guard<std::recursive_mutex> Lock;

// open makes device memory readable, for the time of one piece of work.
static void open(bool yes) {
  for (auto &b : blocks) mprotect((void *)b.first, (b.second + PAGE - 1) / PAGE * PAGE, yes ? PROT_READ | PROT_WRITE : PROT_NONE);
}

void enqueue(std::function<void()> work) {
  Lock l(mutex);
  queue.push_back(work);
}

void drain() {
  Lock l(mutex);
  if (queue.empty()) return;
  open(true);
  for (; !queue.empty(); queue.pop_front()) queue.front()();
  open(false);
}

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
  if (!base) base = (char *)mmap(NULL, SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  uint64_t at = (uint64_t)base; // the first gap, with a page on each side that nobody owns
  for (auto &b : blocks) {
    if (b.first >= at + n + PAGE) break;
    at = (b.first + b.second + PAGE - 1) / PAGE * PAGE + PAGE;
  }
  if (at + n > (uint64_t)base + SPAN) return CUDA_ERROR_OUT_OF_MEMORY;
  blocks[at] = n;
  live += n;
  mprotect((void *)at, (n + PAGE - 1) / PAGE * PAGE, PROT_READ | PROT_WRITE);
  memset((void *)at, 0xff, n); // NaN until written
  mprotect((void *)at, (n + PAGE - 1) / PAGE * PAGE, PROT_NONE);
  *p = at;
  return CUDA_SUCCESS;
}

CUresult release(CUdeviceptr p) {
  Lock l(mutex);
  drain(); // the driver waits for work on the memory
  auto b = blocks.find(p);
  if (b == blocks.end()) return CUDA_ERROR_INVALID_VALUE;
  madvise((void *)p, (b->second + PAGE - 1) / PAGE * PAGE, MADV_DONTNEED);
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
