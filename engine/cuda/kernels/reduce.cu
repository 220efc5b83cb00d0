// Sums. Parts are float64, written by blocks and added up in their order, so that a result is the same on every run.
#include "device.h"

// part [chunks, c] = the sums of x [rows, c] over chunks of rows. A block is one chunk (y) of MOST_THREADS channels (x).
KERNEL column_sums(double *part, const float *x, i64 rows, int c, i64 per) {
  i64 from = BLOCK_Y * per, to = from + per < rows ? from + per : rows;
  for (i64 k = BLOCK_X * THREADS + TID; k < c; k += BLOCKS_X * THREADS) {
    double s = 0;
    for (i64 r = from; r < to; r++) s += x[r * c + k];
    part[BLOCK_Y * c + k] = s;
  }
}

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
