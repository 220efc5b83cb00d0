// Between forms of storage.
#include "activation.h"

KERNEL fill(float *y, i64 n, float v) {
  EACH(i, n) y[i] = v;
}

KERNEL narrow_bf16(bf16 *y, const float *x, i64 n) {
  EACH(i, n) y[i] = x[i];
}

KERNEL narrow_fp16(fp16 *y, const float *x, i64 n) {
  EACH(i, n) y[i] = x[i];
}

KERNEL widen_bf16(float *y, const bf16 *x, i64 n) {
  EACH(i, n) y[i] = x[i];
}

KERNEL widen_fp16(float *y, const fp16 *x, i64 n) {
  EACH(i, n) y[i] = x[i];
}
