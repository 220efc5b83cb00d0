// Sums of activations by channel. Parts are [images, chunks, c], sums over chunks of pixels. A block is one chunk (y) of MOST_THREADS
// channels (x) of an image (z).
#include "activation.h"

// part [chunks, c] = the sums of x [rows, c] over chunks of rows.
KERNEL NAME(column_sums)(double *part, const T *x, i64 rows, int c, i64 per) {
  i64 from = BLOCK_Y * per, to = from + per < rows ? from + per : rows;
  for (i64 k = BLOCK_X * THREADS + TID; k < c; k += BLOCKS_X * THREADS) {
    double s = 0;
    for (i64 r = from; r < to; r++) s += x[r * c + k];
    part[BLOCK_Y * c + k] = s;
  }
}

// part = the sums of x, or of (x-mean)^2 where stats is given.
KERNEL NAME(norm_sums)(double *part, const T *x, const float *stats, i64 pixels, int c, int groups, i64 per) {
  i64 i = BLOCK_Z, chunks = (pixels + per - 1) / per, from = BLOCK_Y * per, to = from + per < pixels ? from + per : pixels;
  for (i64 k = BLOCK_X * THREADS + TID; k < c; k += BLOCKS_X * THREADS) {
    double s = 0;
    if (stats) {
      float mean = stats[i * groups + k / (c / groups)];
      for (i64 p = from; p < to; p++) {
        float d = x[(i * pixels + p) * c + k] - mean;
        s += (double)d * d;
      }
    } else
      for (i64 p = from; p < to; p++) s += x[(i * pixels + p) * c + k];
    part[(i * chunks + BLOCK_Y) * c + k] = s;
  }
}

// part [images, chunks, 2c] = the sums of dy, and of dy times the normalised x. dy counts where y > 0, if y is given.
KERNEL NAME(norm_dots)(double *part, const T *dy, const T *y, const T *x, const float *stats, i64 images, i64 pixels, int c, int groups, i64 per) {
  i64 i = BLOCK_Z, chunks = (pixels + per - 1) / per, from = BLOCK_Y * per, to = from + per < pixels ? from + per : pixels;
  for (i64 k = BLOCK_X * THREADS + TID; k < c; k += BLOCKS_X * THREADS) {
    i64 at = i * groups + k / (c / groups);
    float mean = stats[at], rstd = stats[images * groups + at];
    double sum = 0, dot = 0;
    for (i64 p = from; p < to; p++) {
      i64 q = (i * pixels + p) * c + k;
      float d = y && !(y[q] > 0) ? 0.f : dy[q];
      sum += d;
      dot += d * ((x[q] - mean) * rstd);
    }
    double *to_part = part + (i * chunks + BLOCK_Y) * 2 * c + k;
    to_part[0] = sum;
    to_part[c] = dot;
  }
}
