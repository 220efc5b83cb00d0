//go:build gpu && linux && amd64

// The functions of cuBLASLt that the engine calls, by plain loops: matrices by columns in float32, bf16 or fp16, whose products
// are summed in float32.
#include "host.h"
#include "memory.h"
#include "stream.h"
#include "values.h"

#include <string.h>

using namespace host;

namespace {

enum Status { OK = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum { DEFAULT = 1, RELU = 2, BIAS = 4 };

struct Op {
  int compute, transpose[2];
  uint32_t epilogue;
  uint64_t bias;
};
struct Layout {
  Form form;
  uint64_t rows, columns;
  int64_t leading;
  size_t size() const { return (columns - 1) * leading + rows; }
  size_t bytes() const { return size() * width(form); }
  Values read(uint64_t p) const { return host::read(seen(p), form, size()); }
  bool operator==(const Layout &o) const { return form == o.form && rows == o.rows && columns == o.columns && leading == o.leading; }
};
struct Preference {
  uint64_t workspace;
  uint32_t alignment[4]; // of A, B, C, D
};
struct Algorithm { // as much as the library gives
  uint64_t mark, m, n, k, epilogue, unused[3];
};
struct Result {
  Algorithm algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

const uint64_t MARK = 0x6c74;
const size_t WORKSPACE = 256;
int64_t products;
int computed;

int create(void **handle) { return *handle = new int, OK; }
int destroy(int *handle) { return delete handle, OK; }

int op_create(Op **op, int compute, int scale) {
  if ((compute != 68 && compute != 77) || scale != 0) return NOT_SUPPORTED;
  return *op = new Op{compute, {0, 0}, DEFAULT, 0}, OK;
}
int op_destroy(Op *op) { return delete op, OK; }

// take copies an attribute of the size that it has.
template <class T> int take(T *to, const void *from, size_t bytes) {
  if (!from || bytes != sizeof *to) return INVALID_VALUE;
  return memcpy(to, from, bytes), OK;
}
int op_set(Op *op, int attribute, const void *v, size_t bytes) {
  switch (attribute) {
  case 3:
  case 4: return take(&op->transpose[attribute - 3], v, bytes);
  case 7: return take(&op->epilogue, v, bytes);
  case 8: return take(&op->bias, v, bytes);
  }
  return NOT_SUPPORTED;
}

int layout_create(Layout **l, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  if (type != 0 && type != 2 && type != 14) return NOT_SUPPORTED;
  if (!rows || !columns || leading < (int64_t)rows) return INVALID_VALUE;
  return *l = new Layout{type == 0 ? IS_FLOAT : type == 2 ? IS_FP16 : IS_BF16, rows, columns, leading}, OK;
}
int layout_destroy(Layout *l) { return delete l, OK; }

int preference_create(Preference **p) { return *p = new Preference{0, {256, 256, 256, 256}}, OK; }
int preference_destroy(Preference *p) { return delete p, OK; }
int preference_set(Preference *p, int attribute, const void *v, size_t bytes) {
  if (attribute == 1) return take(&p->workspace, v, bytes);
  return attribute >= 5 && attribute <= 8 ? take(&p->alignment[attribute - 5], v, bytes) : INVALID_VALUE;
}

// The product that descriptors stand for; what they cannot stand for is 0 x 0.
Algorithm product(const Op *op, const Layout *a, const Layout *b, const Layout *c, const Layout *d) {
  uint64_t m = op->transpose[0] ? a->columns : a->rows, k = op->transpose[0] ? a->rows : a->columns;
  uint64_t n = op->transpose[1] ? b->rows : b->columns, inner = op->transpose[1] ? b->columns : b->rows;
  if (a->form != b->form || (d->form != a->form && d->form != IS_FLOAT) || k != inner || d->rows != m || d->columns != n || !(*c == *d)) return {};
  return {MARK, m, n, k, op->epilogue, {}};
}

int choose(void *, Op *op, Layout *a, Layout *b, Layout *c, Layout *d, Preference *p, int most, Result *r, int *n) {
  Algorithm x = product(op, a, b, c, d);
  if (most < 2 || !x.mark || p->workspace < WORKSPACE) return INVALID_VALUE;
  for (uint32_t bytes : p->alignment)
    if (bytes > 64) return NOT_SUPPORTED; // tensors are at multiples of 64
  if (op->epilogue & BIAS && op->bias % 64) return INVALID_VALUE;
  if (x.m == 1) return *n = 0, NOT_SUPPORTED; // as of shapes that the library has nothing for
  r[0] = {{}, 0, NOT_SUPPORTED, 0, {}};      // the first is one that does not run here
  r[1] = {x, WORKSPACE, OK, 1, {}};
  return *n = 2, OK;
}

int matmul(void *, Op *op, const float *alpha, uint64_t a, Layout *la, uint64_t b, Layout *lb, const float *beta, uint64_t c, Layout *lc, uint64_t d, Layout *ld,
           const Algorithm *chosen, uint64_t space, size_t bytes, void *stream) {
  Algorithm x = product(op, la, lb, lc, ld);
  if (memcmp(&x, chosen, sizeof x) || bytes < WORKSPACE || *alpha != 1 || (*beta != 0 && *beta != 1) || !known((CUstream)stream)) return INVALID_VALUE;
  if (!owns(a, la->bytes()) || !owns(b, lb->bytes()) || !owns(c, lc->bytes()) || !owns(d, ld->bytes()) || !owns(space, bytes)) return INVALID_VALUE;
  uint64_t bias = op->epilogue & BIAS ? op->bias : 0;
  if (bias && !owns(bias, x.m * width(ld->form))) return INVALID_VALUE;
  bool ta = op->transpose[0], tb = op->transpose[1], relu = op->epilogue & RELU;
  int64_t sa = la->leading, sb = lb->leading, sd = ld->leading;
  Layout all[3] = {*la, *lb, *ld};
  float add = *beta;
  computed = op->compute;
  products++;
  enqueue((CUstream)stream, [=] {
    Values A = all[0].read(a), B = all[1].read(b), C = add ? all[2].read(c) : Values(), D(all[2].size()), sums(x.m);
    Values add_to = bias ? read(seen(bias), all[2].form, x.m) : Values();
    memset(seen(space), 0xff, bytes);
    for (uint64_t j = 0; j < x.n; j++) {
      float *to = &D[j * sd];
      for (uint64_t i = 0; i < x.m; i++) sums[i] = 0;
      for (uint64_t k = 0; !ta && k < x.k; k++) {
        float v = tb ? B[k * sb + j] : B[j * sb + k];
        for (uint64_t i = 0; i < x.m; i++) sums[i] += v * A[k * sa + i];
      }
      for (uint64_t i = 0; i < x.m; i++) {
        float sum = sums[i];
#pragma omp simd reduction(+ : sum)
        for (uint64_t k = 0; k < (ta ? x.k : 0); k++) sum += A[i * sa + k] * (tb ? B[k * sb + j] : B[j * sb + k]);
        if (add) sum += add * C[j * sd + i];
        if (bias) sum += add_to[i];
        to[i] = relu && sum <= 0 ? 0 : sum;
      }
    }
    write(seen(d), all[2].form, D);
  });
  return OK;
}

size_t version() { return 130000; }
const char *message(int r) { return r == INVALID_VALUE ? "INVALID_VALUE" : "NOT_SUPPORTED"; }

} // namespace

extern "C" void *retinago_host_cublaslt(void *, const char *name) {
  static const struct {
    const char *name;
    void *f;
  } functions[] = {{"cublasLtGetVersion", (void *)version}, {"cublasLtGetStatusString", (void *)message}, {"cublasLtCreate", (void *)create},
                   {"cublasLtDestroy", (void *)destroy}, {"cublasLtMatmulDescCreate", (void *)op_create}, {"cublasLtMatmulDescDestroy", (void *)op_destroy},
                   {"cublasLtMatmulDescSetAttribute", (void *)op_set}, {"cublasLtMatrixLayoutCreate", (void *)layout_create},
                   {"cublasLtMatrixLayoutDestroy", (void *)layout_destroy}, {"cublasLtMatmulPreferenceCreate", (void *)preference_create},
                   {"cublasLtMatmulPreferenceDestroy", (void *)preference_destroy}, {"cublasLtMatmulPreferenceSetAttribute", (void *)preference_set},
                   {"cublasLtMatmulAlgoGetHeuristic", (void *)choose}, {"cublasLtMatmul", (void *)matmul}};
  for (auto &f : functions)
    if (!strcmp(f.name, name)) return f.f;
  return NULL;
}

extern "C" int64_t retinago_host_products(int *compute) {
  *compute = computed;
  return products;
}
