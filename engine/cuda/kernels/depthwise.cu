// Convolutions with a filter of its own for each channel: x [n,h,w,c], w [c,rs] with r x r taps, y [n,oh,ow,c]. They move more
// memory than they compute.
#include "activation.h"

KERNEL NAME(depthwise)(T *y, const T *x, const float *filters, const float *scale, int n, int h, int w, int c, int oh, int ow, int r, int stride, int pad) {
  EACH(i, (i64)n * oh * ow * c) {
    i64 p = i / c, row = p / ow, k = i % c;
    int top = (int)(row % oh) * stride - pad, left = (int)(p % ow) * stride - pad;
    const T *in = x + row / oh * h * w * c + k;
    float sum = 0;
    for (int q = 0; q < r * r; q++) {
      int yy = top + q / r, xx = left + q % r;
      if (yy >= 0 && yy < h && xx >= 0 && xx < w) sum += in[((i64)yy * w + xx) * c] * tap(filters, scale, k, r * r, q);
    }
    y[i] = sum;
  }
}

KERNEL NAME(depthwise_data)(T *dx, const T *dy, const float *filters, const float *scale, int n, int h, int w, int c, int oh, int ow, int r, int stride, int pad) {
  EACH(i, (i64)n * h * w * c) {
    i64 p = i / c, row = p / w, image = row / h, k = i % c;
    int yy = (int)(row % h) + pad, xx = (int)(p % w) + pad;
    float sum = 0;
    for (int q = 0; q < r * r; q++) {
      int oy = yy - q / r, ox = xx - q % r; // times stride
      if (oy < 0 || ox < 0 || oy % stride || ox % stride || oy / stride >= oh || ox / stride >= ow) continue;
      sum += dy[((image * oh + oy / stride) * ow + ox / stride) * c + k] * tap(filters, scale, k, r * r, q);
    }
    dx[i] = sum;
  }
}

// part [chunks, rs, c] = the sums over chunks of output pixels. A block is one chunk (y) of channels (x) and one tap (z).
KERNEL NAME(depthwise_sums)(double *part, const T *dy, const T *x, int n, int h, int w, int c, int oh, int ow, int r, int stride, int pad, i64 per) {
  i64 pixels = (i64)n * oh * ow, from = BLOCK_Y * per, to = from + per < pixels ? from + per : pixels;
  int q = (int)BLOCK_Z;
  for (i64 k = BLOCK_X * THREADS + TID; k < c; k += BLOCKS_X * THREADS) {
    double sum = 0;
    for (i64 p = from; p < to; p++) {
      i64 row = p / ow;
      int yy = (int)(row % oh) * stride - pad + q / r, xx = (int)(p % ow) * stride - pad + q % r;
      if (yy >= 0 && yy < h && xx >= 0 && xx < w) sum += dy[p * c + k] * x[((row / oh * h + yy) * w + xx) * c + k];
    }
    part[(BLOCK_Y * r * r + q) * c + k] = sum;
  }
}
