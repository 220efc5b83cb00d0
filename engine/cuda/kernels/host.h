// The host as a device: the parts of libcuda, cuDNN and cuBLASLt that the engine calls.
#ifndef RETINAGO_HOST_H
#define RETINAGO_HOST_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void *retinago_host_cuda(void *unused, const char *name);
void *retinago_host_cudnn(void *unused, const char *name);
void *retinago_host_cublaslt(void *unused, const char *name);
// The math type that was last asked for of cuDNN.
int retinago_host_math(void);
// Products that cuBLASLt was asked for, and the compute type of the last.
int64_t retinago_host_products(int *compute);
// Threads of a block, a power of two; with more than one they take turns at every SYNC.
void retinago_host_threads(int n);
void retinago_host_capacity(int64_t bytes);
// Copies from pinned memory run as soon as events allow, instead of as late.
void retinago_host_early_copies(int on);
void retinago_host_counts(int64_t *live_bytes, int64_t *launches, int64_t *waits);
void retinago_host_graphs(int64_t *live, int64_t *replays);

#ifdef __cplusplus
}
#endif
#endif
