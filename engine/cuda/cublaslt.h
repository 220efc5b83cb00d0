// cuBLASLt's products of matrices, opened while the program runs: prototypes of our own, no header of NVIDIA's.
#ifndef RETINAGO_CUBLASLT_H
#define RETINAGO_CUBLASLT_H
#include <cuda.h>

extern const char *const retinago_cublaslt_names[]; // NULL after the last
extern void *retinago_cublaslt_functions[];         // in the same order

size_t retinago_cublaslt_version(void);
const char *retinago_cublaslt_message(int status);
int retinago_cublaslt_open(CUcontext, void **handle);
void retinago_cublaslt_close(CUcontext, void *handle);

// D = epilogue(op(A) op(B) + C), all stored by columns without gaps: op(A) is m x k, op(B) k x n, C and D are m x n.
typedef struct {
  long long m, n, k;
  int transpose_a, transpose_b;
  int type;     // of A and B: 0 float32, 2 fp16, 14 bf16 (cudaDataType)
  int result;   // of C, D and the bias: type, or float32
  int compute;  // 68 float32, 77 float32 whose products may be TF32's (cublasComputeType_t); sums are float32
  int epilogue; // RELU_EPILOGUE | BIAS_EPILOGUE
} retinago_product_shape;

enum { RELU_EPILOGUE = 2, BIAS_EPILOGUE = 4 }; // the bias has a value per row of D

// A product of one shape: descriptors, and the algorithm that the library expects to be the fastest.
typedef struct {
  void *op, *a, *b, *d;
  unsigned long long algorithm[8];
  size_t workspace;
} retinago_product;

// Matrices and bias will be at multiples of ALIGNMENT bytes. Workspace is at most limit bytes.
enum { ALIGNMENT = 64, NO_SUCH_PRODUCT = 15 }; // the latter is a status of retinago_product_make
int retinago_product_make(retinago_product *, CUcontext, void *handle, const retinago_product_shape *, size_t limit);
void retinago_product_free(retinago_product *);
// c is 0 or what is added, which may be d.
int retinago_product_run(CUcontext, void *handle, const retinago_product *, CUstream, CUdeviceptr d, CUdeviceptr a, CUdeviceptr b, CUdeviceptr c, CUdeviceptr bias, CUdeviceptr space);
#endif
