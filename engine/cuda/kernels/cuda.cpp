//go:build gpu && linux && amd64

// The driver of the host's device. Every call but those without one wants a current context, as the real one does.
#include "host.h"
#include "launch.h"
#include "memory.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include <string>
#include <vector>

using namespace host;

static thread_local CUcontext current;
static int context;
static std::string image; // the module's PTX
static int64_t graphs, replays;

// Calls that a recording forbids make it void.
#define NOT_RECORDED \
  if (capturing()) return invalidate()

#define WANT_CONTEXT \
  if (!current) return CUDA_ERROR_INVALID_CONTEXT

static CUresult init(unsigned) { return CUDA_SUCCESS; }
static CUresult version(int *v) { return *v = 12040, CUDA_SUCCESS; }
static CUresult devices(int *n) { return *n = 1, CUDA_SUCCESS; }
static CUresult device(CUdevice *d, int i) { return *d = i, i == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE; }
static CUresult device_name(char *s, int n, CUdevice) { return strncpy(s, "host", n), CUDA_SUCCESS; }
static CUresult total_memory(size_t *n, CUdevice) { return *n = capacity, CUDA_SUCCESS; }
static CUresult attribute(int *v, CUdevice_attribute a, CUdevice) {
  *v = a == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? 8 : a == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT ? 2 : 0;
  return CUDA_SUCCESS;
}
static CUresult retain(CUcontext *c, CUdevice) { return *c = (CUcontext)&context, CUDA_SUCCESS; }
static CUresult release_context(CUdevice) { return CUDA_SUCCESS; }
static CUresult set_context(CUcontext c) { return current = c, CUDA_SUCCESS; }
static CUresult stream_create(CUstream *s, unsigned) {
  WANT_CONTEXT;
  *s = make_stream();
  return CUDA_SUCCESS;
}
static CUresult stream_destroy(CUstream s) { return end_stream(s) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE; }
// The host waits: counted where there is something to wait for.
static CUresult wait_for(const Event &e) {
  NOT_RECORDED;
  waits += !finished(e);
  await(e);
  return CUDA_SUCCESS;
}
static CUresult stream_wait(CUstream s) {
  WANT_CONTEXT;
  return known(s) ? wait_for(mark(s)) : CUDA_ERROR_INVALID_HANDLE;
}
// An event that was not recorded belongs to no stream, and waiting for it returns at once.
static CUresult event_create(CUevent *e, unsigned) {
  WANT_CONTEXT;
  *e = (CUevent) new Event();
  return CUDA_SUCCESS;
}
static CUresult event_record(CUevent e, CUstream s) {
  if (!known(s)) return CUDA_ERROR_INVALID_HANDLE;
  if (capturing(s)) return invalidate();
  *(Event *)e = mark(s);
  return CUDA_SUCCESS;
}
static CUresult event_query(CUevent e) { return finished(*(Event *)e) ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY; }
static CUresult event_wait(CUevent e) { return wait_for(*(Event *)e); }
static CUresult stream_wait_event(CUstream s, CUevent e, unsigned) {
  if (!known(s)) return CUDA_ERROR_INVALID_HANDLE;
  if (capturing(s)) return invalidate();
  await(s, *(Event *)e);
  return CUDA_SUCCESS;
}
static CUresult event_destroy(CUevent e) {
  delete (Event *)e;
  return CUDA_SUCCESS;
}
static CUresult module_load(CUmodule *m, const void *ptx) {
  WANT_CONTEXT;
  image = (const char *)ptx;
  *m = (CUmodule)&image;
  return CUDA_SUCCESS;
}
static CUresult module_unload(CUmodule) { return CUDA_SUCCESS; }
// A kernel must be in the module and in the host's list.
static CUresult module_function(CUfunction *f, CUmodule m, const char *name) {
  WANT_CONTEXT;
  const Entry *e = entry(name);
  if (m != (CUmodule)&image || !e || image.find(std::string(".visible .entry ") + name + "(") == std::string::npos) return CUDA_ERROR_NOT_FOUND;
  *f = (CUfunction)e;
  return CUDA_SUCCESS;
}
static CUresult launch(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned, CUstream s, void **params, void **) {
  WANT_CONTEXT;
  if (!known(s)) return CUDA_ERROR_INVALID_HANDLE;
  if (!gx || !gy || !gz || !bx || bx > 256 || by != 1 || bz != 1 || gy > 65535 || gz > 65535) return CUDA_ERROR_INVALID_VALUE;
  Work w = ((const Entry *)f)->pack(params);
  launches++;
  enqueue(s, [=] {
    unsigned grid[3] = {gx, gy, gz};
    run(w, grid);
  });
  return CUDA_SUCCESS;
}
static CUresult memory_alloc(CUdeviceptr *p, size_t n) {
  WANT_CONTEXT;
  NOT_RECORDED;
  return allocate(p, n);
}
static CUresult memory_free(CUdeviceptr p) {
  WANT_CONTEXT;
  NOT_RECORDED;
  return release(p);
}
static CUresult memory_info(size_t *free, size_t *total) {
  WANT_CONTEXT;
  *total = capacity;
  *free = capacity - live;
  return CUDA_SUCCESS;
}
static CUresult host_alloc(void **p, size_t n, unsigned) {
  WANT_CONTEXT;
  NOT_RECORDED;
  *p = malloc(n);
  pin(*p, n);
  return CUDA_SUCCESS;
}
static CUresult host_free(void *p) {
  NOT_RECORDED;
  drain();
  unpin(p);
  free(p);
  return CUDA_SUCCESS;
}
static CUresult to_device(CUdeviceptr dst, const void *src, size_t n, CUstream s) {
  WANT_CONTEXT;
  if (!known(s) || !owns(dst, n)) return CUDA_ERROR_INVALID_VALUE;
  if (pinned(src)) {
    enqueue_copy(s, [=] { memcpy(seen(dst), src, n); });
    return CUDA_SUCCESS;
  }
  NOT_RECORDED;
  std::vector<char> copy((const char *)src, (const char *)src + n); // pageable memory is staged at once
  enqueue(s, [=] { memcpy(seen(dst), copy.data(), n); });
  return CUDA_SUCCESS;
}
static CUresult to_host(void *dst, CUdeviceptr src, size_t n, CUstream s) {
  WANT_CONTEXT;
  if (!known(s) || !owns(src, n)) return CUDA_ERROR_INVALID_VALUE;
  if (!pinned(dst)) NOT_RECORDED;
  enqueue(s, [=] { memcpy(dst, seen(src), n); });
  return pinned(dst) ? CUDA_SUCCESS : wait_for(mark(s));
}
static CUresult within(CUdeviceptr dst, CUdeviceptr src, size_t n, CUstream s) {
  WANT_CONTEXT;
  if (!known(s) || !owns(dst, n) || !owns(src, n)) return CUDA_ERROR_INVALID_VALUE;
  enqueue(s, [=] { memcpy(seen(dst), seen(src), n); });
  return CUDA_SUCCESS;
}
static CUresult set_bytes(CUdeviceptr dst, unsigned char v, size_t n, CUstream s) {
  WANT_CONTEXT;
  if (!known(s) || !owns(dst, n)) return CUDA_ERROR_INVALID_VALUE;
  enqueue(s, [=] { memset(seen(dst), v, n); });
  return CUDA_SUCCESS;
}

struct Graph {
  std::vector<std::function<void()>> work;
};
static CUresult capture_begin(CUstream s, CUstreamCaptureMode) {
  WANT_CONTEXT;
  if (!known(s)) return CUDA_ERROR_INVALID_HANDLE;
  return capture(s) ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_STATE;
}
static CUresult capture_end(CUstream, CUgraph *g) {
  WANT_CONTEXT;
  *g = NULL;
  if (!capturing()) return CUDA_ERROR_ILLEGAL_STATE;
  Graph recorded;
  if (!captured(&recorded.work)) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  graphs++;
  *g = (CUgraph) new Graph(recorded);
  return CUDA_SUCCESS;
}
static CUresult graph_make(CUgraphExec *e, CUgraph g, unsigned long long) {
  WANT_CONTEXT;
  NOT_RECORDED;
  graphs++;
  *e = (CUgraphExec) new Graph(*(Graph *)g);
  return CUDA_SUCCESS;
}
// Work finds memory as it is when its turn comes.
static CUresult graph_launch(CUgraphExec e, CUstream s) {
  WANT_CONTEXT;
  if (!known(s)) return CUDA_ERROR_INVALID_HANDLE;
  replays++;
  for (auto &w : ((Graph *)e)->work) enqueue(s, w);
  return CUDA_SUCCESS;
}
static CUresult graph_free(void *g) {
  graphs--;
  delete (Graph *)g;
  return CUDA_SUCCESS;
}

extern "C" void *retinago_host_cuda(void *, const char *name) {
  static const struct {
    const char *name;
    void *f;
  } functions[] = {{"cuInit", (void *)init}, {"cuDriverGetVersion", (void *)version}, {"cuDeviceGetCount", (void *)devices},
                   {"cuDeviceGet", (void *)device}, {"cuDeviceGetName", (void *)device_name}, {"cuDeviceTotalMem_v2", (void *)total_memory},
                   {"cuDeviceGetAttribute", (void *)attribute}, {"cuDevicePrimaryCtxRetain", (void *)retain},
                   {"cuDevicePrimaryCtxRelease_v2", (void *)release_context}, {"cuCtxSetCurrent", (void *)set_context},
                   {"cuStreamCreate", (void *)stream_create}, {"cuStreamDestroy_v2", (void *)stream_destroy},
                   {"cuStreamSynchronize", (void *)stream_wait}, {"cuEventCreate", (void *)event_create}, {"cuEventRecord", (void *)event_record},
                   {"cuEventSynchronize", (void *)event_wait}, {"cuEventQuery", (void *)event_query}, {"cuStreamWaitEvent", (void *)stream_wait_event}, {"cuEventDestroy_v2", (void *)event_destroy}, {"cuModuleLoadData", (void *)module_load},
                   {"cuModuleUnload", (void *)module_unload}, {"cuModuleGetFunction", (void *)module_function}, {"cuLaunchKernel", (void *)launch},
                   {"cuMemAlloc_v2", (void *)memory_alloc}, {"cuMemFree_v2", (void *)memory_free}, {"cuMemGetInfo_v2", (void *)memory_info},
                   {"cuMemHostAlloc", (void *)host_alloc}, {"cuMemFreeHost", (void *)host_free}, {"cuMemcpyHtoDAsync_v2", (void *)to_device},
                   {"cuMemcpyDtoHAsync_v2", (void *)to_host}, {"cuMemcpyDtoDAsync_v2", (void *)within}, {"cuMemsetD8Async", (void *)set_bytes},
                   {"cuStreamBeginCapture_v2", (void *)capture_begin}, {"cuStreamEndCapture", (void *)capture_end},
                   {"cuGraphInstantiateWithFlags", (void *)graph_make}, {"cuGraphLaunch", (void *)graph_launch},
                   {"cuGraphDestroy", (void *)graph_free}, {"cuGraphExecDestroy", (void *)graph_free}};
  for (auto &f : functions)
    if (!strcmp(f.name, name)) return f.f;
  return NULL;
}

extern "C" void retinago_host_threads(int n) { set_threads(n); }
extern "C" void retinago_host_capacity(int64_t n) { capacity = n; }
extern "C" void retinago_host_early_copies(int on) { early_copies = on; }
extern "C" void retinago_host_counts(int64_t *l, int64_t *n, int64_t *w) {
  *l = live;
  *n = launches;
  *w = waits;
}
extern "C" void retinago_host_graphs(int64_t *g, int64_t *r) {
  *g = graphs;
  *r = replays;
}
