//go:build gpu && linux && amd64

#include "cublaslt.h"

#include <stdint.h>
#include <string.h>

#define FUNCTIONS(F) \
  F(GetVersion) F(GetStatusString) F(Create) F(Destroy) F(MatmulDescCreate) F(MatmulDescDestroy) F(MatmulDescSetAttribute) \
  F(MatrixLayoutCreate) F(MatrixLayoutDestroy) F(MatmulPreferenceCreate) F(MatmulPreferenceDestroy) \
  F(MatmulPreferenceSetAttribute) F(MatmulAlgoGetHeuristic) F(Matmul)

#define INDEX(f) f,
#define NAME(f) "cublasLt" #f,
enum { FUNCTIONS(INDEX) COUNT };
const char *const retinago_cublaslt_names[] = {FUNCTIONS(NAME) NULL};
void *retinago_cublaslt_functions[COUNT];

// Types of the functions; descriptors and handles are pointers, enumerations and status ints.
typedef int (*make_t)(void **);
typedef int (*free_t)(void *);
typedef int (*op_t)(void **, int compute, int scale);
typedef int (*layout_t)(void **, int type, uint64_t rows, uint64_t columns, int64_t leading);
typedef int (*set_t)(void *, int attribute, const void *, size_t);
typedef struct {
  uint64_t algorithm[8];
  size_t workspace;
  int status;
  float waves;
  int reserved[4];
} choice;
typedef int (*choose_t)(void *, void *, void *, void *, void *, void *, void *, int, choice *, int *);
typedef int (*run_t)(void *, void *, const void *, CUdeviceptr, void *, CUdeviceptr, void *, const void *, CUdeviceptr, void *, CUdeviceptr, void *, const void *, CUdeviceptr, size_t, CUstream);

#define CALL(type, f) ((type)retinago_cublaslt_functions[f])

enum { FLOAT = 0, TRANSPOSE = 1, NO_EPILOGUE = 1 };
enum { OP_TRANSPOSE_A = 3, OP_TRANSPOSE_B = 4, OP_EPILOGUE = 7, OP_BIAS = 8 };
enum { MOST_WORKSPACE = 1, LEAST_ALIGNMENT_A = 5, LEAST_ALIGNMENT_D = 8 };
enum { NOT_INITIALIZED = 1 };

size_t retinago_cublaslt_version(void) { return CALL(size_t(*)(void), GetVersion)(); }
const char *retinago_cublaslt_message(int status) { return CALL(const char *(*)(int), GetStatusString)(status); }

int retinago_cublaslt_open(CUcontext ctx, void **handle) { return cuCtxSetCurrent(ctx) ? NOT_INITIALIZED : CALL(make_t, Create)(handle); }

void retinago_cublaslt_close(CUcontext ctx, void *handle) {
  if (!cuCtxSetCurrent(ctx)) CALL(free_t, Destroy)(handle);
}

#define TRY(call) \
  if ((r = call)) return r

static int limits(void *preference, size_t limit) {
  int r;
  uint64_t most = limit;
  uint32_t alignment = ALIGNMENT;
  TRY(CALL(set_t, MatmulPreferenceSetAttribute)(preference, MOST_WORKSPACE, &most, sizeof most));
  for (int i = LEAST_ALIGNMENT_A; i <= LEAST_ALIGNMENT_D; i++) TRY(CALL(set_t, MatmulPreferenceSetAttribute)(preference, i, &alignment, sizeof alignment));
  return 0;
}

static int choose(retinago_product *p, void *handle, void *preference, size_t limit) {
  choice c[8];
  int r, n = 0;
  TRY(CALL(choose_t, MatmulAlgoGetHeuristic)(handle, p->op, p->a, p->b, p->d, p->d, preference, sizeof c / sizeof *c, c, &n));
  for (int i = 0; i < n; i++)
    if (!c[i].status && c[i].workspace <= limit) {
      memcpy(p->algorithm, c[i].algorithm, sizeof p->algorithm);
      p->workspace = c[i].workspace;
      return 0;
    }
  return NO_SUCH_PRODUCT;
}

int retinago_product_make(retinago_product *p, CUcontext ctx, void *handle, const retinago_product_shape *s, size_t limit) {
  if (cuCtxSetCurrent(ctx)) return NOT_INITIALIZED;
  memset(p, 0, sizeof *p);
  int r;
  int32_t ta = s->transpose_a ? TRANSPOSE : 0, tb = s->transpose_b ? TRANSPOSE : 0;
  uint32_t epilogue = s->epilogue ? s->epilogue : NO_EPILOGUE;
  TRY(CALL(op_t, MatmulDescCreate)(&p->op, s->compute, FLOAT));
  TRY(CALL(set_t, MatmulDescSetAttribute)(p->op, OP_TRANSPOSE_A, &ta, sizeof ta));
  TRY(CALL(set_t, MatmulDescSetAttribute)(p->op, OP_TRANSPOSE_B, &tb, sizeof tb));
  TRY(CALL(set_t, MatmulDescSetAttribute)(p->op, OP_EPILOGUE, &epilogue, sizeof epilogue));
  if (s->epilogue & BIAS_EPILOGUE) { // the choice goes by its alignment
    CUdeviceptr bias = ALIGNMENT;
    TRY(CALL(set_t, MatmulDescSetAttribute)(p->op, OP_BIAS, &bias, sizeof bias));
  }
  TRY(CALL(layout_t, MatrixLayoutCreate)(&p->a, s->type, ta ? s->k : s->m, ta ? s->m : s->k, ta ? s->k : s->m));
  TRY(CALL(layout_t, MatrixLayoutCreate)(&p->b, s->type, tb ? s->n : s->k, tb ? s->k : s->n, tb ? s->n : s->k));
  TRY(CALL(layout_t, MatrixLayoutCreate)(&p->d, s->result, s->m, s->n, s->m));
  void *preference;
  TRY(CALL(make_t, MatmulPreferenceCreate)(&preference));
  r = limits(preference, limit);
  if (!r) r = choose(p, handle, preference, limit);
  CALL(free_t, MatmulPreferenceDestroy)(preference);
  return r;
}

void retinago_product_free(retinago_product *p) {
  if (p->op) CALL(free_t, MatmulDescDestroy)(p->op);
  if (p->a) CALL(free_t, MatrixLayoutDestroy)(p->a);
  if (p->b) CALL(free_t, MatrixLayoutDestroy)(p->b);
  if (p->d) CALL(free_t, MatrixLayoutDestroy)(p->d);
}

int retinago_product_run(CUcontext ctx, void *handle, const retinago_product *p, CUstream stream, CUdeviceptr d, CUdeviceptr a, CUdeviceptr b, CUdeviceptr c, CUdeviceptr bias, CUdeviceptr space) {
  static const float one = 1, zero = 0;
  int r;
  if (cuCtxSetCurrent(ctx)) return NOT_INITIALIZED;
  if (bias) TRY(CALL(set_t, MatmulDescSetAttribute)(p->op, OP_BIAS, &bias, sizeof bias));
  return CALL(run_t, Matmul)(handle, p->op, &one, a, p->a, b, p->b, c ? &one : &zero, c ? c : d, p->d, d, p->d, p->algorithm, space, p->workspace, stream);
}
