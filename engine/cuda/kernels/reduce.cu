// Sums. Parts are float64, written by blocks and added up in their order, so that a result is the same on every run.
#include "device.h"

// y [c] = the sum of part [chunks, c]
KERNEL column_total(float *y, const double *part, i64 chunks, int c) {
  EACH(k, c) {
    double s = 0;
    for (i64 b = 0; b < chunks; b++) s += part[b * c + k];
    y[k] = (float)s;
  }
}

// part [blocks] = the sums of x*x over blocks
KERNEL squares(double *part, const float *x, i64 n) {
  double s = 0;
  EACH(i, n) s += (double)x[i] * x[i];
  s = block_sum(s);
  if (TID == 0) part[BLOCK_X] = s;
}

// The sum of part [n] as float64 and as float32; either may be null. One block.
KERNEL total(double *wide, float *narrow, const double *part, i64 n) {
  double s = 0;
  for (i64 i = TID; i < n; i += THREADS) s += part[i];
  s = block_sum(s);
  if (TID == 0 && wide) *wide = s;
  if (TID == 0 && narrow) *narrow = (float)s;
}

// dw [c, rs] = scale [c] times the sum of part
KERNEL depthwise_weights(float *dw, const double *part, const float *scale, i64 chunks, int c, int rs) {
  EACH(i, (i64)c * rs) {
    i64 k = i / rs, q = i % rs;
    double sum = 0;
    for (i64 b = 0; b < chunks; b++) sum += part[(b * rs + q) * c + k];
    dw[i] = (float)sum * (scale ? scale[k] : 1);
  }
}
